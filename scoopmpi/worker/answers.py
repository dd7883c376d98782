"""What a batch answers: the values of its tasks, packed or not, and how far they have been given.

An answer is made at the end of the batch (`rest`); before that where another thread or the running
task itself cuts it (`cut`, `suspend`), and where a large value leaves at the end of its task
(`front`): such a value is counted as given before it is among the values. `cut` and `front` are
called with the worker's lock held, the others when no other thread looks at the batch any more.
No transport and no lock here; how its tasks run is in `running`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from ..wire import errors, payload
from ..wire.messages import Finished, Run
from ..wire.payload import Frame

if TYPE_CHECKING:
    from .failing import WrittenCalls

LEAVES = 1 << 20
"""Bytes of packed values that do not wait for the end of their batch. With 128 KiB or 256 KiB
results of 256 KiB came at 3.4 to 4 GB/s on two cores, with this and more at 5.7 to 6.9."""
UNCOPIED = 1 << 22
"""Bytes from which on a value is not copied but waited for: as long as a copy takes, and the pause
of a receiver that has to be woken. Where each MiB was waited for, tasks of 1 ms with results of
100 KiB had an efficiency of 0.81 on two cores, and those of 1 MiB one of 0.66; copied, and sent
while the next ones run, 0.95 and 0.77."""


class Packed:
    """Stands among the values of a batch for one that is packed, as it was when its task ended."""

    __slots__ = ("frame",)

    def __init__(self, frame: Frame) -> None:
        self.frame = frame


class Failed(Packed):
    """Stands among the values of a batch for a task that raised."""


class ToTryAgain(Failed):
    """Stands there for a task that raised and is to be tried again, if rank 0 finds that it may."""


Leave: TypeAlias = Callable[[Any, Packed], None]
"""Takes a batch, and the value of its task that ends now."""


class Answers:
    """The values of one batch, and what has been answered of them.

    function: for all tasks, or None where each brings its own. name: of it, as users know it.
    leave: called by a task that ends with a large value; sends what `front` returns.
    """

    # What most batches never change is found in the class: a batch of numbers is made in 5 us.
    bare = False
    """True where the latest value is not copied: it has to leave before anything else runs."""
    away = 0.0
    """Seconds in which the batch waited, and others ran, or its values left."""
    _raw = False  # whether values wait as they are, whatever they are
    _safe = False  # whether no task can change what another one has returned
    _given = 0  # values that have been answered
    _weight = 0  # bytes that have been packed since
    _told = 0.0  # seconds that it has run, as far as they have been told
    _away_told = 0.0  # the same of those that it was away
    _calls: WrittenCalls | None = None  # where one has failed, and its error shows it

    def __init__(
        self, run: Run, function: Callable[..., Any] | None, name: str, leave: Leave
    ) -> None:
        self._run, self._function, self._name, self._leave = run, function, name, leave
        self.alone = run.stop - run.start == 1
        """True where the batch has one task."""
        self._values: list[Any] = []
        self._stop = run.stop  # the end of what this worker still answers for
        self.started = time.monotonic()

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

    # Answers.

    def front(self, value: Packed) -> Finished | None:
        """Return the answer for all tasks up to the one that ends now, with the value that it will
        return; None where nothing is behind it, as the batch was cut meanwhile."""
        if self._last:
            return None
        done = len(self._values) + 1
        values = [*self._values[self._given :], value]
        answer = self._answer(values, done, self._seconds(), self._stop, self._stop)
        return self._with_away(answer._replace(goes_on=True))

    def rest(self) -> Finished | None:
        """Return the answer for what `cut` has not answered; None where it has answered all."""
        done = len(self._values)
        values = self._values[self._given :]
        position = self._run.start + done
        if not values and position >= self._stop:
            return None
        return self._with_away(self._answer(values, done, self._seconds(), position, self._stop))

    def _cut(self, late: bool) -> Finished | None:
        done = len(self._values)
        end, stop = self._stop, min(self._run.start + done + 1, self._stop)
        values = self._values[self._given : done]
        if not late and self._raw and not payload.plain(values):
            done, values = self._given, []  # packing them may run user code, which is not for here
        if stop == end and not values:
            return None
        self._stop = stop
        return self._answer(values, max(done, self._given), -1.0, stop, end)

    def _seconds(self) -> float:
        """Return how long it has run since it was asked last."""
        before, self._told = self._told, time.monotonic() - self.started - self.away
        return self._told - before

    def _with_away(self, answer: Finished) -> Finished:
        """Return the answer with how long the batch was away since it was asked last."""
        if not self.away:
            return answer
        before, self._away_told = self._away_told, self.away
        return answer._replace(away=self.away - before)

    def _answer(
        self, values: list[Any], done: int, seconds: float, unstarted: int, end: int
    ) -> Finished:
        start = self._run.start + self._given
        self._given, self._weight = done, 0
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
            packed.frame = b""  # it is the answer's now: a batch may go on for long
        return False, tuple(frames), tuple(failed), tuple(again)

    # Values.

    def _pack(self, value: Any) -> Packed:
        """Return the value of the task that ends now, packed; a large one has left by then."""
        try:
            frame = payload.pack(value)
        except BaseException as error:
            raise self._unsendable(value, error) from error
        size = len(frame) if type(frame) is bytes else payload.size(frame)
        if type(frame) is tuple and not self._safe:  # the next task could change its buffers
            self.bare = self.alone or size >= UNCOPIED
            if not self.bare:
                frame = payload.copied(frame)
        packed = Packed(frame)
        self._weight += size
        if (self._weight >= LEAVES or self.bare) and not self._last:
            self._leave(self, packed)
        return packed

    @property
    def _last(self) -> bool:
        """True where no task follows the one that ends now."""
        return self._run.start + len(self._values) + 1 >= self._stop

    def _packed_late(self, value: Any) -> Packed:
        """Return a value, packed, that nobody can change: a number, a string, or of a function that
        keeps nothing."""
        try:
            return Packed(payload.pack(value))
        except BaseException as error:
            problem = self._unsendable(value, error)
            problem.__cause__ = error
            return self._failed(problem)

    def _unsendable(self, value: Any, error: BaseException) -> errors.TaskError:
        from .failing import unsendable  # late: nothing may fail

        return unsendable(value, self._name, error)

    def _failed(self, error: BaseException, kind: type[Failed] = Failed) -> Failed:
        from . import failing  # late: nothing may fail

        place = len(self._values)
        if self._calls is None:
            self._calls = failing.WrittenCalls(self._run, self._function)
        if type(error) is KeyboardInterrupt and self._run.job >= 0:
            error = failing.for_program(error)
        number = self._run.start + place
        return kind(failing.packed(error, self._name, number, self._calls.words(place)))
