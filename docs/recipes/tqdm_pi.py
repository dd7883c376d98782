"""A bar of tqdm over a map: it moves as the values come."""

import numpy as np
from tqdm import tqdm

from scoopmpi import futures

THROWS = 20_000


def hits(seed):
    """How many of the darts hit the quarter of the circle."""
    x, y = np.random.default_rng(seed).random((2, THROWS))
    return int(np.count_nonzero(x * x + y * y < 1))


if __name__ == "__main__":
    total = 0
    for found in tqdm(futures.map(hits, range(200)), total=200, unit="block"):  # on the farm
        total += found
    print(f"pi is about {4 * total / (200 * THROWS):.6f}")
