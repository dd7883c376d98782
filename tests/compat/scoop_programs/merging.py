"""Merge sort: halves are sorted by tasks, to a depth that repeated arguments carry."""

import heapq
import random
from itertools import repeat

from scoop import futures


def in_order(numbers, depth=0, parallel_depth=0):
    if len(numbers) <= 1:
        return numbers
    middle = len(numbers) // 2
    halves = [numbers[:middle], numbers[middle:]]
    if depth < parallel_depth:
        halves = list(futures.map(in_order, halves, repeat(depth + 1), repeat(parallel_depth)))
    else:
        halves = [in_order(half) for half in halves]
    return list(heapq.merge(*halves))


if __name__ == "__main__":
    chance = random.Random(42)
    numbers = [chance.randint(-(2**62), 2**62) for _ in range(5000)]
    for depth in (0, 1, 4):
        print(depth, in_order(numbers, parallel_depth=depth) == sorted(numbers))
