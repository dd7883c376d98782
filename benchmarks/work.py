"""What is measured, the same for every system: tasks, maps of them, and calls.

Each part takes a `System` and returns its figures; which systems there are, and how they start, is
not known here. Every part warms its system up in the same way. The order of the rows of a part
changes with the round, so that no system can profit from what came before each time.
"""

from __future__ import annotations

import random
import resource
import statistics
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

Map = Callable[[Callable[..., Any], Iterable[Any]], Iterable[Any]]
Submit = Callable[..., Any]
Figures = dict[str, float]


class System(NamedTuple):
    """What a system can do, with so many workers.

    submit: hands in a call, and returns what has a `result` or, as in a Pool, a `get`.
    as_completed: gives futures as they end. kept: a context in which `submit` keeps the outcome of
    each call in a file. slow: whether each task is a message, so that 10^6 would take minutes.
    """

    map: Map
    workers: int
    submit: Submit | None = None
    as_completed: Callable[[list[Any]], Iterable[Any]] | None = None
    kept: Callable[[], AbstractContextManager[Submit]] | None = None
    slow: bool = False


class Run(NamedTuple):
    """One start of a system. seconds: how long a row may take; order: shuffles the rows."""

    seconds: float
    order: random.Random

    def shuffled(self, rows: Iterable[Any]) -> list[Any]:
        rows = list(rows)
        return self.order.sample(rows, len(rows))


# Tasks.


def square(x: int) -> int:
    return x * x


def spin(seconds: float) -> None:
    """Keep a core busy for so long."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def count(steps: int) -> int:
    """Work that takes longer where something else runs on the core, as `spin` does not."""
    total = 0
    for step in range(steps):
        total += step
    return total


def nap(seconds: float) -> None:
    time.sleep(seconds)


# Parts.


def timed(job: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    job()
    return time.perf_counter() - begun


def warm(system: System) -> None:
    list(system.map(square, range(1000)))
    list(system.map(spin, [0.0001] * 100 * system.workers))


def squares(system: System, run: Run) -> Figures:
    """Tasks that take next to nothing, few and many."""
    warm(system)
    few, many = (2_000, 20_000) if system.slow else (10**4, 10**6)
    found = {
        "10^4 squares, M/s": few / statistics.median(again(system, square, range(few), run)) / 1e6,
        "10^6 squares, M/s": max(
            many / timed(lambda: list(system.map(square, range(many)))) / 1e6 for _ in range(3)
        ),
    }
    found["peak memory of rank 0, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def maps(system: System, run: Run) -> Figures:
    """One long map: of tasks that are alike, and of such that punish fixed chunks."""
    warm(system)
    found: Figures = {}
    for name, seconds, number in (("1 ms", 1e-3, 3000), ("10 us", 1e-5, 150_000)):
        number //= 5 if system.slow else 1
        took = timed(lambda s=seconds, n=number: list(system.map(spin, [s] * n)))  # type: ignore[misc]
        found[f"efficiency at {name}"] = seconds * number / system.workers / took
    for name, durations in skewed().items():
        ideal = max(max(durations), sum(durations) / system.workers)
        took = timed(lambda d=durations: list(system.map(spin, d)))  # type: ignore[misc]
        found[f"makespan / ideal: {name}"] = took / ideal
    return found


def skewed() -> dict[str, list[float]]:
    """Task durations in seconds that punish fixed chunks."""
    chance = random.Random(1)
    pareto = [min(0.3, 0.001 * chance.paretovariate(1.1)) for _ in range(600)]
    short, long = [0.0005] * 3000, [0.25] * 8
    return {
        "pareto, shuffled": pareto,
        "pareto, rising": sorted(pareto),
        "3000 short, 8 long": short + long,
        "8 long, 3000 short": long + short,
    }


GENERATIONS = (
    (32, 10e-6),
    (32, 100e-6),
    (32, 1e-3),
    (8, 1e-3),
    (1000, 100e-6),
    (4, 10e-3),
)


def generations(system: System, run: Run) -> Figures:
    """Many small maps of one function, one after the other: task time / (workers x elapsed).

    The last two rows do a given work, not a given time, so that a rank that keeps a core from a
    worker is seen.
    """
    warm(system)
    rows: list[tuple[str, Callable[[Any], Any], list[Any], float]] = [
        (f"{n} x {name(each)}", spin, [each] * n, each * n) for n, each in GENERATIONS
    ]
    for n, each in ((32, 100e-6), (32, 1e-3)):
        steps = steps_of(each)
        alone = statistics.median(timed(lambda s=steps: count(s)) for _ in range(21))  # type: ignore[misc]
        rows.append((f"{n} x {name(each)}, counted", count, [steps] * n, alone * n))
    found = {}
    for row, function, tasks, work in run.shuffled(rows):
        series = again(system, function, tasks, run)
        found[row] = work * len(series) / system.workers / sum(series)
    return {row: found[row] for row, *_ in rows}


def steps_of(seconds: float) -> int:
    """How many steps `count` makes in so many seconds, on a core of its own."""
    return round(seconds * 10**6 / min(timed(lambda: count(10**6)) for _ in range(3)))


def again(system: System, function: Callable[..., Any], tasks: Any, run: Run) -> list[float]:
    """The times of one map after the other, until the row's time is over."""
    series: list[float] = []
    end = time.perf_counter() + run.seconds
    while time.perf_counter() < end or len(series) < 3:
        series.append(timed(lambda: list(system.map(function, tasks))))
    return series


