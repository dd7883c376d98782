"""A command for each row of a table: `myscoop sweep --data data.csv ./simulate -t '$temperature'`.

What it does is in the package `sweep`.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the sweep that the words behind the program ask for."""
    from scoopmpi.sweep import options  # late: workers read no options
    from scoopmpi.sweep.conducting.conductor import conduct

    said = options.answer(sys.argv[1:])
    if said is not None:
        print(said.text, end="", file=sys.stderr if said.status else sys.stdout)
        sys.exit(said.status)
    sys.exit(conduct(options.parsed(sys.argv[1:])))


if __name__ == "__main__":
    main()
