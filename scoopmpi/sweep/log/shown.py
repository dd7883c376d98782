"""A summary in lines for a person, at 80 columns. Pure: the time comes with it."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator

from ...watching.status.shown import BAD, GOOD, PLAIN, STRONG, WIDTH, Line
from ...watching.status.words import duration, moment, rate
from . import about
from .history import History
from .summary import Standing, Summary

_MOST_RUNNING, _MOST_FAILURES, _MOST_WORKERS = 8, 10, 40
_LONGEST_COMMAND = 300


def lines(name: str, told: History, found: Summary, now: float, lives: bool | None) -> list[Line]:
    """Return the lines of a log.

    name: of the file. now: seconds since 1970. lives: whether the process of the last run is
    there, None where that cannot be seen from here.
    """
    shown = [
        *_head(name, told, found, lives), *_about(told, now), *_pace(found, now),
        *_failures(found), *_running(told, found, now, lives), *_slowest(found), *_workers(found),
    ]  # fmt: skip
    return [Line(line.text.rstrip(), line.mark) for line in shown]


def _head(name: str, told: History, found: Summary, lives: bool | None) -> Iterator[Line]:
    standing = found.standing
    mark = BAD if standing.failed else GOOD if standing.left == 0 else STRONG
    state = _state(told, lives)
    yield from _wrapped("", f"{name}: {_counts(standing)}{state}", mark)
    if told.strange:
        text = f"{told.strange} lines are none of such a log, the first: "
        yield from _wrapped("  ", text + repr(told.example.decode(errors="backslashreplace")), BAD)


def _counts(standing: Standing) -> str:
    of = "" if standing.total is None else f" of {standing.total}"
    left = "" if standing.left is None else f", {standing.left} left"
    return f"{standing.done}{of} done, {standing.failed} failed{left}"


def _state(told: History, lives: bool | None) -> str:
    if not told.runs:
        return f", {len(told.running)} without an end" if told.running else ""
    if told.is_over:
        return ""
    if lives is None:
        return "; it runs, or was killed"
    return "; it runs" if lives else "; it was killed: run it again, and it goes on"


def _about(told: History, now: float) -> Iterator[Line]:
    if not told.runs:
        return
    last = told.runs[-1]
    when = last.get("when")
    began = f", began {moment(when, now)}" if isinstance(when, int | float) else ""
    number = f"run {len(told.runs)}, " if len(told.runs) > 1 else ""
    yield from _wrapped("  ", f"{number}{about.where(last)}{began}")
    words = last.get("words")
    if isinstance(words, list) and words:
        text = shlex.join(["myscoop", "sweep", *map(str, words)])
        text = text.encode(errors="backslashreplace").decode()
        more = " …" if len(text) > _LONGEST_COMMAND else ""
        yield from _wrapped("  ", text[:_LONGEST_COMMAND] + more)


def _pace(found: Summary, now: float) -> Iterator[Line]:
    if found.first is None or found.last is None:
        return
    yield Line("")
    span = f"{moment(found.first, now)} to {moment(found.last, now)}"
    text = f"{span}, {duration(found.last - found.first)}"
    yield Line(f"Last run   {text}" + (f", {rate(found.rate)}" if found.rate else ""))
    if found.expected is not None:
        left = duration(max(found.expected - now, 0.0))
        yield Line(f"Expected   {left} more, until {moment(found.expected, now)}")
    took = found.durations
    if took is not None:
        text = f"half up to {duration(took.median)}, 95 % up to {duration(took.most)}"
        yield Line(f"Durations  {text}, longest {duration(took.longest)}")


def _failures(found: Summary) -> Iterator[Line]:
    yield from _heading("Failures", len(found.failures), _MOST_FAILURES)
    for failure in found.failures[:_MOST_FAILURES]:
        more = ", …" if failure.items > len(failure.numbers) else ""
        these = ", ".join(map(str, failure.numbers))
        yield from _wrapped("  ", f"{failure.items:>6}  {failure.why}: {these}{more}", BAD)


def _running(told: History, found: Summary, now: float, lives: bool | None) -> Iterator[Line]:
    gone = found.is_over or lives is False or not told.runs
    title = "Started, without an end" if gone else "Running"
    yield from _heading(title, len(found.running), _MOST_RUNNING)
    longest = sorted(found.running.items(), key=lambda each: each[1].at)
    for number, start in longest[:_MOST_RUNNING]:
        old = "" if gone else f", {duration(max(now - start.at, 0.0))}"
        yield Line(f"  {number:>10} by worker {start.worker} since {moment(start.at, now)}{old}")


def _slowest(found: Summary) -> Iterator[Line]:
    yield from _heading("Slowest", len(found.slowest))
    for slow in found.slowest:
        where = f"worker {slow.worker}" + (f" on {slow.host}" if slow.host else "")
        yield Line(f"  {slow.number:>10} {duration(slow.seconds):>12}  {where}")


def _workers(found: Summary) -> Iterator[Line]:
    yield from _heading("Workers", len(found.workers), _MOST_WORKERS)
    if found.workers:
        yield Line("  worker  host                  items   failed      in items  each")
    for work in found.workers[:_MOST_WORKERS]:
        each = duration(work.seconds / work.items)
        yield Line(
            f"  {work.worker:>6}  {work.host[:18]:18} {work.items:>8} {work.failed:>8}"
            f" {duration(work.seconds):>13}  {each}",
            BAD if work.failed == work.items else PLAIN,
        )


def _heading(text: str, there: int, shown: int = 0) -> Iterator[Line]:
    """Yield a heading, if there is anything. shown: how many there is room for."""
    if there:
        yield Line("")
        yield Line(f"{text} ({shown} of {there})" if there > shown > 0 else text, STRONG)


def _wrapped(first: str, text: str, mark: str = PLAIN) -> Iterator[Line]:
    further = first + "  "
    for line in textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=further, break_on_hyphens=False
    ):
        yield Line(line, mark)
