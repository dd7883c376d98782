"""`wload run.pbs.log445948`: how evenly the workers of a job had work.

In the framework's tables, of its own logs as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...sweep.log.history import History
from ...sweep.log.summary import Work, summary
from . import logs
from .command_line import CommandLine
from .words import Given, Option, Refused

_KEEP = "Nothing: there is no database; myscoop sweep --results has one."
COMMAND = CommandLine(
    "wload",
    "[-workers | -workitems] LOG",
    "Say how long items have taken, and how evenly they have kept the workers busy. Times are in "
    "seconds.",
    (
        Option("workers", "A line for each worker: how long it has worked, on how many items."),
        Option("workitems", "A line for each item: its worker, how long it took, how it ended."),
        Option("keep", _KEEP),
        Option("verbose", "Nothing: all is said."),
    ),
    ("wload run.pbs.log445948", "wload -workers run.pbs.log445948"),
)  # fmt: skip


def main() -> None:
    """Run the command."""
    COMMAND.main(run)


def run(given: Given) -> int:
    """Print what the log says; return the exit status."""
    if len(given.rest) != 1:
        raise Refused("which log? For example: wload run.pbs.log445948")
    if given.has("workers") and given.has("workitems"):
        raise Refused("-workers or -workitems: a line for each of which?")
    if given.has("keep"):
        COMMAND.say(f"-keep is left out. {_KEEP}")
    told = logs.told_by(given.rest[0])
    lines = _statistics
    if given.has("workers"):
        lines = _workers
    elif given.has("workitems"):
        lines = _items
    COMMAND.show(lines(told))
    return 0


def _items(told: History) -> Iterator[str]:
    yield f"{'work item':>12},{'worker ID':>12},{'execution time':>15},{'exit status':>12}"
    for place, number in enumerate(told.numbers):
        worker = told.places[told.at[place]].worker
        why = told.reasons[told.why[place]].removeprefix("exit status ") or "0"
        yield f"{number:12},{worker:12},{told.seconds[place]:15.2f},{why:>12}"


def _workers(told: History) -> Iterator[str]:
    yield f"{'worker ID':>12},{'execution time':>15},{'work items':>12}"
    for work in summary(told).workers:
        yield f"{work.worker:12},{work.seconds:15.2f},{work.items:12}"


def _statistics(told: History) -> Iterator[str]:
    found = summary(told)
    seconds, workers = told.seconds, found.workers
    yield "Work item statistics:"
    if found.standing.total is not None:
        yield f"\tnumber of items: {found.standing.total}"
    yield f"\tnumber of finished items: {len(seconds)}"
    yield from _spread(list(seconds))
    yield "Worker statistics:"
    yield f"\tnumber of workers: {len(workers)}"
    yield from _spread([_time(work) for work in workers])


def _time(work: Work) -> float:
    return work.seconds


def _spread(seconds: list[float]) -> Iterator[str]:
    if not seconds:
        return
    yield f"\taverage execution time: {sum(seconds) / len(seconds):.2f}"
    yield f"\tminimum execution time: {min(seconds):.2f}"
    yield f"\tmaximum execution time: {max(seconds):.2f}"


if __name__ == "__main__":
    main()
