"""Constants as tasks see them: rank 0 sets them for a task, which waits for its answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from ..concurrency.periods import ON_ITS_WAY_SECONDS
from ..constants.store import Constants, packed
from ..wire.constants_messages import SetConstants
from ..wire.errors import FarmError
from .inbox import Inbox
from .outbox import Outbox


class WorkerConstants:
    """The constants of one worker's tasks; one for all threads, as it counts what they ask for.

    inbox: where they and the answers of rank 0 arrive.
    wait_until: runs other tasks until something is so; False after a number of seconds.
    """

    def __init__(
        self,
        lock: AbstractContextManager[Any],
        inbox: Inbox,
        outbox: Outbox,
        wait_until: Callable[..., bool],
    ) -> None:
        self._lock, self._inbox, self._outbox, self._wait_until = lock, inbox, outbox, wait_until
        self._tokens = itertools.count(1)

    @property
    def store(self) -> Constants:
        """The constants of this rank."""
        with self._lock:  # the progress thread may receive the first ones at this moment
            return self._inbox.sharing.store

    def set(self, values: Mapping[str, Any]) -> None:
        """Have rank 0 set these; return when every task submitted from now on finds them.

        Raises TypeError where one of the names exists.
        """
        token, frames = next(self._tokens), packed(values)
        # Waited for, as the task may change its arrays afterwards.
        self._outbox.send(SetConstants(token, frames), flush=True)
        self._wait_until(lambda: self._inbox.has_answer(token))
        answer = self._inbox.take_answer(token)
        if answer.problem:
            raise TypeError(answer.problem)
        self._wait_for_number(answer.number)

    def wait_for(self, name: str, timeout: float | None) -> bool:
        """Wait for a name: for what was set before the task was submitted, then `timeout` seconds.

        Returns False where it has not come.
        """
        self._wait_for_number(self._inbox.constants)
        return self._wait_until(lambda: name in self.store, timeout)

    def _wait_for_number(self, number: int) -> None:
        store = self.store
        if not self._wait_until(lambda: store.count >= number, ON_ITS_WAY_SECONDS):
            raise FarmError(f"the constants set as number {number} have not come within a minute")
