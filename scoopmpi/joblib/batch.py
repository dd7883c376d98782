"""A batch of calls where it runs: one task of the farm, whose value says how long it took.

A batch that takes much longer than it was made for hands what is left to whoever has nothing to
do, as a map of its own.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from joblib.parallel import BACKENDS

from ..tasks import current_executor
from ..tasks.executor import MapOptions
from ..tasks.initializer import Initializer
from ..tasks.limit import NO_LIMIT, limited
from ..tasks.wrapped import Wrapped, only_calls, passes_on
from ..wire import failure
from .active_backend import active
from .threads import threads_limited

Call: TypeAlias = tuple[Any, Any, Any]
"""A function, its arguments, its keywords, as joblib's `delayed` has them."""
BYTES_PER_SECOND = 1e9
"""What a value costs that is an array: it is packed, sent and unpacked."""


class Ran(NamedTuple):
    """The value of a batch: how many seconds it took, and what its calls have returned."""

    seconds: float
    values: list[Any]


class Setting(NamedTuple):
    """What calls find when they run.

    nested: the backend of a `Parallel` in them.
    shared: whether what is left of a batch may run elsewhere, beyond the limit of calls at a time.
    initializer: what each process runs before its first call, if there is anything.
    late: seconds after which a batch hands on what is left of it.
    """

    nested: Any
    shared: bool
    initializer: Initializer | None
    late: float


class Batch(Wrapped):
    """Runs calls one after the other. first: the function of the first one, for its name."""

    def __init__(self, first: Any, setting: Setting) -> None:
        super().__init__(first)
        self._setting = setting

    def as_written(self, args: Sequence[Any]) -> Sequence[Any]:
        """Return the arguments of the call, or dots where there are several."""
        calls: Sequence[Any] = args[0]
        written: Sequence[Any] = calls[0][1] if len(calls) == 1 else [...]
        return written

    @passes_on
    def __call__(self, calls: Sequence[Call]) -> Ran:
        begun = time.monotonic()
        backend, shared, initializer, late = self._setting
        if initializer is not None:
            initializer.make()
        BACKENDS.setdefault(backend.name, type(backend))  # the program registers it on rank 0 alone
        values: list[Any] = []
        with _Around(backend):
            for place, call in enumerate(calls, 1):
                values.append(_run(call, len(calls) > 1))
                if shared and place < len(calls) and time.monotonic() - begun > late:
                    values += self._elsewhere(calls[place:])
                    break
        seconds = time.monotonic() - begun
        return Ran(seconds + sum(map(_bytes, values)) / BYTES_PER_SECOND, values)

    @passes_on
    def _elsewhere(self, calls: Sequence[Call]) -> list[Any]:
        """Run calls, one a task, wherever there is time for them."""
        each = Batch(self._fn, self._setting)
        rows = [(call,) for call in calls]
        executor = current_executor.current()
        parts = executor.values(each, [rows], MapOptions(task_timeout=NO_LIMIT))
        return [value for ran in chain.from_iterable(parts) for value in ran.values]


class _Around:
    """What calls find while they run. Code of ours, so that no interrupt leaves half of it."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def __enter__(self) -> None:
        with ExitStack() as stack:
            stack.enter_context(active(self._backend))
            stack.enter_context(threads_limited(self._backend.inner_max_num_threads))
            self._left = stack.pop_all()

    def __exit__(self, *raised: Any) -> None:
        self._left.__exit__(*raised)


@only_calls
def _run(call: Call, one_of_several: bool) -> Any:
    function, args, kwargs = call
    try:
        return limited(function)(*args, **kwargs)
    except Exception as error:
        if one_of_several:  # else the task is the call, and is named where it fails
            from ..wire import shown  # late: nothing may fail

            failure.note(error, f"Failed in {shown.called(function, args, kwargs)}")
        raise


def _bytes(value: Any) -> int:
    size = getattr(value, "nbytes", 0)
    return size if type(size) is int else 0
