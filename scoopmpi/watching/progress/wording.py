"""A row of the display in words: for a log a line, for a terminal the short forms of its parts."""

from __future__ import annotations

from .row import Busy, Row

MINUTE, HOUR, DAY = 60, 3600, 86400


def line(row: Row) -> str:
    """Return a row as a line of a log, without an end."""
    count = f"{row.done} done" if row.size is None else f"{row.done} of {row.size} done"
    if row.took is not None:
        count += f" in {duration(row.took, exact=True)}"
    parts = [count, *troubles(row)]
    if row.recalled:
        parts.append(f"{row.recalled} from the checkpoint")
    if row.rate is not None:
        parts.append(rate(row.rate))
    if row.left is not None:
        parts.append(f"{duration(row.left)} left")
    if row.busy is not None:
        parts.append(f"{row.busy.busy} of {workers(row.busy.workers)} busy")
        if row.busy.lost:
            parts.append(f"{workers(row.busy.lost)} lost")
    return f"{title(row)}: {', '.join(parts)}"


def title(row: Row) -> str:
    """Return whose tasks these are."""
    return f"{plain(row.title)} ({row.note})" if row.note else plain(row.title)


def troubles(row: Row) -> list[str]:
    """Return what has gone wrong, where something has."""
    counts = ((row.failed, "failed"), (row.retried, "retried"))
    return [f"{count} {what}" for count, what in counts if count]


def workers(count: int) -> str:
    """Return a number of workers in words."""
    return f"{count} worker{'' if count == 1 else 's'}"


def of_workers(busy: Busy) -> str:
    """Return the short form of how many workers are busy."""
    lost = f", {busy.lost} lost" if busy.lost else ""
    return f"{busy.busy}/{busy.workers} busy{lost}"


def count(row: Row) -> str:
    """Return the short form of how many tasks are done."""
    return f"{row.done} done" if row.size is None else f"{row.done}/{row.size}"


def duration(seconds: float, exact: bool = False) -> str:
    """Return some seconds as people say them, with two units at most.

    exact: with tenths, where they are few; else it is at least one.
    """
    whole = max(round(seconds), 1)
    if exact and seconds < 9.95:
        return f"{seconds:.1f} s"
    if whole < 100:
        return f"{whole} s"
    if whole < 10 * MINUTE:
        return f"{whole // MINUTE} min {whole % MINUTE:02} s"
    if whole < HOUR:
        return f"{round(seconds / MINUTE)} min"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02} min"
    return f"{whole // DAY} d {whole % DAY // HOUR:02} h"


def rate(each_second: float) -> str:
    """Return a number of tasks a second, a minute or an hour, whichever is above 1."""
    for seconds, unit in ((1, "s"), (MINUTE, "min"), (HOUR, "h")):
        number = each_second * seconds
        if number >= 1 or unit == "h":
            break
    return f"{number:.0f}/{unit}" if number >= 100 else f"{number:.3g}/{unit}"


def plain(text: str) -> str:
    """Return a title on one line: without characters that would move a cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip() or "tasks"
