"""Functions whose cost changes: `python benchmarks/changing.py BEFORE AFTER [ROUNDS]`.

A learning rate, a growing population, a model that converges: what was learnt of a function's last
map is wrong for the next one. Also functions that have no name of their own, as libraries hand them
in. Two versions in turn, as in `versions.py`. All figures are elapsed / ideal, where ideal is
max(longest task, total / workers): 1 is the best there is, and a ratio above 1 has grown worse.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import versions
from versions import WORKERS
from work import nap, spin

HERE = os.path.abspath(__file__)
ROW_SECONDS = 0.3
"""How long each row goes on, at least."""


def other_spin(seconds: float) -> None:
    """The same under a name of its own."""
    spin(seconds)


def spin_both(seconds: float, more: float) -> None:
    spin(seconds + more)


class Model:
    """What samplers hand in: a bound method, or an object that is called."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def spin(self, seconds: float) -> None:
        spin(seconds * self.factor)

    __call__ = spin


Maps = Sequence[tuple[Callable[[Any], Any], Sequence[float]]]
"""Maps that follow each other: of which function, over which durations."""


def over_ideal(maps: Maps, which: Iterable[int] = (), mapped: Any = None) -> float:
    """Elapsed over ideal of maps that are made again and again.

    which: only these of them count, the others stand between them; all without any. mapped: instead
    of `futures.map`.
    """
    from scoopmpi import futures

    mapped = mapped or futures.map
    counted = set(which) or set(range(len(maps)))
    elapsed = ideal = 0.0
    end = time.perf_counter() + ROW_SECONDS
    while time.perf_counter() < end or not ideal:
        for number, (function, durations) in enumerate(maps):
            begun = time.perf_counter()
            list(mapped(function, durations))
            if number in counted:
                elapsed += time.perf_counter() - begun
                ideal += max(max(durations), sum(durations) / WORKERS)
    return elapsed / ideal


def alternating() -> dict[str, float]:
    """A cheap generation and a dear one, in turn."""
    found = {}
    for name, cheap, dear in (
        ("32 x 10 us and 32 x 1 ms", [1e-5] * 32, [1e-3] * 32),
        ("32 x 1 ms and 4 x 100 ms", [1e-3] * 32, [0.1] * 4),
        ("1000 x 10 us and 16 x 10 ms", [1e-5] * 1000, [0.01] * 16),
        ("32 x 10 us and 4 x 100 ms", [1e-5] * 32, [0.1] * 4),
    ):
        maps = [(spin, cheap), (spin, dear)]
        found[f"{name}, in turn: the cheap"] = over_ideal(maps, [0])
        found[f"{name}, in turn: the dear"] = over_ideal(maps, [1])
    naps = [(nap, [1e-3] * 32), (nap, [0.1] * 4)]
    found["naps, 32 x 1 ms and 4 x 100 ms, in turn: the dear"] = over_ideal(naps, [1])
    return found


def within() -> dict[str, float]:
    """Costs that change within a map."""
    chance = random.Random(3)
    logarithmic = [[10 ** chance.uniform(-5, -2) for _ in range(100)] for _ in range(5)]
    sizes = [(spin, [1e-4] * 2**power) for power in range(3, 13)]
    return {
        "100 of 10 us to 10 ms": over_ideal([(spin, each) for each in logarithmic]),
        "1000 x 10 us, then 20 x 20 ms": over_ideal([(spin, [1e-5] * 1000 + [0.02] * 20)]),
        "20 x 20 ms, then 1000 x 10 us": over_ideal([(spin, [0.02] * 20 + [1e-5] * 1000)]),
        "each ten times the last, 16 x 10 us to 100 ms": over_ideal(
            [(spin, [10.0**power] * 16) for power in range(-5, 0)]
        ),
        "each a tenth of the last, 16 x 100 ms to 10 us": over_ideal(
            [(spin, [10.0**power] * 16) for power in range(-1, -6, -1)]
        ),
        "a population of 8 that doubles up to 4096, 100 us": over_ideal(sizes),
    }


def handed_in() -> dict[str, float]:
    """What programs and libraries hand in instead of a function of a module, 32 x 100 us."""
    from scoopmpi import Pool, futures

    tasks, model = [1e-4] * 32, Model(1.0)
    pairs = [(5e-5, 5e-5)] * 32
    functions: dict[str, Callable[[float], None]] = {
        "a function": spin,
        "a lambda": lambda seconds: spin(seconds),
        "a partial": partial(spin_both, 0.0),
        "a method": model.spin,
        "an object that is called": model,
    }
    found = {name: over_ideal([(function, tasks)]) for name, function in functions.items()}
    fresh = lambda _, durations: futures.map(lambda seconds: spin(seconds), durations)  # noqa: E731
    found["a lambda made for each map"] = over_ideal([(spin, tasks)], mapped=fresh)
    fresh = lambda _, durations: futures.map(Model(1.0).spin, durations)  # noqa: E731
    found["a method of a new object for each map"] = over_ideal([(spin, tasks)], mapped=fresh)
    with Pool() as pool:
        starmap = lambda _, durations: pool.starmap(spin_both, pairs)  # noqa: E731
        found["starmap"] = over_ideal([(spin, tasks)], mapped=starmap)
    two = [(spin, [1e-5] * 32), (other_spin, [1e-3] * 32)]
    found["two functions in turn, 10 us and 1 ms: the cheap"] = over_ideal(two, [0])
    found["two functions in turn, 10 us and 1 ms: the dear"] = over_ideal(two, [1])
    return found


def measure() -> dict[str, float]:
    from scoopmpi import futures

    list(futures.map(len, [""] * 1000))
    return {**alternating(), **within(), **handed_in()}


def started(python: str, directory: str) -> dict[str, float]:
    return versions.said(python, HERE, directory)


if __name__ == "__main__":
    if sys.argv[1:] == ["--work"]:
        print(json.dumps(measure()))
    elif len(sys.argv) in (3, 4):
        versions.main(sys.argv[1], sys.argv[2], int((*sys.argv, "5")[3]), started)
    else:
        sys.exit(__doc__)
