"""Which cell a line of a task belongs to, and how it gets there.

Each cell that runs is a group (`tasks.groups`), so that what its maps and calls print is known to
be its own, whatever runs in the front end by then. How a stream of ipykernel says for which request
it writes is known here alone: a context variable, of which the calling thread's other text must see
nothing.
"""

from __future__ import annotations

import contextvars
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from ipykernel.iostream import OutStream

from ..tasks.groups import Groups

NAMES = {1: "stdout", 2: "stderr"}
MOST_CELLS = 10_000
"""Whose requests are remembered: lines of tasks from before go into the cell that runs."""
Header = Mapping[str, Any]


class Cells:
    """The cells that have run, by the groups of what they have made.

    groups: of the program. streams: ipykernel's, by number.
    """

    def __init__(self, groups: Groups, streams: Mapping[int, OutStream]) -> None:
        self._groups, self._streams = groups, streams
        self._guard = threading.Lock()
        self._numbers: OrderedDict[str, int] = OrderedDict()  # by the id of a cell's request
        self._headers: dict[int, Header] = {}
        groups.outer = self.group

    def group(self) -> int | None:
        """Return the group of what the calling thread makes: of the cell that it writes to."""
        header = self._streams[1].parent_header
        request = header.get("msg_id")
        if request is None:
            return None
        with self._guard:
            return self._numbers.get(request) or self._begin(request, header)

    @property
    def request(self) -> str | None:
        """The id of the request that the calling code runs for."""
        found: str | None = self._streams[1].parent_header.get("msg_id")
        return found

    def renew(self, request: str | None) -> int | None:
        """Have what a cell makes from now on be a group of its own.

        Returns the one before, None where there is none. Called by a signal handler.
        """
        return None if request is None else self._numbers.pop(request, None)

    def _begin(self, request: str, header: Header) -> int:
        number = self._groups.new_outermost()
        self._numbers[request], self._headers[number] = number, header
        while len(self._numbers) > MOST_CELLS:
            self._numbers.popitem(last=False)
        while len(self._headers) > MOST_CELLS:
            del self._headers[next(iter(self._headers))]
        return number

    @property
    def known(self) -> set[int]:
        """The groups of all cells that are remembered."""
        return set(self._headers)

    @property
    def latest(self) -> Header:
        """The request of the cell that runs, or has run last."""
        return dict(self._streams[1]._parent_header_global)

    def show(self, number: int, data: bytes, group: int | None) -> bool:
        """Write lines of a group's tasks to their cell; False where that has no stream for them."""
        header = next(filter(None, map(self._headers.get, self._groups.within(group))), None)
        stream = self._streams[number]
        now = getattr(sys, NAMES[number])
        here = header is None or header.get("msg_id") == stream._parent_header_global.get("msg_id")
        if now is not stream and here:
            return False  # the cell keeps what it prints: %%capture
        text = data.decode(errors="replace")
        contextvars.copy_context().run(_write, stream, text, header)
        return True


def _write(stream: OutStream, text: str, header: Header | None) -> None:
    stream._parent_header.set(stream._parent_header_global if header is None else header)
    stream.write(text)
