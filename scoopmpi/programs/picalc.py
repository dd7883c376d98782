"""Pi by the Monte-Carlo method: `myscoop picalc [BATCHES [TRIES]]`."""

from __future__ import annotations

import sys
from random import random

from scoopmpi import futures


def hits(tries: int) -> int:
    """Return how many of `tries` random points of the unit square lie in the quarter circle."""
    return sum(random() ** 2 + random() ** 2 < 1 for _ in range(tries))


def main() -> None:
    """Print pi from the points of all batches."""
    try:
        batches, tries = [*map(int, sys.argv[1:]), *(3000, 5000)[len(sys.argv) - 1 :]]
    except ValueError:
        sys.exit("picalc: give no, one or two whole numbers: BATCHES TRIES")
    inside = sum(futures.map(hits, [tries] * batches))
    print(f"PI={4 * inside / (batches * tries):f} (in nr_batches={batches},batch_size={tries})")


if __name__ == "__main__":
    main()
