"""Ends as its argument says: `raises` in a task, or `exits` with status 7."""

from __future__ import annotations

import sys

from scoopmpi import futures


def inverse(number: int) -> float:
    return 1 / number


if __name__ == "__main__":
    numbers = [3, 2, 1, 0] if sys.argv[1] == "raises" else [4, 5]
    print(list(futures.map(inverse, numbers)), flush=True)
    sys.exit(7)
