"""Pi by chance; each task has its own seed, so that the figure is always the same."""

import random
from math import hypot

from scoop import futures


def hits(seed, tries):
    chance = random.Random(seed)
    return sum(hypot(chance.random(), chance.random()) < 1 for _ in range(tries))


def pi(tasks, tries):
    return 4.0 * sum(futures.map(hits, range(tasks), [tries] * tasks)) / (tasks * tries)


if __name__ == "__main__":
    print(f"pi = {pi(200, 1000)}")
