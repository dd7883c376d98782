"""The farm's loop: one turn takes in what has come, sends what may be sent, and calls back.

What callers have left for it (calls, maps to forget), what workers have sent, what is to be asked
of them: all of it is taken up here, in that order. Every touch of transport and scheduler is in
the farm's lock; what runs the user's code (packing, callbacks) is not. Who takes the turns is said
in `driver`, what a message means in `router`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial

from ..concurrency.signal_lock import SignalLock
from ..concurrency.signal_scopes import calling
from ..constants.sharing import FarmSharing
from ..scheduling.scheduler import Scheduler
from ..wire.errors import FarmError
from ..wire.transport import Garbled, Transport
from .callback_queue import CallbackQueue
from .calls import CallStream
from .dispatch import Dispatch
from .jobs import Jobs
from .offers import Offers
from .put_off import PutOff
from .relay import Relay
from .router import Router
from .unread import UnreadMaps

BURST = 64
"""Messages handled before a waiting caller looks whether it has what it waits for."""


class Loop:
    """The turns of one farm."""

    def __init__(
        self,
        transport: Transport,
        lock: SignalLock,
        scheduler: Scheduler,
        jobs: Jobs,
        calls: CallStream,
        unread: UnreadMaps,
        dispatch: Dispatch,
        router: Router,
        relay: Relay,
        offers: Offers,
        callbacks: CallbackQueue,
        put_off: PutOff,
        sharing: FarmSharing,
    ) -> None:
        self._transport, self._lock, self._scheduler = transport, lock, scheduler
        self._jobs, self._calls, self._unread = jobs, calls, unread
        self._dispatch, self._router = dispatch, router
        self._relay, self._offers, self._callbacks = relay, offers, callbacks
        self._put_off, self._sharing = put_off, sharing
        self._abandoned: deque[int] = deque()
        self._closed = False
        self.calls_come: Callable[[], None] | None = None
        """Is told of calls before the scheduler is, where somebody looks at the time."""
        self.looked = 0.0
        """When messages were last looked for."""

    def abandon(self, number: int) -> None:
        """Have a job forgotten. The garbage collector may call this at any point."""
        self._abandoned.append(number)

    def step(self) -> bool:
        """Take one turn; return False where there was nothing to do."""
        with self._lock:
            progress = self._take_in()
        if self._dispatch.outbox:
            self._dispatch.pack_and_send()
        if self._callbacks:
            if not self._dispatch.stopping:  # then it is shown when all have left
                self._callbacks.show()
            with calling:
                progress |= self._callbacks.hand_over()
        return progress

    def look(self) -> bool:
        """Take in what has come, with the lock held; True where nothing is left for a turn."""
        self._take_in()
        return not self._dispatch.outbox and len(self._callbacks) < BURST

    def submit_calls(self) -> None:
        """Tell the scheduler of all calls that have come since it was told last."""
        if self.calls_come is not None:
            self.calls_come()
        count = self._calls.take_fresh()
        self._jobs.grew(self._calls.number, count)
        self._dispatch.assigned(self._scheduler.submitted(self._calls.number, count))

    def show_arrived(self) -> None:
        """Show what tasks have printed until now: before the traceback of the program, say."""
        with self._lock:
            while self._receive():
                pass
        self._callbacks.show(tell=False)

    @property
    def busy(self) -> bool:
        """True where anything is under way, or to be handed over."""
        if self._closed or self._jobs.error is not None:  # then what is queued stays so
            return not self._closed and bool(self._callbacks)
        waiting = self._calls.fresh, self._callbacks, self._abandoned, self._unread.dropped
        return self._scheduler.busy or any(waiting) or self._sharing.forgetting

    def close(self) -> None:
        """Take in nothing more."""
        self._closed = True

    def _take_in(self) -> bool:
        while self._abandoned:
            self._dispatch.closed(self._abandoned.popleft())
        if self._sharing.retired:
            self._dispatch.forget_lent()
        if self._unread.dropped:
            for deliver in self._unread.taken_in():
                self._callbacks.add(deliver)
        if self._calls.fresh:
            self.submit_calls()
        if self._put_off and not self._dispatch.stopping:
            self._dispatch.assigned(self._put_off.due())
        handled = self._receive()
        if self._offers.spent or self._relay.revoked_jobs:
            self._relay.look()
        self.looked = time.monotonic()
        return handled > 0

    def _receive(self) -> int:
        """Handle some of what has arrived; return how many messages."""
        handled = 0
        shut = self._closed or (self._callbacks.full and not self._dispatch.stopping)
        try:
            while handled < BURST and not shut and (arrived := self._transport.receive()):
                handled += 1
                sender, message = arrived
                self._router.handle(sender, message)
        except Garbled as problem:  # whoever waits for what it was would wait for ever
            self._callbacks.add(partial(self._jobs.fail, FarmError(str(problem))))
            raise
        return handled
