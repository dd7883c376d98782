"""The format of a trace: its words once, for those who write and those who read, and its lines.

An object in JSON, a line for its head, then each event on a line of its own, with a comma in front
but for the first: so a file that was cut off anywhere can be read up to its last whole line.
Times are whole microseconds since the run began.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

FORMAT = "scoopmpi trace 1"
END = b"]}\n"
"""What stands behind the events."""
BATCH, NESTED, TASK, JOB, RUN = "batch", "nested", "task", "job", "run"
LOSS, RETRY, CONSTANTS, CHECKPOINT, STOP = "loss", "retry", "constants", "checkpoint", "stop"
"""Categories (`cat`)."""
WHOLE, CUT, PART, WAITS, LOST, RUNNING = "whole", "cut", "part", "waits", "lost", "running"
"""How a span of a batch ends (`args.end`): with its last task; the same, where tasks behind it were
given to others; with some of its tasks; as its task is set aside; with its worker; not yet."""
BUSY, QUEUED, LOAD = "workers", "tasks queued", "rank 0"
"""Names of counters."""
SEVERAL = "several functions"
"""Name of a span in which batches of different functions are put together."""

_text = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, default=str).encode


def quoted(text: str) -> str:
    """Return a text as JSON has it."""
    return _text(text)


def line(event: Mapping[str, Any]) -> str:
    """Return an event as it stands in a line."""
    return _text(event)


def head(about: Mapping[str, Any]) -> str:
    """Return the first line of a file. about: what `otherData` says beside the format."""
    other = _text({"format": FORMAT, **about})
    return f'{{"displayTimeUnit":"ms","otherData":{other},"traceEvents":[\n'


def named(process: int, thread: int | None, name: str) -> list[str]:
    """Return the events that give a process, or one of its threads, its name and its place."""
    what, ident = "process", f'"pid":{process},"tid":{thread or 0}'
    if thread is not None:
        what = "thread"
    index = process if thread is None else thread
    return [
        f'{{"ph":"M",{ident},"name":"{what}_name","args":{{"name":{quoted(name)}}}}}',
        f'{{"ph":"M",{ident},"name":"{what}_sort_index","args":{{"sort_index":{index}}}}}',
    ]


def mark(
    ts: int, cat: str, name: str, args: Mapping[str, Any], process: int = 0, thread: int = 0
) -> str:
    """Return an event without length, which stands with its process."""
    return (
        f'{{"ph":"i","pid":{process},"tid":{thread},"ts":{ts},"s":"p","cat":"{cat}",'
        f'"name":{quoted(name)},"args":{_text(args)}}}'
    )


def counter(ts: int, name: str, what: str, value: int) -> str:
    """Return the value of a counter from a time on."""
    return f'{{"ph":"C","pid":0,"tid":0,"ts":{ts},"name":"{name}","args":{{"{what}":{value}}}}}'


def life(
    phase: str, ts: int, cat: str, ident: str, name: str, process: int, thread: int,
    args: Mapping[str, Any],
) -> str:  # fmt: skip
    """Return the begin ("b") or the end ("e") of what overlaps others.

    ident: by which begin and end find each other, among those of their process.
    """
    return (
        f'{{"ph":"{phase}","pid":{process},"tid":{thread},"ts":{ts},"cat":"{cat}",'
        f'"id2":{{"local":"{ident}"}},"name":{quoted(name)},"args":{_text(args)}}}'
    )


def ident(event: Mapping[str, Any]) -> str:
    """Return by what a begin and its end find each other: of a job its number."""
    return str(event.get("id2", {}).get("local", event.get("id", "")))


def span(
    ts: int, dur: int, cat: str, name: str, process: int, thread: int, args: str
) -> str:  # fmt: skip
    """Return what lasts. name, args: as JSON has them, as there are many of these."""
    return (
        f'{{"ph":"X","pid":{process},"tid":{thread},"ts":{ts},"dur":{dur},"cat":"{cat}",'
        f'"name":{name},"args":{{{args}}}}}'
    )
