"""A trace, read line by line: also one whose job was killed while it was written, or still runs.

What the lines mean is said in `form`. A file that another program has written anew, with other
line breaks, is read as a whole.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from typing import IO, Any, TypeAlias

from . import form

Event: TypeAlias = dict[str, Any]
_GZIP = b"\x1f\x8b"
_HEAD = 20_000
"""Characters, in which `otherData` stands, whoever has written the file."""


class TraceError(ValueError):
    """A file is no trace of ours, or its lines are damaged; the message says which."""


class Trace:
    """A trace in a file, maybe one that `gzip` has compressed.

    Raises TraceError where it is none, OSError where it cannot be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.whole = False
        """True where the file has come to its end, once `events` has: else it was cut off."""
        self.end: Event | None = None
        """What the last event says of the whole run, once `events` has come to it; None where the
        run did not come to its end."""
        self._loaded: list[Event] | None = None
        with _opened(self.path) as file:
            try:
                line = file.readline()
                found = json.loads(line + "]}") if line.rstrip().endswith("[") else self._all()
                other = found.get("otherData", {}) if isinstance(found, dict) else {}
                kind = other.get("format") if isinstance(other, dict) else None
            except (ValueError, EOFError, zlib.error):
                kind = None
        if kind != form.FORMAT:
            raise TraceError(f"{path} is no trace of scoopmpi, or of another version")
        self.other: Event = other
        """What is known of the run from its beginning: command, versions, the batch job."""

    def events(self) -> Iterator[Event]:
        """Yield all events, in the order in which they stand in the file.

        Raises TraceError for a line that is damaged, but for the last one.
        """
        self.whole, self.end = self._loaded is not None, None
        if self._loaded is not None:
            for event in self._loaded:
                self._note(event)
                yield event
            return
        damaged = 0
        with _opened(self.path) as file:
            file.readline()
            for number, line in enumerate(_readable(file), 2):
                if damaged:
                    raise TraceError(
                        f"{self.path}: line {damaged} is no event; where a job writes it just now, "
                        "ask once more"
                    )
                text = line.strip().removeprefix(",")
                if text == "]}":
                    self.whole = True
                    return
                try:
                    event = json.loads(text)
                except ValueError:
                    damaged = number  # the last one may be cut off anywhere
                    continue
                self._note(event)
                yield event

    def _note(self, event: Event) -> None:
        if event.get("cat") == form.RUN and event.get("name") == "end":
            self.end = event.get("args", {})

    def _all(self) -> Any:
        """Load a file that was written anew."""
        with _opened(self.path) as file:
            found = json.load(file)
        self._loaded = found.get("traceEvents", []) if isinstance(found, dict) else []
        return found


def _opened(path: str) -> IO[str]:
    with open(path, "rb") as file:
        compressed = file.read(2) == _GZIP
    if compressed:
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return open(path, encoding="utf-8", errors="replace")


def _readable(file: IO[str]) -> Iterator[str]:
    """Yield the lines of a file, as far as they can be unpacked."""
    try:
        yield from file
    except (EOFError, zlib.error):  # compressed, and cut off
        return


def is_trace(path: str) -> bool:
    """True where a file is a trace of ours, by how it begins."""
    if not os.path.isfile(path):
        return False
    try:
        with _opened(path) as file:
            head = file.read(_HEAD)
    except (OSError, EOFError, zlib.error):
        return False
    return head.lstrip().startswith("{") and form.FORMAT in head
