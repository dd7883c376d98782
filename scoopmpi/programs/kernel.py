"""A Jupyter kernel on the farm, as a front end starts it: `myscoop kernel -f connection.json`.

What it does is in the package `kernel`.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Be the kernel that the words behind the program ask for."""
    from scoopmpi.kernel.serving import serve  # late: workers serve nobody

    serve(sys.argv[1:])


if __name__ == "__main__":
    main()
