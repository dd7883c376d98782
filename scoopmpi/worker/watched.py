"""A batch whose tasks are watched one by one: when each began, how long it took, what it raised.

Only where the user has asked for a log of tasks or for files of what they print; else `running` is
all there is, and no task costs a line more. Who keeps what a task prints is `task_files`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..tasks import stretch
from ..tasks.stretch import Timed
from ..tasks.wrapped import passes_on
from ..wire.messages import CANCELLED, Finished, Run
from ..wire.payload import Frame
from .answers import Failed, Leave, Packed
from .running import Running

if TYPE_CHECKING:
    from .batches import Batches
    from .task_files import TaskFiles


class Watch(NamedTuple):
    """Says what the user wants to know of tasks.

    logged: how they went is told with their outcomes. files: take what they print.
    task_ended: writes the last line of a task that has not ended it, while the file is still its.
    """

    logged: bool
    files: TaskFiles | None
    task_ended: Callable[[], None]


def watch(batches: Batches, what: Watch) -> None:
    """Have each task of a worker's batches be looked at."""
    batches.open = partial(WatchedBatch, watch=what)


class WatchedBatch(Running):
    """A batch on a worker, while its tasks run, each between two looks at the clock.

    watch: what is asked for.
    """

    def __init__(
        self,
        run: Run,
        function: Callable[..., Any] | None,
        label: Callable[[str], None],
        owner: Hashable,
        leave: Leave,
        watch: Watch,
    ) -> None:
        def leaves(batch: WatchedBatch, value: Packed) -> None:
            batch._note()  # what is known of the task goes along
            leave(batch, value)

        self._watch = watch
        self._began = 0.0, 0.0  # when the running task has, and what was `away` then
        self._epoch = time.time() - time.monotonic()
        self._tasks: list[Timed] = []
        self._odd: dict[int, tuple[str, str]] = {}  # places of tasks, their outcomes and errors
        self._files = None if watch.files is None else watch.files.of_batch(run)
        super().__init__(run, function, label, owner, leaves)

    @property
    def title(self) -> str:
        """The function and the index of the running task, for a label of its lines."""
        return f"{self._name} {self._run.start + len(self._tasks)}"

    def run(self) -> None:
        """Run the tasks until they end or are cut."""
        if self._files is None:
            super().run()
            return
        self._files.enter()
        try:
            super().run()
        finally:
            self._files.leave()

    def suspend(self) -> Finished | None:
        """Answer for what has ended, by the running task itself, which will wait."""
        answer = super().suspend()
        if self._files is not None:
            self._files.pause()
        return answer

    def resume(self, seconds: float) -> None:
        """Go on after so many seconds."""
        if self._files is not None:
            self._files.enter()
        super().resume(seconds)

    def _target(self) -> Callable[..., Any]:
        target, tasks = super()._target(), self._tasks

        @passes_on
        def watched(*row: Any) -> Any:
            noted = len(tasks)
            self._began = time.monotonic(), self.away
            try:
                return target(*row)
            finally:
                if len(tasks) == noted:  # else its value has left already
                    self._note()

        return watched

    def _note(self) -> None:
        """Note that the running task has ended."""
        began, away = self._began
        seconds = time.monotonic() - began - (self.away - away)
        self._tasks.append(Timed(began, seconds, self._name))
        if self._files is not None:
            self._watch.task_ended()
            self._files.ended(self._run.start + len(self._tasks) - 1, self._name)

    @passes_on
    def _call_submitted(self, call: Frame | list[Any]) -> Any:
        if call == CANCELLED:
            self._odd[len(self._tasks)] = stretch.CANCELLED, ""
        return super()._call_submitted(call)

    def _failed(self, error: BaseException, kind: type[Failed] = Failed) -> Failed:
        place = len(self._values)
        if place < len(self._tasks):  # else it is about an earlier one, whose value is packed late
            self._odd[place] = stretch.outcome_of(error), stretch.shortened(error)
        return super()._failed(error, kind)

    def _answer(
        self, values: list[Any], done: int, seconds: float, unstarted: int, end: int
    ) -> Finished:
        given = self._given
        answer = super()._answer(values, done, seconds, unstarted, end)
        if not self._watch.logged:
            return answer
        tasks = self._tasks[given : given + len(values)]
        odd = {place - given: said for place, said in self._odd.copy().items()}
        for place in answer.failed:
            odd.setdefault(place, (stretch.FAILED, "its result cannot be pickled"))
        return answer._replace(log=tuple(stretch.lines(tasks, odd, self.attempt, self._epoch)))
