"""What the batches of a worker have been lent: waited for before they begin, given to their tasks.

Loaded where something is lent. What that is, and how it comes here, is said in `constants.lending`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..concurrency.periods import ON_ITS_WAY_SECONDS
from ..constants.lending import Lending
from ..wire import lent
from ..wire.constants_messages import Forgot
from ..wire.messages import Forget
from ..wire.payload import Frame

ASK = 0.2
"""Seconds after which rank 0 is asked for what another rank should have sent on: that may be in the
middle of a task which lets no other thread of its process run. And then as often: rank 0 does not
answer while it may still come, as only there the size is known."""


class Loans:
    """The loans of one worker. send: takes a rank and a message for it."""

    def __init__(self, lending: Lending, send: Callable[[int, Any], None]) -> None:
        self._lending, self._send = lending, send
        self._since: float | None = None  # when the next batch was first asked for
        self._asked = 0.0  # when rank 0 was, or else would have been
        self._for: Sequence[int] = ()

    def wait(self, numbers: Sequence[int]) -> bool:
        """True where the next batch has to wait for what it was lent; with the lock held."""
        missing = self._lending.want(numbers)
        if not missing:
            self._since = None
            return False
        now = time.monotonic()
        if self._since is None or self._for != numbers:
            self._since, self._asked, self._for = now, now, numbers
        if now - self._asked > ASK:
            self._asked = now
            for number in missing:
                self._lending.ask(0, True, number)
        return now - self._since < ON_ITS_WAY_SECONDS  # then each task says what has not come

    def opener(self, numbers: Sequence[int]) -> Callable[[Frame], Frame]:
        """Return what makes frames find these numbers, which stay here meanwhile."""
        return partial(lent.on_loan, lender=self._lending.loan(numbers).opened)

    def forget(self, message: Forget) -> None:
        """Let go of what no task refers to any more, and say so; with the lock held."""
        self._lending.forget(message.lent, message.oldest)
        self._send(0, Forgot(message.lent))