NAPS = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)


def sleepers(system: System, run: Run) -> Figures:
    """One map of sleeping tasks, as many for each worker: task time / (workers x elapsed)."""
    warm(system)
    found = {}
    for each in run.shuffled(NAPS):
        number = max(1, round(max(3 * run.seconds / each, 6 * min(1, run.seconds))))
        took = timed(lambda e=each, n=number: list(system.map(nap, [e] * n * system.workers)))  # type: ignore[misc]
        found[each] = number * each / took
    return {f"{name(each)}, {system.workers} workers": found[each] for each in NAPS}


def calls(system: System, run: Run) -> Figures:
    """Single calls: one at a time, many at once, as they end, and with a checkpoint."""
    warm(system)
    if system.submit is None:
        return {}
    found = _calls(system.submit, run)
    if system.as_completed is not None:
        for number in (10**4,) if system.slow else (10**4, 10**5):
            took = timed(lambda n=number: _as_completed(system, n))  # type: ignore[misc]
            found[f"as_completed of {number:,}, us each"] = took / number * 1e6
    if system.kept is not None:
        with system.kept() as submit:
            kept = _calls(submit, run)
        found.update((f"{figure}, checkpoint", value) for figure, value in kept.items())
    return found


def _calls(submit: Submit, run: Run) -> Figures:
    trips = [timed(lambda i=i: result(submit(square, i))) for i in range(2000)]  # type: ignore[misc]
    many = [timed(lambda: _submit(submit, 5000)) for _ in range(3)]
    return {
        "round trip, us": statistics.median(trips) * 1e6,
        "5000 submits, 1/s": 5000 / statistics.median(many),
    }


def _submit(submit: Submit, number: int) -> None:
    pending = [submit(square, i) for i in range(number)]
    assert [result(each) for each in pending] == [i * i for i in range(number)]


def _as_completed(system: System, number: int) -> None:
    assert system.submit is not None and system.as_completed is not None
    pending = [system.submit(square, i) for i in range(number)]
    assert sum(1 for each in system.as_completed(pending) if each.result() >= 0) == number


def result(call: Any) -> Any:
    return call.result() if hasattr(call, "result") else call.get()


def name(seconds: float) -> str:
    """A duration as tables have it."""
    if seconds >= 1:
        return f"{seconds:g} s"
    return f"{seconds * 1e3:g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:g} us"


PARTS: dict[str, Callable[[System, Run], Figures]] = {
    "generations": generations,
    "sleepers": sleepers,
    "calls": calls,
    "squares": squares,
    "maps": maps,
}
