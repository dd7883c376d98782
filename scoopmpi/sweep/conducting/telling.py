"""What a sweep says to its user on stderr: at its start, of a host, and at its end. Texts only."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from ...concurrency.periods import OTHER_HOSTS_SECONDS
from ...process import streams
from ..items.ended import Ended
from ..log.known import Counts, Known

NAMED = 12
"""Failed items that are named in the last line."""
MOST = 10_000
"""Numbers that are looked through for the first of them."""


class Outcome(NamedTuple):
    """How a sweep has ended.

    items: how many there are in all; None where that is not known. failed: how many have failed in
    this run, numbers: the first of these. before: how many had failed in former runs, and were not
    run again. left: items that have not run to their end; None where that is not known.
    late: how many of the failed ones their time limit has ended.
    """

    items: int | None
    failed: int
    numbers: Sequence[int]
    before: int
    left: int | None
    late: int = 0


def say(text: str) -> None:
    """Tell the user; nothing happens where nobody can be told any more."""
    with suppress(OSError, ValueError):
        if streams.is_read(sys.stderr):
            print(f"sweep: {text}", file=sys.stderr, flush=True)


def of_log(path: str, known: Known) -> list[str]:
    """Return what is odd about a log that a sweep goes on from."""
    found = []
    if known.by_number:
        found.append(
            f"log {path} is of another program: its items are known by their numbers alone"
        )
    if known.strange:
        example = known.example.decode(errors="backslashreplace")
        lines = "1 line" if known.strange == 1 else f"{known.strange} lines"
        found.append(f"{lines} of log {path} were passed over, as no log has such: {example!r}")
    return found


def of_former(counts: Counts, retry: bool) -> str:
    """Return how the items stand by former runs. retry: whether failed ones run again."""
    if not (retry and counts.failed):
        return str(counts)
    return f"{counts._replace(failed=0)}, {counts.failed} had failed and run again"


def of_lacking(results: str | None, count: int) -> str:
    """Return the words for a file of results from which somebody has taken some."""
    return (
        f"{results} lacks {count} items that the log calls done: without the log (--log) all of "
        "them run again"
    )


def of_wait_for_others(host: str) -> str:
    """Return the words for a wait: all fails on a host, and nobody else is there to compare."""
    return (
        f"each item fails at once on host {host}: waiting {OTHER_HOSTS_SECONDS:.0f} s at most for "
        "workers of other hosts, which still import the program"
    )


def of_host(host: str, again: Sequence[Ended]) -> str:
    """Return the words for a host that is left out. again: what has failed there."""
    last = again[-1]
    how = last.why or (f"signal {-last.status}" if last.status < 0 else f"status {last.status}")
    return (
        f"host {host} is left out: {len(again)} items in a row failed there at once (the last with "
        f"{how}), and elsewhere they do not; they run again there. Does it lack a file system, a "
        "module or a licence?"
    )


def of_end(outcome: Outcome, log: str | None, how: str | None) -> str | None:
    """Return the last line; None where all is well.

    log: its name. how: why the sweep ends before its items have run, where it does.
    """
    parts = []
    failed, left = outcome.failed, outcome.left
    if failed:
        parts.append(_failed(outcome, log))
    if how and left != 0:
        several = "items are" if left != 1 else "item is"
        parts.append(f"{'some' if left is None else left} {several} left{_goes_on(log)}")
    if not parts:
        return None
    return (f"{how}: " if how else "") + "; ".join(parts)


def _failed(outcome: Outcome, log: str | None) -> str:
    failed, numbers = outcome.failed, outcome.numbers
    count = failed + outcome.before
    of = "" if outcome.items is None else f" of {outcome.items}"
    some = f"{count}{of} item{'' if (outcome.items or count) == 1 else 's'} failed"
    named = ", ".join(map(str, sorted(numbers)[:NAMED]))
    if failed > NAMED:
        named += f" and {failed - NAMED} more"
    if outcome.before:
        named += f", and {outcome.before} in former runs"
    if outcome.late:
        named += f"; {'all' if outcome.late == failed else outcome.late} by their time limit"
    remedy = "--log FILE --retry" if log is None else "--retry"
    return f"{some}: {named} ({remedy} runs them again)"


def _goes_on(log: str | None) -> str:
    if log is None:
        return " (with --log FILE the next run goes on from there)"
    return f" (run it again, and it goes on from {log})"
