"""The constants of a rank: what `shared.setConst` has set somewhere, packed until it is asked for.

Every rank has a `Constants`, and rank 0's is the one that decides: it gives each call of setConst
a number, and others add the same frames under that number, in whatever order they arrive. How they
get there is said in `sharing`. No messages here.

A large array exists once per host: the first rank of a host that adds it puts it into shared
memory (`hostmemory`), and lends it to the others: they get a frame that says where it is.
"""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..concurrency.signal_scopes import uninterrupted
from ..process import identity
from ..wire import failure, payload
from ..wire.payload import Frame

LARGE = 1 << 20
"""Bytes in buffers from which a constant is shared on a host: a copy of less takes 0.1 ms, which
opening and mapping cost too, and each shared one keeps two files open."""


class Added(NamedTuple):
    """Constants that were added, ready to be sent on.

    number: which call of setConst it was.
    frames: for ranks of other hosts. lent: for those of this host, see `is_lent`.
    """

    number: int
    frames: dict[str, Frame]
    lent: dict[str, Frame]


class Constants:
    """The constants that this rank knows.

    share: True where large buffers go into shared memory, for other ranks of the host.
    """

    def __init__(self, share: bool = True) -> None:
        self._share = share
        self._changed = threading.Condition()
        self._entries: dict[str, _Entry] = {}
        self._numbers: set[int] = set()  # of calls that came before their turn
        self._lent: dict[int, dict[str, Frame]] = {}
        self.count = 0
        """All calls of setConst up to this number are here."""

    def add(self, frames: Mapping[str, Frame], number: int | None = None) -> Added:
        """Add the constants of one call of setConst, all or none.

        frames: the packed values by name.
        number: the one that rank 0 gave; without it these are new, made from this rank's own
            memory, and get the next number.
        Raises TypeError naming a constant that exists, and hostmemory.NotShared where frames that
        were lent cannot be opened here (`frames_of` at the sender has them in full).
        """
        self._check(frames)
        entries = {name: self._entry(frame, number is None) for name, frame in frames.items()}
        # Before others can ask for them: a value that has been unpacked has no frame any more.
        full = {name: each.frame for name, each in entries.items()}
        lent = {name: each.lent() for name, each in entries.items()}
        with self._changed:
            self._check(frames)
            number = self._numbered(number)
            self._entries.update(entries)
            shared = {name: each.frame for name, each in entries.items() if each.where is not None}
            if shared:
                self._lent[number] = shared
            self._changed.notify_all()
        return Added(number, full, lent)

    def get(self, name: str) -> Any:
        """Return the value of a constant; it is unpacked once, at the first call.

        Raises KeyError where there is no such constant, and pickle.UnpicklingError naming it where
        it cannot be unpacked.
        """
        return self._entries[name].value(name)

    def knows(self, number: int) -> bool:
        """True where the constants of this call of setConst are here."""
        return number <= self.count or number in self._numbers

    def frames_of(self, number: int) -> dict[str, Frame]:
        """Return what was lent under a number, in full, for a rank that cannot open the memory."""
        return self._lent.get(number, {})

    def wait_for(self, name: str, timeout: float | None) -> bool:
        """Wait for another thread to add the name; False after `timeout` seconds, None: never."""
        with self._changed:
            return self._changed.wait_for(lambda: name in self._entries, timeout)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    @property
    def names(self) -> list[str]:
        """The names of all constants, in the order in which they came."""
        return list(self._entries)

    def _check(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._entries:
                raise TypeError(
                    f"the constant {name!r} exists already, a constant is set once. Take another "
                    "name, or give what changes to the tasks as an argument"
                )

    def _numbered(self, number: int | None) -> int:
        if number is None:
            number = self.count + 1
        self._numbers.add(number)
        while self.count + 1 in self._numbers:
            self.count += 1
            self._numbers.remove(self.count)
        return number

    def _entry(self, frame: Frame, own: bool) -> _Entry:
        if is_lent(frame):
            from . import hostmemory

            head, where = frame
            views = hostmemory.attach(where)
            return _Entry((head, *map(pickle.PickleBuffer, views)), where)
        if self._share and type(frame) is tuple and payload.size(frame[1:]) >= LARGE:
            from . import hostmemory

            try:
                there = hostmemory.publish(frame[1:])
                buffers = map(pickle.PickleBuffer, there.views)
                return _Entry((frame[0], *buffers), there.where, there)
            except hostmemory.NotShared:
                pass  # then each rank has its own
        return _Entry(_read_only(payload.copied(frame) if own else frame))


class _Entry:
    """One constant. It keeps shared memory open for as long as it lives.

    where: the place of its buffers in shared memory, None where they are in this rank's own.
    published: what keeps that memory open for others, where this rank has made it.
    """

    def __init__(self, frame: Frame, where: Any = None, published: Any = None) -> None:
        self.frame = frame
        self.where = where
        self._published = published
        self._guard = threading.RLock()  # unpickling may ask for other constants
        self._opened = False
        self._value: Any = None

    def lent(self) -> Frame:
        """Return the frame for ranks of this host."""
        return self.frame if self.where is None else (self.frame[0], self.where)

    def value(self, name: str) -> Any:
        """Return the unpacked value; `name` is for errors."""
        with self._guard:
            if not self._opened:
                self._value = _opened(name, self.frame)
                self._opened = True
                if self.where is None:
                    self.frame = None
            return self._value


def _opened(name: str, frame: Frame) -> Any:
    with uninterrupted:  # what a signal raises is no failure of unpacking
        try:
            value = payload.unpack(frame)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise pickle.UnpicklingError(
                f"the constant {name!r} cannot be unpickled on rank {identity.this.rank}: "
                f"{failure.reason(error)}.{failure.advice(error)}"
            ) from error
    numpy = sys.modules.get("numpy")
    array = getattr(numpy, "ndarray", None)
    if array is not None and isinstance(value, array):
        value.setflags(write=False)  # one that is not contiguous has travelled inside the pickle
    return value


def _read_only(frame: Frame) -> Frame:
    """Return the frame with buffers that can be sent on, and that arrays cannot change."""
    if type(frame) is bytes:
        return frame
    if type(frame) is tuple:
        return (frame[0], *map(_read_only_buffer, frame[1:]))
    return _read_only_buffer(frame)


def _read_only_buffer(buffer: Any) -> pickle.PickleBuffer:
    return pickle.PickleBuffer(pickle.PickleBuffer(buffer).raw().toreadonly())


def is_lent(frame: Frame) -> bool:
    """True where a frame says where its buffers are on this host, instead of having them."""
    return type(frame) is tuple and len(frame) == 2 and isinstance(frame[1], tuple)


def packed(values: Mapping[str, Any]) -> dict[str, Frame]:
    """Return new constants as frames by name.

    Raises pickle.PicklingError naming one that cannot be pickled.
    """
    return {name: _packed(name, value) for name, value in values.items()}


def _packed(name: str, value: Any) -> Frame:
    with uninterrupted:
        try:
            return payload.pack(value)
        except Exception as error:
            raise pickle.PicklingError(
                f"the constant {name!r}, a {type(value).__qualname__}, cannot be pickled and sent: "
                f"{failure.reason(error)}"
            ) from error
