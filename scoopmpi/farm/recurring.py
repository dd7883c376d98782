"""Which large buffers come with more than one task of a map, and what is lent of them.

A buffer is known by who owns its memory, its address and its size, never by its content: an owner
that is gone is nobody, so memory that another array has taken over is not mistaken for it. At its
first sight it goes with its task; at the second it is lent (`constants.lending`), and tasks refer
to it. The user may have changed it meanwhile, so it is compared before that: what differs goes with
its task again. Loaded where a map has large buffers.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

from ..constants import hostmemory
from ..constants.farm_lending import FarmLending
from ..constants.hostmemory import NotShared
from ..wire import lent
from ..wire.payload import Frame

COMPARED = 1 << 24
"""Bytes of a buffer that are compared before a batch refers to it, which takes 2 ms."""
MOST_SEEN = 256
"""Buffers that are remembered, those that came last."""
IDLE = 4
"""Sights of others after which a lent buffer makes room for one of them."""
MOST_CHANGES = 3
"""How often a buffer may be found changed before it goes with each task for good."""

Spots: TypeAlias = Sequence[tuple[int, int]]
"""Where buffers are in a batch: which frame, which part of it."""
Key: TypeAlias = tuple[int, int]
"""Address and size of a buffer, which are its own for as long as its owner lives."""


class Seen:
    """A buffer that has come with a task.

    owner: of its memory. alone: whether that is the only one, which nobody but us need keep.
    batch: the latest in which it came. sight: which of all sights that was.
    """

    def __init__(self, owner: Any, alone: bool, sight: int) -> None:
        self._owner = weakref.ref(owner) if alone else None
        self.held = None if alone else owner
        """An owner that is not the only one, or can have no weak reference: kept, or the address
        would say nothing."""
        self.batch, self.sight = 0, sight
        self.changes = 0
        """How often it was found changed."""
        self.number = self.place = self.there = 0
        """Under which number it is lent, 0 for none; its place there, and the address of that."""

    def is_of(self, owner: Any) -> bool:
        """True where this is the buffer of this owner that is at the same place.

        Arrow makes a new object for its memory each time, and one that is kept keeps it. Others
        may have let go of their memory all the same: a file that was closed, a bytearray that grew.
        """
        if self._owner is not None:
            return self._owner() is owner
        return self.held is owner or type(self.held).__module__.startswith("pyarrow.")


class Recurring:
    """The large buffers of one map. lending: of its farm."""

    def __init__(self, lending: FarmLending) -> None:
        self._lending = lending
        # The caller and the progress thread may pack at a time, a signal handler in between.
        self._guard = threading.RLock()
        self._packs = False
        self._seen: dict[Key, Seen] = {}
        self._uses: dict[int, int] = {}  # buffers under each number
        self._held: list[Key] = []  # what came with the latest batch, and only we may keep
        self._batch = self._sights = 0
        self._gap = 0  # sights since the latest buffer came before
        self._closed = False

    def lent(
        self, frames: Sequence[Frame], spots: Spots, tasks: int
    ) -> tuple[Sequence[Frame], tuple[int, ...]]:
        """Return the frames of a batch as they are sent, and the numbers that they refer to.

        spots: the large buffers (`wire.lent.large_parts`). tasks: how many of the frames are the
        batch; what is behind is only looked at. The lending's `give_back` has to follow.
        """
        with self._guard:
            if self._packs:  # a handler's, in the middle of what follows
                return frames, ()
            self._packs = True
            try:
                places, numbers = self._places(frames, spots, tasks)
            finally:
                self._packs = False
        if self._closed:
            self.closed()
        return (_referring(frames, places) if places else frames), numbers

    @property
    def begun(self) -> bool:
        """True from when a batch has been looked at."""
        return self._batch > 0

    def _places(
        self, frames: Sequence[Frame], spots: Spots, tasks: int
    ) -> tuple[dict[tuple[int, int], tuple[int, int]], tuple[int, ...]]:
        """Return what is lent of a batch: number and place for each spot, and all numbers."""
        self._batch += 1
        groups = {
            key: group for key, group in _grouped(frames, spots).items() if group[0][0] < tasks
        }
        wanted = [key for key, group in groups.items() if self._sees(key, frames, group)]
        if wanted and not self._closed:
            self._lend(wanted, frames, groups)
        places = {
            spot: (seen.number, seen.place)
            for key, group in groups.items() if (seen := self._seen[key]).number
            for spot in group
        }  # fmt: skip
        numbers = tuple({number for number, _ in places.values()})
        self._lending.borrow(numbers)
        self._trim(groups)
        return places, numbers

    def closed(self) -> None:
        """Have all be forgotten that was lent: the map is over. Never waits for who packs."""
        self._closed = True
        if self._guard.acquire(blocking=False):  # else who packs does it
            try:
                if not self._packs:
                    self._seen.clear()
                    self._lending.retire(self._uses)
                    self._uses.clear()
            finally:
                self._guard.release()

    def _sees(self, key: Key, frames: Sequence[Frame], group: Spots) -> bool:
        """Take in that a buffer has come; True where it is to be lent now."""
        owner, alone = _owner(_part(frames, group))
        seen = self._seen.pop(key, None)
        known = seen is not None and seen.is_of(owner)
        if seen is None or not known:
            if seen is not None:
                self._let_go(seen)
            seen = Seen(owner, alone, self._sights)
        self._sights += 1
        self._gap, seen.sight = self._sights - seen.sight, self._sights
        seen.batch = self._batch
        self._seen[key] = seen  # at the end: those that came last are behind
        if seen.number:
            if type(seen.held) is bytes or hostmemory.same(key[0], seen.there, key[1], COMPARED):
                return False
            seen.changes += 1
            self._let_go(seen)
            known = False
        return (known or len(group) > 1) and seen.changes < MOST_CHANGES

    def _lend(self, keys: Sequence[Key], frames: Sequence[Frame], groups: dict[Key, Spots]) -> None:
        size = sum(size for _, size in keys)
        if not self._lending.has_room(size):
            self._let_go_of_idle()
            if not self._lending.has_room(size):
                return
        buffers = [_part(frames, groups[key]) for key in keys]
        try:
            number, there = self._lending.lend(buffers)
        except NotShared:
            return  # they go with each task
        self._uses[number] = len(keys)
        for place, key in enumerate(keys):
            seen = self._seen[key]
            seen.number, seen.place = number, place
            seen.there = hostmemory.address(there.buffers[place])

    def _let_go_of_idle(self) -> None:
        """Make room for what comes now: what has not come for long is lent no longer.

        Not what comes again in turn: it would be lent anew each time.
        """
        for seen in self._seen.values():
            if self._sights - seen.sight > max(IDLE, 2 * self._gap):
                self._let_go(seen)

    def _let_go(self, seen: Seen) -> None:
        """Have a buffer be lent no longer."""
        if seen.number:
            self._uses[seen.number] -= 1
            if not self._uses[seen.number]:
                del self._uses[seen.number]
                self._lending.retire((seen.number,))
            seen.number = 0

    def _trim(self, keys: Collection[Key]) -> None:
        """Forget what came long ago, and owners that are only kept to be known in the next batch.

        keys: what has come in this one, and stays.
        """
        for key in self._held:
            seen = self._seen.get(key)
            if seen is not None and seen.batch < self._batch and not seen.number:
                del self._seen[key]
        self._held = [key for key in keys if self._seen[key].held is not None]
        while len(self._seen) > max(MOST_SEEN, len(keys)):
            self._let_go(self._seen.pop(next(iter(self._seen))))


def _grouped(frames: Sequence[Frame], spots: Spots) -> dict[Key, Spots]:
    """Return the buffers of a batch by what they are: all of them live, so no address lies."""
    array = _array()
    known: dict[int, Key] = {}  # by exporter, which is the same array for many tasks, mostly
    groups: dict[Key, list[tuple[int, int]]] = {}
    for frame, place in spots:
        part = frames[frame][place]
        view = memoryview(part)
        # Others than arrays may give out different parts of their memory.
        exporter = id(view.obj if isinstance(view.obj, array) else part)
        key = known.get(exporter)
        if key is None:
            raw = part.raw()
            key = known[exporter] = hostmemory.address(raw), raw.nbytes
        groups.setdefault(key, []).append((frame, place))
    return groups  # type: ignore[return-value]


def _part(frames: Sequence[Frame], group: Spots) -> Any:
    frame, place = group[0]
    return frames[frame][place]


def _owner(part: Any) -> tuple[Any, bool]:
    """Return who owns the memory of a buffer, and whether he is known to be its only owner."""
    array = _array()
    found: Any = memoryview(part).obj
    while isinstance(found, array) or type(found) is memoryview:
        base = found.obj if type(found) is memoryview else found.base
        if base is None:
            return found, True
        found = base
    return found, False


def _array() -> Any:
    """Return numpy's type of arrays, no type where the program has not imported numpy."""
    return getattr(sys.modules.get("numpy"), "ndarray", ())


def _referring(
    frames: Sequence[Frame], places: dict[tuple[int, int], tuple[int, int]]
) -> tuple[Frame, ...]:
    """Return frames that refer to what is lent. places: number and place there, by spot."""
    changed: dict[int, list[Any]] = {}
    for (frame, part), (number, place) in places.items():
        parts = changed.setdefault(frame, list(frames[frame]))
        parts[part] = number, place, lent.use(parts[part])
    return tuple(
        lent.framed(changed[index]) if index in changed else frame
        for index, frame in enumerate(frames)
    )
