"""What a worker has been sent: batches in order, and what other messages have told it.

Everything here is called with the worker's lock held, except what says otherwise.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..wire.messages import (
    BroadcastConstants,
    BufferRequest,
    Ceased,
    ConstantsSet,
    Finish,
    Forget,
    Reconfigured,
    Returned,
    Run,
    StealRequest,
    Stop,
)
from ..wire.transport import Transport
from .function_cache import FunctionCache
from .nested.executor import NestedExecutor

if TYPE_CHECKING:
    from ..constants.sharing import Sharing


class Inbox:
    """The receiving end of one worker."""

    def __init__(self, transport: Transport, nested: NestedExecutor) -> None:
        self.known = FunctionCache()
        self.stopping = False
        self.constants = 0
        """How many there had been when the latest batch was sent: its tasks find them all."""
        self.agreed: dict[int, ConstantsSet] = {}
        self.reconfigured: Callable[[int, dict[str, Any]], None] = lambda stream, settings: None
        """Told how text that tasks print is to be encoded."""
        self._transport = transport
        self._nested = nested
        self._sharing: Sharing | None = None
        self._batches: deque[Run | Forget] = deque()

    @property
    def sharing(self) -> Sharing:
        """This rank's constants; made when there are some.

        With the lock held: two threads that come first would each make its own.
        """
        if self._sharing is None:
            from ..constants.sharing import Sharing  # late: an import is files opened by every rank

            self._sharing = Sharing(self._transport.send)
        return self._sharing

    def receive(self) -> None:
        """Take in everything that has arrived."""
        while (arrived := self._transport.receive()) is not None:
            sender, message = arrived
            if isinstance(message, Run):
                self.constants = max(self.constants, message.constants)
                self.known.learn(message.function, message.code)
                self._batches.append(message)
            elif isinstance(message, Forget):
                self._batches.append(message)
            elif isinstance(message, Returned):
                self._nested.returned(message)
            elif isinstance(message, StealRequest):
                self._nested.idle_workers = message.workers
            elif isinstance(message, BroadcastConstants):
                self.sharing.keep_and_pass_on(sender, message)
            elif isinstance(message, BufferRequest):
                self.sharing.send_buffers(sender, message)
            elif isinstance(message, ConstantsSet):
                self.agreed[message.token] = message
            elif isinstance(message, Ceased):
                self._nested.ceased(message.job)
            elif isinstance(message, Finish):
                self._nested.rest.asked(message)
            elif isinstance(message, Reconfigured):
                self.reconfigured(message.stream, message.settings)
            elif isinstance(message, Stop):
                self.stopping = True

    def next_batch(self) -> Run | None:
        """The next batch to run; functions whose map has ended are forgotten on the way."""
        while self._batches:
            message = self._batches.popleft()
            if isinstance(message, Run):
                return message
            self.known.forget(message.function)
        return None

    def handed_back(self) -> list[tuple[int, int, int]]:
        """Job, first task and end of the batches that wait, which are taken out."""
        waiting, self._batches = self._batches, deque()
        self._batches += (message for message in waiting if isinstance(message, Forget))
        runs = (message for message in waiting if isinstance(message, Run))
        return [(run.job, run.start, run.stop) for run in runs]
