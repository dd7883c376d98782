"""Outputs to the user: those of each item together, in the order of the items.

What waits for an earlier item is kept in memory as far as that is bounded, then on disk. What
cannot be printed waits likewise, and is tried again. An item that never comes holds others back
until the end only.
"""

from __future__ import annotations

import logging
import tempfile
from collections import deque

from ..items.ended import Ended
from ..items.item import Item
from .printer import AGAIN, Printer
from .sink import Kept
from .spool import Output, Spool

logger = logging.getLogger("scoopmpi")

ROOM = 8 << 20
"""Bytes that wait in memory: outputs that are a little out of their order never see a disk."""
ENTRY = 300
"""Bytes of memory that the keeping of an output takes beside it."""
NOTHING = Output(b"", b"")
"""In the place of one that was printed before its turn, or is lost."""


class InOrder:
    """Prints what items have written.

    room: bytes that wait in memory. again: seconds until a stream that has failed is tried again.
    """

    earlier: int | None = None

    def __init__(self, kept: Kept, room: int = ROOM, again: float = AGAIN) -> None:
        self._kept, self._room = kept, room
        self._printer = Printer(again)
        self._places: dict[int, int] = {}  # of items that run, by their numbers
        self._expected = 0
        self._turn = 0
        self._due: deque[Output] = deque()  # from the one whose turn it is, in a row
        self._memory: dict[int, Output] = {}
        self._size = 0
        self._spool: Spool | None = None
        self._told = False
        self._lost = 0

    def expected(self, item: Item) -> None:
        """Hear that an item is about to be run: in the order of the items."""
        self._places[item.number] = self._expected
        self._expected += 1

    def add(self, ended: Ended) -> None:
        """Keep what an item has written for its turn, which may have come."""
        place = self._places.pop(ended.number)
        output = Output(ended.out, ended.err)
        if place == self._turn + len(self._due) and not self._printer.failing:
            self._due.append(output)
        else:
            self._keep(place, output)
        self._kept(ended)

    def show(self) -> None:
        """Print all whose turn has come."""
        while self._due and self._printer.ready():
            self._turn += 1
            self._printer.print(self._due.popleft())
        while self._waiting and self._printer.ready():
            found = self._taken(self._turn)
            if found is None:
                break
            self._turn += 1
            self._printer.print(found)
        self._printer.flush()

    def close(self, hurry: bool = False) -> int:
        """Print what is left, in its order; return how many outputs could not be printed."""
        self._printer.at_once(hurry)
        self.show()
        while self._turn < self._expected and self._waiting and self._printer.ready():
            found = self._taken(self._turn)
            self._turn += 1
            if found is not None:
                self._printer.print(found)
        self._printer.flush()
        self._lost += len(self._due) + self._waiting + self._printer.unprinted
        if self._spool is not None:
            self._spool.close()
        if self._lost:
            logger.warning("sweep: the output of %d items could not be printed", self._lost)
        return self._lost

    @property
    def _waiting(self) -> int:
        return len(self._memory) + (0 if self._spool is None else self._spool.waiting)

    def _keep(self, place: int, output: Output) -> None:
        if self._size + _size(output) <= self._room:
            self._remember(place, output)
            return
        try:
            if self._spool is None:
                self._spool = Spool()
            self._spool.add(place, output)
        except OSError as problem:
            self._no_room(place, output, problem)

    def _remember(self, place: int, output: Output) -> None:
        self._memory[place] = output
        self._size += _size(output)

    def _no_room(self, place: int, output: Output, problem: OSError) -> None:
        """Print it before its turn: better than to lose it, or to fill the memory of the host."""
        if not self._told:
            self._told = True
            logger.warning(
                "sweep: no room in %s for the output of items that wait for earlier ones (%s): "
                "it is printed before its turn; set TMPDIR to a directory with room, or use "
                "--output-dir or --results",
                tempfile.gettempdir(), problem.strerror or problem,
            )  # fmt: skip
        if self._printer.ready():
            self._printer.print(output)
        else:
            self._lost += 1
        self._remember(place, NOTHING)

    def _taken(self, place: int) -> Output | None:
        found = self._memory.pop(place, None)
        if found is not None:
            self._size -= _size(found)
            return found
        try:
            return None if self._spool is None else self._spool.take(place)
        except OSError as problem:
            logger.warning("sweep: an output that has waited cannot be read: %s", problem)
            self._lost += 1
            return NOTHING


def _size(output: Output) -> int:
    return len(output.out) + len(output.err) + ENTRY
