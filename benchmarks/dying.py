"""The program of `chaos.py`: maps, calls and nested jobs, some tasks of which end their worker.

Its argument is JSON: the seed that decides what it does, how many workers there are, and which
tasks are fatal, by the order of start. $DYING names a file that gets a byte from each task that
starts. Prints the workers' process ids, later whether all values were right, and how many tasks
were needed for them.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from scoopmpi import futures

_began: list[int] = []
_fatal: frozenset[int] = frozenset()


def begins() -> None:
    """To be called by each task: counts it, and is its end where the plan says so."""
    global _fatal
    if not _began:
        _began.append(os.open(os.environ["DYING"], os.O_WRONLY | os.O_APPEND))
        _fatal = frozenset(json.loads(sys.argv[-1])["fatal"])
    os.write(_began[0], b".")
    # Behind what was just written: no two tasks are at one place.
    if os.lseek(_began[0], 0, os.SEEK_CUR) in _fatal:
        os._exit(7)
    time.sleep(0.002)


def pid(_: int) -> int:
    time.sleep(0.002)
    return os.getpid()


def square(x: int) -> int:
    begins()
    return x * x


def tree(depth: int) -> int:
    begins()
    return 1 + sum(futures.map(tree, [depth - 1] * 3)) if depth else 1


def twig(depth: int) -> int:
    begins()
    calls = [futures.submit(twig, depth - 1) for _ in range(2)] if depth else []
    return 1 + sum(call.result() for call in calls)


def squares(x: int) -> list[int]:
    begins()
    return list(futures.map(square, range(x, x + 9)))


def steps(chance: random.Random) -> list[Callable[[], tuple[Any, Any, int]]]:
    """What a program does, in any order: each gives values, right ones, and how many tasks."""
    count = chance.randint(100, 250)
    all_of_them = [x * x for x in range(count)]

    def flat() -> tuple[Any, Any, int]:
        return list(futures.map(square, range(count))), all_of_them, count

    def of_an_iterator() -> tuple[Any, Any, int]:
        return list(futures.map(square, (x for x in range(count)))), all_of_them, count

    def as_they_come() -> tuple[Any, Any, int]:
        return sorted(futures.map_as_completed(square, range(count))), all_of_them, count

    def calls() -> tuple[Any, Any, int]:
        made = [futures.submit(square, x) for x in range(count)]
        return [call.result() for call in made], all_of_them, count

    def trees() -> tuple[Any, Any, int]:
        return list(futures.map(tree, [3, 4, 0, 2])), [40, 121, 1, 13], 175

    def twigs() -> tuple[Any, Any, int]:
        made = [futures.submit(twig, 5) for _ in range(3)]
        return [call.result() for call in made], [63] * 3, 189

    def of_maps() -> tuple[Any, Any, int]:
        right = [[x * x for x in range(y, y + 9)] for y in range(20)]
        return list(futures.map(squares, range(20))), right, 200

    return chance.sample([flat, of_an_iterator, as_they_come, calls, trees, twigs, of_maps], 5)


def program(seed: int, workers: int) -> None:
    """Say who the workers are, work, and say whether all was right, on stdout."""
    found: set[int] = set()
    while len(found) < workers:
        found.update(futures.map(pid, range(4 * workers)))
    print(json.dumps(sorted(found)), flush=True)
    right, needed = True, 0
    for step in steps(random.Random(seed)):
        values, expected, tasks = step()
        right, needed = right and values == expected, needed + tasks
    print(json.dumps({"right": right, "needed": needed}), flush=True)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    program(given["seed"], given["workers"])
