"""Results as text: a table for people, CSV for programs, and the outputs themselves."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import BinaryIO, TextIO

from ...items.ended import JOB, LOST, TIME
from ...log.lines import signal_name
from .reading import Reader, Row
from .tables import headings

WIDTH = 60
"""Letters of a value, and of the first line of an output, that are shown at most."""
MEASURED = 1000
"""Rows that say how wide the columns of the table are."""
_REASONS = {
    TIME: "over its time limit",
    JOB: "at the end of the job",
    LOST: "its worker has died",
}


def table(reader: Reader, failed: bool) -> Iterator[str]:
    """Return the lines of a table: a row for each item, and how many there are."""
    heading = ("item", "how", "seconds", "host", *reader.columns, "output")
    rows = (_words(row, reader.columns) for row in reader.rows(failed))
    first = [heading, *islice(rows, MEASURED)]
    widths = [max(map(len, column)) for column in zip(*first, strict=True)]
    for words in chain(first, rows):
        yield "  ".join(map(str.ljust, words, widths)).rstrip()
    items, failures = reader.counts()
    ended = "1 item has ended" if items == 1 else f"{items} items have ended"
    yield f"{ended}, {failures} of them failed{_of_run(reader)}"


def _of_run(reader: Reader) -> str:
    running = reader.facts.get("run") == "running"
    return "; the sweep goes on, or was killed" if running else ""


def _words(row: Row, columns: Iterable[str]) -> tuple[str, ...]:
    first = row.first.decode(errors="replace").lstrip("\n").partition("\n")[0]
    values = (_short(row.values.get(column, "")) for column in columns)
    host = row.host.partition(".")[0]
    return (str(row.number), how(row), f"{row.seconds:.1f}", host, *values, _short(first))


def how(row: Row) -> str:
    """Return how an item has ended: `done`, `exit status 3`, `SIGKILL`, or why else."""
    if row.why:
        return _short(_REASONS.get(row.why, row.why))
    if row.status < 0:
        return signal_name(-row.status)
    return f"exit status {row.status}" if row.status else "done"


def _short(text: str) -> str:
    """Return text without what would move a terminal's cursor, and not too much of it."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text.rstrip("\r"))
    return plain if len(plain) <= WIDTH else f"{plain[: WIDTH - 1]}…"


def write_csv(reader: Reader, failed: bool, to: TextIO) -> None:
    """Write all that is known of the items, with a line of headings: `pandas.read_csv` reads it."""
    number, *ours = headings(reader.columns)
    writer = csv.writer(to, lineterminator="\n")
    writer.writerow([number, *reader.columns, *ours])
    for row, out, err in reader.whole(failed):
        started = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(row.started))
        values = [row.values.get(column, "") for column in reader.columns]
        writer.writerow(
            [row.number, *values, row.status, row.why, row.worker, row.host, started,
             f"{row.seconds:.6f}", _text(out), _text(err)],
        )  # fmt: skip


def _text(data: bytes) -> str:
    """Return data as CSV can hold it: Python's `csv` before 3.11, and R, stop at a NUL."""
    return data.decode(errors="backslashreplace").replace("\0", r"\x00")


def write_outputs(reader: Reader, failed: bool, stream: int, to: BinaryIO) -> None:
    """Write what all have written to a stream, one after the other, as a sweep prints it."""
    for _, *outputs in reader.whole(failed):
        data = outputs[stream - 1]
        to.write(data)
        if data and not data.endswith(b"\n"):
            to.write(b"\n")
    to.flush()


def write_output(reader: Reader, number: int, stream: int, to: BinaryIO) -> None:
    """Write what an item has written, byte for byte."""
    for piece in reader.output(number, stream):
        to.write(piece)
    to.flush()
