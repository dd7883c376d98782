"""One batch while it runs: the tasks one after the other, as fast as the interpreter allows.

They run inside `list.extend(map(...))`, with one line of ours between two tasks, or none. A batch
is cut from another thread by emptying the list of its arguments: the extend then ends after the
task that is running. How far it came is read afterwards, so no task is both run here and handed
back.

`cut` is called with the worker's lock held, by the progress thread; `suspend` and `rest` when the
worker has withdrawn the batch from the progress thread. No transport and no lock here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from ..process import identity
from ..tasks.pedigree import runs_strand, strand_of
from ..tasks.wrapped import Again
from ..wire import errors, failure, payload
from ..wire.messages import CANCELLED, Finished, Run
from ..wire.payload import Frame
from .nested.fibers import Ended
from .purity import stateless

if TYPE_CHECKING:
    from .failing import WrittenCalls

_WITHOUT_TERMINAL = ("NoTerminal", "BdbQuit", "EOFError")
"""Names of what debuggers and input() raise in a task, which has no terminal."""


class Packed:
    """Stands among the values of a batch for one that is packed, as it was when its task ended."""

    __slots__ = ("frame",)

    def __init__(self, frame: Frame) -> None:
        self.frame = frame


class Failed(Packed):
    """Stands among the values of a batch for a task that raised."""


class ToTryAgain(Failed):
    """Stands there for a task that raised and is to be tried again, if rank 0 finds that it may."""


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


class Running:
    """A batch on a worker, while its tasks run.

    Numbers and strings wait for the end of the batch and share one pickle. Other values are packed
    at once, as the next task may change them, unless the function is stateless.

    function: for all tasks, or None where each brings its own.
    label: told the name of what runs.
    owner: to whom the lines belong that its tasks print.
    """

    def __init__(
        self,
        run: Run,
        function: Callable[..., Any] | None,
        label: Callable[[str], None],
        owner: Hashable,
    ) -> None:
        self.budget = run.budget
        """Seconds after which the batch is to be answered, whatever is not started."""
        self.owner = owner
        self._run = run
        self._function = function
        self._label = label
        self._name = "a submitted call" if function is None else failure.describe(function)
        self._named = function
        self._raw = run.plain and stateless(function)
        self.alone = run.stop - run.start == 1
        """True where the batch has one task."""
        self.away = 0.0
        """Seconds in which the batch waited, and others ran."""
        self._stop = run.stop  # the end of what this worker still answers for
        self._given = 0  # values that have been answered
        self._values: list[Any] = []
        self.strand = strand_of(run, function, self._values)
        """Says who the running task is."""
        self._calls: WrittenCalls | None = None  # where one has failed, and its error shows it
        packed = payload.unpack(run.tasks) if run.plain else (run.tasks,)
        columns = [list(column) for column in packed]
        self._column = columns[0]
        self._arguments = iter(self._column)
        self._iterator = map(self._target(), self._arguments, *columns[1:])
        if function is not None or not run.plain:  # else the first call says its name, unharmed
            label(self._name)
        self.started = time.monotonic()

    @runs_strand
    def run(self) -> None:
        """Run the tasks until they end or are cut; what they raise becomes their outcome."""
        values, strand = self._values, self.strand  # noqa: F841
        while True:
            try:
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

    def cut(self) -> Finished | None:
        """Keep only the running task: answer for those before it, hand back those behind it."""
        return self._cut(late=False)

    def suspend(self) -> Finished | None:
        """Do as `cut`, by the running task itself, which will wait; may run the user's pickling."""
        return self._cut(late=True)

    @property
    def job(self) -> int:
        """The number of its job."""
        return self._run.job

    @property
    def attempt(self) -> int:
        """Which attempt this is of its tasks, 1 for the first."""
        return self._run.attempt

    @property
    def task(self) -> int:
        """The index of the running task, after the batch was suspended."""
        return self._stop - 1

    @property
    def single(self) -> bool:
        """True where this worker answers for one more task only, which `cut` has left running."""
        return self._run.start + self._given == self._stop - 1

    @property
    def ended(self) -> int:
        """The number of its tasks that have ended."""
        return len(self._values)

    def resume(self, seconds: float) -> None:
        """Go on after so many seconds: say again what runs, as others ran meanwhile."""
        self.away += seconds
        self._label(self._name)

    def _cut(self, late: bool) -> Finished | None:
        self._column.clear()
        done = len(self._values)  # only now: from here on no task starts
        end, stop = self._stop, min(self._run.start + done + 1, self._stop)
        values = self._values[self._given : done]
        if not late and self._raw and not payload.plain(values):
            done, values = self._given, []  # packing them may run user code, which is not for here
        if stop == end and not values:
            return None
        self._stop = stop
        return self._answer(values, done, -1.0, stop, end)

    def rest(self) -> Finished | None:
        """Return the answer for what `cut` has not answered; None where it has answered all."""
        del self._iterator  # else a circle: arguments and values would wait for the collector
        done = len(self._values)
        values = self._values[self._given :]
        position = self._run.start + done
        if not values and position >= self._stop:
            return None
        seconds = time.monotonic() - self.started - self.away
        return self._answer(values, done, seconds, position, self._stop)

    # What is called for a task.

    def _target(self) -> Callable[..., Any]:
        call = self._call()
        if self._raw:
            return call
        atoms, pack = payload.atoms(), self._pack

        def target(*row: Any) -> Any:
            try:
                value = call(*row)
            except StopIteration as error:
                raise Stopped(error) from None
            return value if type(value) in atoms else pack(value)

        return target

    def _call(self) -> Callable[..., Any]:
        function = self._function
        if function is None:
            return self._call_submitted
        if not self._run.plain:
            return lambda frame: function(*self._open(frame))
        if isinstance(function, FunctionType | MethodType):
            return function
        # Functions in C give the progress thread no turn between two tasks; a line of Python does.
        return lambda *row: function(*row)

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

    def _pack(self, value: Any) -> Packed:
        try:
            frame = payload.pack(value)
        except BaseException as error:
            raise errors.TaskError(
                f"the result of {self._name}, a {type(value).__qualname__}, cannot be pickled and "
                f"sent back: {failure.reason(error)}. Return what is made of it: numbers, lists, "
                "arrays."
            ) from error
        # Without a copy the next task could change the memory before it has been sent.
        return Packed(frame if self.alone else payload.copied(frame))

    # Answers.

    def _failed(self, error: BaseException, kind: type[Failed] = Failed) -> Failed:
        place = len(self._values)
        number = self._run.start + place
        if self._calls is None:
            from .failing import WrittenCalls  # late: nothing may fail

            self._calls = WrittenCalls(self._run, self._function)
        task = self._calls.words(place)
        if type(error).__name__ in _WITHOUT_TERMINAL:
            from ..tasks import no_terminal  # late: few tasks ask anybody

            error = no_terminal.explained(error, self._name, number)
        errors.add_task(error, self._name, number, task)
        return kind(failure.pack(error, identity.this.rank, task))

    def _answer(
        self, values: list[Any], done: int, seconds: float, unstarted: int, end: int
    ) -> Finished:
        start = self._run.start + self._given
        self._given = done
        plain, outcomes, failed, again = self._outcomes(values)
        stop = start + len(values)
        return Finished(
            job=self._run.job,
            start=start,
            stop=stop,
            seconds=seconds,
            unstarted=unstarted,
            end=end,
            plain=plain,
            outcomes=outcomes,
            failed=failed,
            again=again,
        )

    def _outcomes(self, values: list[Any]) -> tuple[bool, Frame, tuple[int, ...], tuple[int, ...]]:
        if payload.plain(values):
            return True, payload.pack_plain(values), (), ()
        frames, failed, again = [], [], []
        for place, value in enumerate(values):
            packed = value if isinstance(value, Packed) else self._packed_late(value)
            if isinstance(packed, Failed):
                failed.append(place)
            if isinstance(packed, ToTryAgain):
                again.append(place)
            frames.append(packed.frame)
        return False, tuple(frames), tuple(failed), tuple(again)

    def _packed_late(self, value: Any) -> Packed:
        try:
            return self._pack(value)
        except errors.TaskError as error:
            return self._failed(error)
