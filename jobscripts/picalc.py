"""Pi by the Monte-Carlo method: picalc.py [NR_BATCHES BATCH_SIZE]"""

import math
import random
import sys

from scoop import futures


def hits(points):
    """Of so many random points in the unit square: how many lie in the quarter circle."""
    return sum(math.hypot(random.random(), random.random()) < 1 for _ in range(points))


def pi(nr_batches, batch_size):
    """Each task throws one batch of points."""
    inside = sum(futures.map(hits, [batch_size] * nr_batches))
    return 4 * inside / (nr_batches * batch_size)


def settings(words):
    """The two numbers from the command line, or what is usual."""
    if not words:
        return 3000, 5000
    if len(words) != 2:
        sys.exit("ERROR: Expects either zero or two integers as arguments.")
    try:
        return int(words[0]), int(words[1])
    except ValueError as problem:
        sys.exit(f"ERROR: Two integers expected as arguments: {problem}")


if __name__ == "__main__":
    nr_batches, batch_size = settings(sys.argv[1:])
    print(f"PI={pi(nr_batches, batch_size):f} (in nr_batches={nr_batches},batch_size={batch_size})")
