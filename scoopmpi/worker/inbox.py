"""What a worker has been sent: batches in order, their functions, constants.

Here each message finds its handler, in a table by the message's class. What messages are for
others (nested jobs, the output) they say themselves, in the table that the worker gives.
Everything is called with the worker's lock held.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..wire import payload
from ..wire.constants_messages import (
    BroadcastConstants,
    BufferRequest,
    ConstantsSet,
    LentBuffers,
    LentRequest,
)
from ..wire.messages import Forget, Run, Stop
from ..wire.payload import Frame
from ..wire.transport import Transport

if TYPE_CHECKING:
    from ..constants.sharing import Sharing
    from .loans import Loans


class FunctionCache:
    """The functions that this worker has been sent, by their keys (`farm.functions` gives these).

    Kept as code, as it came; unpacked once they are needed.
    """

    def __init__(self) -> None:
        self._codes: dict[int, Frame] = {}
        self._functions: dict[int, Any] = {}

    def learn(self, key: int, code: Frame | None) -> None:
        """Keep a function's code, if the message has brought it and not its key alone."""
        if code is not None:
            self._codes[key] = code

    def function(self, key: int) -> Any:
        """Return the function, None for key 0; raises what unpickling it raises."""
        if key and key not in self._functions:
            self._functions[key] = payload.unpack(self._codes[key])
        return self._functions.get(key)

    def lend(self, key: int, on_loan: Callable[[Frame], Frame]) -> None:
        """Have a function that is not unpacked yet find its lent buffers."""
        if key in self._codes and key not in self._functions:
            self._codes[key] = on_loan(self._codes[key])

    def forget(self, key: int) -> None:
        """Keep a function no longer: its map has ended."""
        self._codes.pop(key, None)
        self._functions.pop(key, None)


class Inbox:
    """The receiving end of one worker.

    handlers: what is to be called with a message, by its class, for those that are not for the
        inbox itself.
    """

    def __init__(
        self, transport: Transport, handlers: Mapping[type, Callable[[Any], None]]
    ) -> None:
        self.functions = FunctionCache()
        self.stopping = False
        """True from when Stop has come."""
        self.constants = 0
        """The number of constants when the latest batch was sent: its tasks find them all."""
        self._transport = transport
        self._sharing: Sharing | None = None
        self._loans: Loans | None = None
        self._answers: dict[int, ConstantsSet] = {}
        self._batches: deque[Run | Forget] = deque()
        self._of_others = handlers
        self._handlers: Mapping[type, Callable[[int, Any], None]] = {
            Run: self._run,
            Forget: lambda _, message: self._batches.append(message),
            BroadcastConstants: lambda sender, message: self.sharing.keep_and_pass_on(
                sender, message
            ),
            BufferRequest: lambda sender, message: self.sharing.send_buffers(sender, message),
            LentBuffers: lambda sender, message: self.sharing.lending.keep_and_pass_on(
                sender, message
            ),
            LentRequest: lambda sender, message: self.sharing.lending.send_buffers(sender, message),
            ConstantsSet: self._constants_set,
            Stop: self._stop,
        }

    def receive(self) -> None:
        """Take in everything that has arrived."""
        while (arrived := self._transport.receive()) is not None:
            sender, message = arrived
            kind = type(message)
            if (handler := self._handlers.get(kind)) is not None:
                handler(sender, message)
            elif (of_others := self._of_others.get(kind)) is not None:
                of_others(message)

    def next_batch(self) -> Run | None:
        """Return the next batch to run; forget functions whose map has ended, on the way.

        It waits for what its tasks have in common, and all behind it with it.
        """
        while self._batches:
            message = self._batches[0]
            if isinstance(message, Run):
                if message.lent and self.loans.wait(message.lent):
                    return None
                return self._batches.popleft()  # type: ignore[return-value]
            self._batches.popleft()
            self.functions.forget(message.function)
            if message.lent:
                self.loans.forget(message)
        return None

    def hand_back(self) -> list[Run]:
        """Take out the batches that wait, so that they are not run here, and return them."""
        waiting, self._batches = self._batches, deque()
        self._batches += (message for message in waiting if isinstance(message, Forget))
        return [message for message in waiting if isinstance(message, Run)]

    def on_loan(self, run: Run) -> Run:
        """Return a batch whose tasks, and whose function, find what they were lent."""
        on_loan = self.loans.opener(run.lent)
        self.functions.lend(run.function, on_loan)
        if run.plain:
            return run
        return run._replace(tasks=tuple(map(on_loan, run.tasks)))

    # Constants.

    @property
    def sharing(self) -> Sharing:
        """This rank's constants; made when there are some.

        With the lock held: two threads that come first would each make its own.
        """
        if self._sharing is None:
            from ..constants.sharing import Sharing  # late: an import is files opened by every rank

            self._sharing = Sharing(self._transport.send)
        return self._sharing

    def has_answer(self, token: int) -> bool:
        """Return True where rank 0 has answered the `SetConstants` of this token."""
        return token in self._answers

    def take_answer(self, token: int) -> ConstantsSet:
        """Take the answer to the `SetConstants` of this token, which must have come."""
        return self._answers.pop(token)

    @property
    def loans(self) -> Loans:
        """What batches have been lent; made when there is some."""
        if self._loans is None:
            from .loans import Loans  # late: few programs lend anything

            self._loans = Loans(self.sharing.lending, self._transport.send)
        return self._loans

    # Handlers.

    def _run(self, _: int, message: Run) -> None:
        self.constants = max(self.constants, message.constants)
        self.functions.learn(message.function, message.code)
        if message.within is not None:  # from here on it is a time
            message = message._replace(within=time.monotonic() + message.within)
        self._batches.append(message)

    def _constants_set(self, _: int, message: ConstantsSet) -> None:
        self._answers[message.token] = message

    def _stop(self, _: int, __: Stop) -> None:
        self.stopping = True
