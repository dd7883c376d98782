"""What nested jobs need of their worker: the way to the farm, and to be set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ...wire.messages import Message

if TYPE_CHECKING:
    from ...tasks.constants_backend import ConstantsBackend


class Port(Protocol):
    """What the executor of a worker's tasks needs of the worker."""

    lock: Any
    workers: int

    @property
    def constants_backend(self) -> ConstantsBackend:
        """What `shared` speaks to in tasks."""

    def receive(self) -> None:
        """Take in everything that has arrived; with the lock held."""

    def send(self, message: Message) -> None:
        """Send to the farm; with the lock held."""

    def flush(self) -> None:
        """Wait until what was sent has left this rank's memory; with the lock held."""

    def task_ended(self) -> None:
        """What runs now has ended: what it has printed is to be on its way."""

    def suspending(self) -> Any:
        """What runs now will wait; returns it."""

    def resumed(self, running: Any, seconds: float) -> None:
        """It goes on after so many seconds."""

    def nudge(self) -> None:
        """The progress thread shall look soon: there is something to offer."""
