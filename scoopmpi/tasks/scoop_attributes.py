"""The names that SCOOP's programs read off a future besides those of `concurrent.futures`.

All is made when it is asked for: a future costs what it cost before, and holds no arguments.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any, NamedTuple

STANDARD = "standard"
"""SCOOP's name for a callback that runs where the future is, as all of ours do."""
_numbers = itertools.count()
_naming = threading.Lock()


class CallbackEntry(NamedTuple):
    """A callback of a future, as SCOOP lists them."""

    func: Callable[[Any], object]
    callbackType: str = STANDARD
    groupID: object = None


class ScoopAttributes:
    """The names of SCOOP's futures, as a base of ours."""

    sendResultBack = True
    executor = None
    index = None
    greenlet = None
    _id: tuple[bytes, int] | None = None
    _done_callbacks: Any

    @property
    def id(self) -> tuple[bytes, int]:
        """The name of this process, and a number that no other future of it has."""
        with _naming:
            if self._id is None:
                self._id = _process_name(), next(_numbers)
            return self._id

    def __lt__(self, other: ScoopAttributes) -> bool:
        """Compare by `id`, so that pairs with futures in them can be sorted."""
        return self.id < other.id

    @property
    def parentId(self) -> tuple[bytes, int]:
        """The `id` of the program, whose futures these are; in a task that of its process."""
        return _process_name(), 0

    @property
    def isDone(self) -> bool:
        """True where the call has a value, has raised, or was cancelled."""
        return _of(self).done()

    @property
    def resultValue(self) -> Any:
        """The value; None where there is none, or none yet."""
        future = _of(self)
        ended = future.done() and not future.cancelled()
        return future.result(0) if ended and future.exception(0) is None else None

    @property
    def exceptionValue(self) -> BaseException | None:
        """The exception that the call has raised; None where there is none, or none yet."""
        future = _of(self)
        if future.cancelled():
            return CancelledError()
        return future.exception(0) if future.done() else None

    @property
    def callback(self) -> list[CallbackEntry]:
        """The callbacks that were added."""
        return [CallbackEntry(each) for each in self._done_callbacks]

    @property
    def children(self) -> dict[Any, None]:
        """Nothing: futures of a task are where the task is."""
        return {}


def _process_name() -> bytes:
    from ..program import scoop_names  # late: few programs ask, and workers open each file

    return scoop_names.worker()


def _of(attributes: ScoopAttributes) -> Future[Any]:
    assert isinstance(attributes, Future)
    return attributes
