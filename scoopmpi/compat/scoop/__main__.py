"""`python -m scoop PROGRAM ARGUMENTS…`: the same as `python -m scoopmpi`."""

from __future__ import annotations

from scoopmpi.__main__ import main

if __name__ == "__main__":
    main()
