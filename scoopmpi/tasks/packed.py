"""The frames that a map sends: its function once, the arguments of its tasks.

Packing runs the user's code (`__reduce__`, `__getstate__`), so callers hold no lock meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..concurrency.signal_scopes import uninterrupted
from ..wire import failure, payload
from ..wire.payload import Frame
from .limit import seconds_of
from .wrapped import Retry, Wrapped


class Tasks(NamedTuple):
    """The packed tasks of one batch, as `messages.Run` has them."""

    plain: bool
    frames: Frame
    lent: tuple[int, ...] = ()
    """The numbers of what they have in common, and refer to."""


class Function(NamedTuple):
    """A function as a frame.

    name: as messages give it.
    by_name: whether workers find it by its name, so that the frame is right for ever.
    limit: seconds that each task may take, if there is a limit.
    retry: how tasks that raise are tried again, if they are.
    target: the function itself, where it was packed here.
    lent: the numbers of what is lent of its code (`wire.lent`).
    """

    name: str
    code: Frame
    by_name: bool
    limit: float | None = None
    retry: Retry | None = None
    target: Callable[..., Any] | None = None
    lent: tuple[int, ...] = ()


def pack_function(
    target: Callable[..., Any], keep: Callable[[Frame], Frame] = payload.copied
) -> Function:
    """Pack a function once for all tasks of a map.

    keep: returns a frame that later changes of the user's do not reach.
    Raises PicklingError or TypeError, naming the function, where it cannot travel.
    """
    name = failure.describe(target)
    with uninterrupted:  # what a signal raises is no failure of packing
        try:
            retry = target.retry if isinstance(target, Wrapped) else None
            by_name, limit = payload.by_name(target), seconds_of(target)
            code = keep(payload.pack(target))  # arrays in it may change after this call
            return Function(name, code, by_name, limit, retry, target, numbers_in(code))
        except Exception as error:
            raise failure.function_unpicklable(error, target) from error


def numbers_in(frame: Frame) -> tuple[int, ...]:
    """Return the numbers of what is lent of a frame."""
    if type(frame) is not tuple or frame[0] is not None:
        return ()
    return tuple({part[0] for part in frame[1:] if type(part) is tuple})


class LatestFunction:
    """The function of the latest map: one that is found by its name is packed once for them all.

    keep: as of `pack_function`.
    """

    def __init__(self, keep: Callable[[Frame], Frame] = payload.copied) -> None:
        self._keep = keep
        self._latest: Function | None = None

    def packed(self, target: Callable[..., Any]) -> Function:
        """Return the function of the next map, packed. Raises as `pack_function` does."""
        latest = self._latest
        if latest is not None and latest.target is target and payload.by_name(target):
            return latest
        function = pack_function(target, self._keep)
        self._latest = function if function.by_name else None
        return function


def pack_arguments(name: str, index: int, values: Any) -> Frame:
    """Pack one task's arguments; where they cannot be pickled, the error instead of them."""
    try:
        return payload.pack(values)
    except BaseException as error:  # a hostile __reduce__ may even call sys.exit
        reason = (
            f"the arguments of {name}, task {index}, cannot be pickled: {failure.reason(error)}"
        )
        return payload.pack(failure.Unpicklable(reason, error))
