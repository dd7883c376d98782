"""What logs cost: `python benchmarks/logs.py [ROUNDS]`.

The batch of a worker in this process, of tasks that do next to nothing, with and without being
looked at; and the lines of a table, at rank 0 and in its writer's thread. The shortest of all
rounds, as a machine that others use too is now and then slow, and never too fast.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable

from scoopmpi.tasks.stretch import Stretch
from scoopmpi.watching import grown_file, task_log
from scoopmpi.wire import payload
from scoopmpi.wire.messages import Run
from scoopmpi.worker.running import Running
from scoopmpi.worker.task_files import TaskFiles
from scoopmpi.worker.watched import Watch, WatchedBatch

TASKS = 5000


def square(x: int) -> int:
    return x * x


def nothing(*_: object) -> None:
    pass


def seconds(job: Callable[[], object]) -> float:
    begun = time.perf_counter()
    job()
    return time.perf_counter() - begun


def of_a_worker(directory: str) -> dict[str, Callable[[], object]]:
    """The same batch with each of the options."""
    frame = payload.pack_columns([list(range(TASKS))])
    run = Run(1, 0, TASKS, 1.0, 0, 1, None, True, frame)
    files = TaskFiles(os.path.join(directory, "out"), 1)
    watches = {
        "a task with --label": Watch(False, None, nothing),
        "a task with --task-log": Watch(True, None, nothing),
        "a silent task with --task-output": Watch(False, files, nothing),
    }

    def watched(watch: Watch) -> None:
        batch = WatchedBatch(run, square, nothing, 0, nothing, watch)
        batch.run()
        batch.rest()

    def plain() -> None:
        batch = Running(run, square, nothing, 0, nothing)
        batch.run()
        batch.rest()

    jobs: dict[str, Callable[[], object]] = {"a task": plain}
    for name, watch in watches.items():
        jobs[name] = lambda watch=watch: watched(watch)  # type: ignore[misc]
    return jobs


def of_rank_0(directory: str) -> dict[str, Callable[[], object]]:
    """Lines of the table, and writing them."""
    grown_file.GATHER = 3600  # seconds: it is written when it is asked for here
    log = task_log.begun("task_log", os.path.join(directory, "tasks.csv"))
    one = (Stretch(1, time.time(), 0.01, "ok", "square", 1),)

    def lines() -> None:
        for index in range(TASKS):
            log.tasks_ran(1, 1, index, 1, one)

    return {"a line of the table, rank 0": lines, "the same, written": log._file._write}


def measured(rounds: int) -> dict[str, float]:
    """Return microseconds for one task or line."""
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as directory:
        jobs = of_a_worker(directory) | of_rank_0(directory)
        for _ in range(rounds):
            for name, job in jobs.items():
                best[name] = min(best.get(name, 1e9), seconds(job))
    return {name: shortest / TASKS * 1e6 for name, shortest in best.items()}


def main(rounds: int) -> None:
    print("| | us |\n|---|---:|")
    for name, figure in measured(rounds).items():
        print(f"| {name} | {figure:.3g} |")


if __name__ == "__main__":
    main(int((*sys.argv, "20")[1]))
