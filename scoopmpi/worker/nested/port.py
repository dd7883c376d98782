"""What a nest needs of its worker, which joins it with the transport and the stand-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ...wire.messages import Message

if TYPE_CHECKING:
    from ..inbox import Inbox
    from .executor import Nest


class Desk(Protocol):
    """What a nest needs of its worker."""

    lock: Any
    workers: int
    inbox: Inbox
    nest: Nest

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
        """The stand-in shall look soon: there is something to offer."""
