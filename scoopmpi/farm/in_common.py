"""What submitted calls have in common: large buffers that one hands over as another did before.

A call is packed when it is submitted, as it is then, so its buffers are copied. One that lies where
that of an earlier call lay, and has the same content, is not copied again: from the second time on
it is lent (`constants.lending`), and travels to each host once. Only the content decides, as the
program may have changed it in between; unless it has promised not to (`tasks.unchanged`). Loaded
where a call has large buffers.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from pickle import PickleBuffer
from typing import Any, TypeAlias
from weakref import WeakValueDictionary, ref

from ..constants import hostmemory
from ..constants.farm_lending import FarmLending
from ..constants.hostmemory import NotShared
from ..tasks import unchanged
from ..wire import lent, payload
from ..wire.payload import Frame

KEPT, KEPT_BYTES = 32, 256 << 20
"""Buffers that are kept when their calls are over, as the next call may bring them again; half of
the numbers that may be lent at a time (`farm_lending.MOST`): maps need some too."""

Key: TypeAlias = tuple[int, int]
"""Address and size of a buffer of the program's."""


class Kept:
    """The content of one buffer, for as long as a call refers to it: a copy, then lent."""

    def __init__(self, copy: PickleBuffer, lending: FarmLending) -> None:
        self._copy, self._lending = copy, lending
        self._number = 0
        self._there = hostmemory.address(copy)
        self._memory: Any = copy  # keeps what is at that address
        self.size = memoryview(copy).nbytes
        self._span: object | None = None
        self._owner: ref[Any] | None = None  # of the program's memory: another's may come there

    def equals(self, key: Key, part: PickleBuffer) -> bool:
        """True where a buffer of the program's has this content now."""
        if self._promised(part):
            return True
        address, size = key
        if not hostmemory.same(address, self._there, size, size):
            return False
        self.promise(part)
        return True

    def promise(self, part: PickleBuffer) -> None:
        """Take note of the span for which the program does not change what it hands over now."""
        self._span = unchanged.span()
        self._owner = None if self._span is None else _owner(part)

    def _promised(self, part: PickleBuffer) -> bool:
        if self._span is None or self._span is not unchanged.span() or self._owner is None:
            return False
        owner, now = self._owner(), _owner(part)
        return owner is not None and now is not None and now() is owner

    def part(self, use: int) -> Any:
        """Return what stands in a frame for it; the copy where nothing can be lent.

        use: as in `wire.lent`.
        """
        if not self._number and self._lending.has_room(self.size):
            with suppress(NotShared):
                self._number, self._memory = self._lending.lend([self._copy])
                self._there = hostmemory.address(self._memory.buffers[0])
                del self._copy
        return (self._number, 0, use) if self._number else self._copy

    def opened(self, part: lent.Part) -> Any:
        """Return the content for whoever opens a frame in which `part` stands for it."""
        return self._memory.opened(part[1], part[2])

    @property
    def number(self) -> int:
        """Return under which number it is lent, 0 where it is not."""
        return self._number

    def __del__(self) -> None:
        if self._number:
            self._lending.retire((self._number,))


class InCommon:
    """The large buffers of the latest calls. lending: of their farm."""

    def __init__(self, lending: FarmLending) -> None:
        self._lending = lending
        # Any thread may submit, and a signal handler in the middle of that.
        self._guard = threading.RLock()
        self._kept: WeakValueDictionary[Key, Kept] = WeakValueDictionary()
        self._latest: OrderedDict[Key, Kept] = OrderedDict()
        self._bytes = 0  # of these

    def sealed(self, frame: Frame) -> tuple[Frame, tuple[Kept, ...]]:
        """Return the frame of a call as later changes do not reach it, and what must live for it.

        frame: a pickle and its buffers.
        """
        parts, kept = [frame[0]], []
        with self._guard:
            for part in frame[1:]:
                if memoryview(part).nbytes < lent.LENT:
                    parts.append(payload.own(part))
                else:
                    sealed, its_kept = self._sealed(part)
                    parts.append(sealed)
                    kept.append(its_kept)
        if any(type(part) is tuple for part in parts):
            return lent.framed(parts), tuple(kept)
        return tuple(parts), tuple(kept)

    def _sealed(self, part: PickleBuffer) -> tuple[Any, Kept]:
        raw = part.raw()
        key = hostmemory.address(raw), raw.nbytes
        kept = self._kept.get(key)
        if kept is not None and kept.equals(key, part):
            self._remember(key, kept)
            return kept.part(lent.use(part)), kept
        copy = part if type(raw.obj) is bytes else payload.own(part)
        kept = self._kept[key] = Kept(copy, self._lending)
        kept.promise(part)
        self._remember(key, kept)
        return copy, kept

    def _remember(self, key: Key, kept: Kept) -> None:
        before = self._latest.pop(key, None)
        self._latest[key] = kept
        self._bytes += kept.size - (0 if before is None else before.size)
        while self._bytes > KEPT_BYTES or len(self._latest) > KEPT:
            self._bytes -= self._latest.popitem(last=False)[1].size


def _owner(part: PickleBuffer) -> ref[Any] | None:
    """Return the object whose memory this is; None where its end would not be noticed."""
    found = memoryview(part).obj
    while (base := getattr(found, "base", None)) is not None:
        found = base
    try:
        return ref(found)
    except TypeError:
        return None


def whole(frame: Frame, common: tuple[Kept, ...]) -> Frame:
    """Return a frame of `sealed` as it can be unpacked on this rank."""
    kept = {each.number: each for each in common}
    return lent.on_loan(frame, lambda part: kept[part[0]].opened(part))
