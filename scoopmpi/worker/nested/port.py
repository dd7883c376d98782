"""How nested jobs reach their worker, and how a worker's parts see a nested job: Protocols only.

Nothing is imported from here but for annotations, so no worker loads this file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any, Protocol

from ...wire.messages import Message, Offered, Returned

if TYPE_CHECKING:
    from ...tasks.constants_backend import ConstantsBackend
    from ...tasks.pedigree import Strand


class Port(Protocol):
    """A worker, as far as the jobs of its tasks need it: the way to the farm, and to wait."""

    @property
    def strand(self) -> Strand | None:
        """The strand of the batch that runs now, None where none does."""

    def send(self, message: Message) -> None:
        """Send to the farm."""

    def receive(self) -> None:
        """Take in everything that has arrived."""

    def task_ended(self) -> None:
        """Have what the caller's task has printed on its way: it has ended."""

    def suspend(self) -> Any:
        """Suspend what runs, which will wait; return it for `resume`."""

    def resume(self, batch: Any, seconds: float) -> None:
        """Go on with what was suspended so many seconds ago."""

    def nudge(self) -> None:
        """Have the progress thread look soon: there is something that others could run."""

    def constants(self) -> ConstantsBackend:
        """Return what `shared` speaks to in tasks."""


class Taken(Protocol):
    """Unstarted tasks that were taken out of a job, for others to run."""

    @property
    def rows(self) -> list[Any]:
        """The tasks, as the job keeps them."""


class NestedJob(Protocol):
    """A map or a stream of calls that a task has made.

    Its unstarted tasks stand in `rows`: the worker's own thread takes them from the front.
    """

    number: int
    """The worker's own number for it."""
    scope: int
    """The task that has made it."""
    group: int | None
    """The group that this one belongs to."""
    unanswered: int
    """Tasks that others have: taken, and not returned."""
    unread: bool
    """True where nobody takes the values, but the tasks shall run."""
    front: int
    """How many of its tasks have begun here, with those that others have had before them."""
    any_thread: bool
    """True where another thread may run its tasks, where the worker's own is blocked."""

    @property
    def rows(self) -> deque[Any]:
        """The unstarted tasks."""

    @property
    def portable(self) -> bool:
        """True where its tasks can run elsewhere."""

    def run(self, until: float, strand: Strand, /) -> None:
        """Run tasks from the front, one at least, until there are none or the time `until`.

        strand: is to say who runs.
        """

    def give_up(self, groups: Container[int | None], /) -> None:
        """Have no task of some groups begin, as far as that needs to be done."""

    def take(self, most: int) -> Any:
        """Take at most so many unstarted tasks from the end, for others; return a `Taken`."""

    def offer(self, taken: Any) -> Offered:
        """Pack what `take` gave; runs the user's pickling."""

    def returned(self, message: Returned) -> Callable[[], None] | None:
        """Take in outcomes; return what is to run in a fiber for them, as it is the user's code."""


class Tasks(Protocol):
    """Runs nested tasks here, as far as whoever wants their values needs it."""

    @property
    def shallow(self) -> bool:
        """True where one more task may run on top of this stack."""

    def opened(self, job: NestedJob) -> None:
        """Take note of a job with unstarted tasks, the first ones or more."""

    def advance(self, job: NestedJob) -> None:
        """Run some unstarted tasks of a job here and now."""

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Run tasks, or let others run, until `done()`; return False after `timeout` seconds."""
