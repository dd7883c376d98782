"""A trace as another file: closed where its job was killed, compressed, or a table of its spans.

Line by line, whatever its size. The new file takes the place of an older one only when it is whole.
"""

from __future__ import annotations

import csv
import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from . import form
from .reading import Event, Trace

COLUMNS = (
    "kind", "function", "job", "start", "tasks", "failed", "attempt", "end", "worker", "host",
    "began", "seconds", "busy", "resident", "peak",
)  # fmt: skip


def closed(trace: Trace, target: str) -> int:
    """Write a trace as a whole file, compressed where its name ends in .gz; return its events.

    What has no end in it, as the job was killed, ends with the last event.
    """
    with _written(target) as file:
        file.write(form.head({k: v for k, v in trace.other.items() if k != "format"}))
        count, last, unended = 0, 0, dict[tuple[Any, ...], Event]()
        for event in trace.events():
            last = max(last, event.get("ts", 0) + event.get("dur", 0))
            if event.get("ph") in ("b", "e"):
                _note(unended, event)
            file.write(("," if count else "") + form.line(event) + "\n")
            count += 1
        for event in unended.values():
            file.write(f",{form.line({**event, 'ph': 'e', 'ts': last, 'args': {}})}\n")
        file.write(form.END.decode())
    return count


def _note(unended: dict[tuple[Any, ...], Event], event: Event) -> None:
    key = event.get("cat"), event.get("pid"), form.ident(event)
    if event["ph"] == "b":
        unended[key] = event
    else:
        unended.pop(key, None)


def table(trace: Trace, target: str) -> int:
    """Write a table (CSV) with a row for each span, and return how many it has.

    Times are seconds, `began` since the run did; memory is in bytes.
    """
    hosts: dict[int, str] = {}
    count = 0
    with _written(target) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for event in trace.events():
            if event.get("ph") == "M" and event.get("name") == "process_name":
                hosts[event["pid"]] = event["args"]["name"]
            elif event.get("ph") == "X":
                rows.writerow(_row(event, hosts))
                count += 1
    return count


def _row(event: Event, hosts: dict[int, str]) -> list[Any]:
    args = event.get("args", {})
    nested = event.get("cat") == form.NESTED
    return [
        event.get("cat"), event.get("name"), args.get("job", ""), args.get("start", ""),
        args.get("tasks", 0), args.get("failed", ""), args.get("attempt", ""),
        args.get("end", ""), event.get("tid"), hosts.get(event.get("pid", 0), ""),
        _seconds(event["ts"]), _seconds(event["dur"]),
        "" if nested else _seconds(args.get("busy", event["dur"])),
        args.get("resident", ""), args.get("peak", ""),
    ]  # fmt: skip


def _seconds(microseconds: int) -> str:
    return f"{microseconds / 1e6:.6f}"


@contextmanager
def _written(target: str) -> Iterator[IO[str]]:
    """Give a file that takes the place of another one when all is in it."""
    real = os.path.realpath(target)
    if os.path.exists(real) and not os.path.isfile(real):  # a device or a pipe
        with open(real, "w", encoding="utf-8", newline="") as file:
            yield file
        return
    try:
        handle, new = tempfile.mkstemp(dir=os.path.dirname(real), prefix=".trace-")
    except OSError as problem:  # it names a file that the user has not asked for
        reason = problem.strerror or str(problem)
        raise OSError(f"{target} cannot be written, its directory says: {reason}") from None
    os.close(handle)
    try:
        opened = gzip.open if target.endswith(".gz") else open
        with opened(new, "wt", encoding="utf-8", newline="") as file:
            yield file
        mask = os.umask(0o077)  # there is no other way to ask for it
        os.umask(mask)
        os.chmod(new, 0o666 & ~mask)
        os.replace(new, real)
    except BaseException:
        with suppress(OSError):
            os.unlink(new)
        raise
