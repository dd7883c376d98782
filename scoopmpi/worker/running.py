"""One batch while it runs: the tasks one after the other, as fast as the interpreter allows.

They run inside `list.extend(map(...))`, with one line of ours between two tasks, or none. A batch
is cut from another thread by emptying the list of its arguments: the extend then ends after the
task that is running. How far it came is read afterwards, so no task is both run here and handed
back. What it answers, and when, is in `answers`.

`cut` is called with the worker's lock held, by the progress thread; `suspend` and `rest` when the
worker has withdrawn the batch from the progress thread. No transport and no lock here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from functools import cache
from itertools import islice
from types import FunctionType, MethodType
from typing import Any

from ..process import identity
from ..tasks.pedigree import runs_strand, strand_of
from ..tasks.wrapped import Again, only_calls, passes_on
from ..wire import errors, failure, payload
from ..wire.messages import CANCELLED, Finished, Run
from ..wire.payload import Frame
from .answers import Answers, Leave, ToTryAgain
from .nested.fibers import Ended

_NUMBERS = frozenset({int, float})
_TEXTS = frozenset({str, bytes})
_LONG = payload.OUT_OF_BAND
"""Letters or bytes of a text that is packed at once, and weighed."""


class Stopped(BaseException):
    """Carries a task's own StopIteration, which would end what runs the tasks."""

    def __init__(self, error: StopIteration) -> None:
        super().__init__(error)
        self.error = error


class Interlude:
    """Stands for a batch while nested tasks and callbacks run that are part of none.

    Nothing of it can be handed back.
    """

    budget = 0.05
    single = False
    strand = None

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.away = 0.0

    def cut(self) -> None:
        """Return nothing: there is no answer."""

    suspend = cut

    def resume(self, seconds: float) -> None:
        """Take note that it waited so many seconds."""
        self.away += seconds


class Running(Answers):
    """A batch on a worker, while its tasks run.

    Numbers and short strings wait for the end of the batch and share one pickle. Other values are
    packed at once, as the next task may change them, unless the function is stateless. Where these
    are large they leave at the end of their task.

    function: for all tasks, or None where each brings its own.
    label: told the name of what runs.
    owner: to whom the lines belong that its tasks print.
    leave: as for its `Answers`.
    """

    def __init__(
        self,
        run: Run,
        function: Callable[..., Any] | None,
        label: Callable[[str], None],
        owner: Hashable,
        leave: Leave,
    ) -> None:
        self.budget = run.budget
        """Seconds after which the batch is to be answered, whatever is not started."""
        self.owner = owner
        self._label = label
        name = "a submitted call" if function is None else failure.describe(function)
        super().__init__(run, function, name, leave)
        self._named = function
        self._raw = self._safe = run.plain and not self.alone and _purity()(function)
        self.strand = strand_of(run, function, self._values)
        """Says who the running task is."""
        packed = payload.unpack(run.tasks) if run.plain else (run.tasks,)
        columns = [list(column) for column in packed]
        self._column = columns[0]
        self._rows = list(map(iter, columns))
        self._arguments = self._rows[0]
        self._iterator = map(self._target(), *self._rows)
        if function is not None or not run.plain:  # else the first call says its name, unharmed
            label(self._name)
        self.started = time.monotonic()

    @runs_strand
    def run(self) -> None:
        """Run the tasks until they end or are cut; what they raise becomes their outcome."""
        values, strand = self._values, self.strand  # noqa: F841
        while True:
            try:
                if self._raw and not values:
                    values.extend(islice(self._iterator, 1))
                    if values and type(values[0]) not in _NUMBERS and not payload.small(values):
                        self._look_at_each()
                if values or not self._raw:  # else there is no task left, or the first has none
                    values.extend(self._iterator)
            except Ended:  # the worker ends while the task waits
                raise
            except Stopped as stopped:
                values.append(self._failed(stopped.error))
                continue
            except Again as again:
                values.append(self._failed(again.error, ToTryAgain))
                continue
            except BaseException as error:
                values.append(self._failed(error))
                continue
            if len(self._arguments.__reduce__()) < 3:  # the list's iterator is used up
                return
            values.append(self._failed(StopIteration("raised by the task itself")))

    def _look_at_each(self) -> None:
        """Have each value be looked at, as the first one is no number nor a short string."""
        first = self._values[0] = self._packed_late(self._values[0])
        self._weight = payload.size(first.frame)
        self._raw = False
        self._iterator = map(self._target(), *self._rows)

    def cut(self) -> Finished | None:
        """Keep only the running task: answer for those before it, hand back those behind it."""
        return self._cut(late=False)

    def suspend(self) -> Finished | None:
        """Do as `cut`, by the running task itself, which will wait; may run the user's pickling."""
        return self._cut(late=True)

    def resume(self, seconds: float) -> None:
        """Go on after so many seconds: say again what runs, as others ran meanwhile."""
        self.away += seconds
        self._label(self._name)

    def drop(self) -> None:
        """Have arguments and values go with the batch: what calls its tasks holds the batch, and
        such a circle stays until the collector comes, which counts objects, not bytes."""
        del self._iterator

    def _cut(self, late: bool) -> Finished | None:
        self._column.clear()
        return super()._cut(late)  # only now: from here on no task starts

    # What is called for a task.

    def _target(self) -> Callable[..., Any]:
        call = self._call()
        if self._raw:
            return call
        short, pack = payload.atoms() - _TEXTS, self._pack

        @passes_on
        def target(*row: Any) -> Any:
            try:
                value = call(*row)
            except StopIteration as error:
                raise Stopped(error) from None
            kind = type(value)
            if kind in short or (kind in _TEXTS and len(value) < _LONG):
                return value
            return pack(value)

        return target

    def _call(self) -> Callable[..., Any]:
        function = self._function
        if function is None:
            return self._call_submitted
        if not self._run.plain:
            return only_calls(lambda frame: function(*self._open(frame)))
        if isinstance(function, FunctionType | MethodType):
            return function
        # Functions in C give the progress thread no turn between two tasks; a line of Python does.
        return only_calls(lambda *row: function(*row))

    @only_calls
    def _call_submitted(self, call: Frame | list[Any]) -> Any:
        if type(call) is not list:
            if call == CANCELLED:
                return None
            call = self._open(call, "a submitted call")
        function, arguments, keywords, origin = call
        if type(call) is list:
            function = self._open(
                function, "the function of a submitted call", payload.unpack_named
            )
        self.strand.origin, self.strand.function = origin, function
        if function is not self._named:
            self._named, self._name = function, failure.describe(function)
            self._label(self._name)
        return function(*arguments, **keywords) if keywords else function(*arguments)

    def _open(
        self, frame: Frame, what: str = "", unpack: Callable[[Frame], Any] = payload.unpack
    ) -> Any:
        try:
            row = unpack(frame)
        except BaseException as error:
            what = what or f"the arguments of {self._name}"
            raise errors.TaskError(
                f"{what} cannot be unpickled on worker "
                f"{identity.this.rank}: {failure.reason(error)}.{failure.advice(error)}"
            ) from error
        if isinstance(row, failure.Unpicklable):
            row.raise_it()
        return row


@cache
def _purity() -> Callable[[Any], bool]:
    from .purity import stateless  # late: single tasks need not ask

    return stateless
