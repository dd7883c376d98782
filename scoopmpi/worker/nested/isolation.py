"""Copies between the tasks of one worker, so that it cannot matter where a task ran.

A task gets its function and arguments, and its caller the value, as they would arrive from
another rank. What nobody can change is passed as it is: copies are made only where they show.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

from ...process import identity
from ...tasks import packed
from ...wire import errors, failure, payload

_NUMBERS_AND_TEXTS = frozenset({int, float, bool, str, type(None)})
"""The types of most values: what else nobody can change is asked for the others only."""


def arguments(target: Any, index: int, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a task's arguments as another rank gets them; raises what packing them raises."""
    frame = packed.pack_arguments(failure.describe(target), index, row)
    copy = opened(payload.copied(frame), failure.describe(target))
    if isinstance(copy, failure.Unpicklable):
        copy.raise_it()
    return tuple(copy)


def opened(frame: Any, name: str) -> Any:
    """Unpack a frame of arguments; raises TaskError where it cannot be unpickled.

    As on another rank: here its own exception could be taken for one of the task.
    """
    try:
        return payload.unpack(frame)
    except BaseException as error:
        raise errors.TaskError(
            f"the arguments of {name} cannot be unpickled on worker {identity.this.rank}: "
            f"{failure.reason(error)}. What they use must be defined at the top level of a module."
        ) from error


def own(value: Any, target: Any) -> Any:
    """Return a value so that nobody else can change it, a copy where need be.

    Raises TaskError where it cannot be pickled.
    """
    if type(value) in _NUMBERS_AND_TEXTS or payload.plain((value,)):
        return value
    if type(value) is list and payload.plain(value):
        return value.copy()
    try:
        return payload.unpack(payload.copied(payload.pack(value)))
    except BaseException as error:
        raise errors.TaskError(
            f"the result of {failure.describe(target)}, a {type(value).__qualname__}, cannot be "
            f"pickled and sent: {failure.reason(error)}. Return what is made of it: numbers, "
            "lists, arrays."
        ) from error


def raised(
    error: BaseException, target: Any, number: int, args: Any, kwargs: Any = None
) -> BaseException:
    """Return a task's exception as it would arrive from another rank.

    target: the function; words for it where it is not known.
    number: of the task. args: its arguments. kwargs: None for a task of a map.
    """
    task = str(target)
    if not isinstance(target, str):
        from ...wire import shown  # late: nothing may fail

        call = shown.called(target, args, kwargs or {})
        task = errors.words(call, number if kwargs is None else None)
        errors.add_task(error, failure.describe(target), number, task)
    return failure.unpack(failure.pack(error, identity.this.rank, task))


def fixed(target: Any) -> Any:
    """Return a function as it is now, if it holds only what nobody can change; else None."""
    if type(target) is not FunctionType or target.__kwdefaults__ or target.__dict__:
        return None
    try:
        values = [cell.cell_contents for cell in target.__closure__ or ()]
    except ValueError:  # an empty cell
        return None
    if not payload.plain([*values, *(target.__defaults__ or ())]):
        return None
    if not values:
        return target
    # Cells of its own: the function around it may bind these names again before the tasks run.
    cells = tuple(map(CellType, values))
    copy = FunctionType(
        target.__code__, target.__globals__, target.__name__, target.__defaults__, cells
    )
    copy.__qualname__, copy.__module__ = target.__qualname__, target.__module__
    return copy


class MapFunction:
    """The function of a map: as its tasks call it here, and packed for others.

    Raises what packing raises, where it must be copied for the tasks here.
    """

    __slots__ = ("_packed", "_portable", "call", "target")

    def __init__(self, target: Callable[..., Any]) -> None:
        found = target if payload.by_name(target) else fixed(target)
        self._packed: packed.Function | None = None
        self._portable = True
        self.target: Callable[..., Any] = target if found is None else found
        """The function itself, for names and messages."""
        self.call: Callable[..., Any] = self._copy() if found is None else found
        """The function as tasks call it here."""

    def _copy(self) -> Callable[..., Any]:
        self._packed = packed.pack_function(self.target)
        copy: Callable[..., Any] = payload.unpack(self._packed.code)
        return copy

    @property
    def portable(self) -> bool:
        """True where it can be packed; runs the user's pickling when this is first asked."""
        if self._packed is None and self._portable:
            try:
                self._packed = packed.pack_function(self.target)
            except BaseException:  # a hostile __reduce__ may even call sys.exit
                self._portable = False
        return self._portable

    def packed(self) -> packed.Function:
        """Return it as others get it; it must be portable."""
        assert self._packed is not None
        return self._packed
