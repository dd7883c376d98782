"""Pi by the Monte-Carlo method: `myscoop picalc [BATCHES [TRIES]]`."""

from __future__ import annotations

from random import random

from scoopmpi import futures
from scoopmpi.program import ready_programs


def hits(tries: int) -> int:
    """Return how many of `tries` random points of the unit square lie in the quarter circle."""
    return sum(random() ** 2 + random() ** 2 < 1 for _ in range(tries))


def main() -> None:
    """Print pi from the points of all batches."""
    batches, tries = ready_programs.batches_and_tries(ready_programs.checked("picalc"))
    inside = sum(futures.map(hits, [tries] * batches))
    print(f"PI={4 * inside / (batches * tries):f} (in nr_batches={batches},batch_size={tries})")


if __name__ == "__main__":
    main()
