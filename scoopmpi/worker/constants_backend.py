"""What `shared` speaks to in tasks: they have rank 0 set constants, and wait for its answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from ..concurrency.periods import ON_ITS_WAY_SECONDS
from ..constants.store import Constants, packed
from ..wire.errors import FarmError
from ..wire.messages import SetConstants
from .inbox import Inbox
from .nested.port import Port


class WorkerConstants:
    """The constants of one worker's tasks; one for all threads, as it counts what they ask for.

    inbox: where they and the answers of rank 0 arrive.
    wait_until: runs other tasks until something is so; False after a number of seconds.
    """

    def __init__(self, port: Port, inbox: Inbox, wait_until: Callable[..., bool]) -> None:
        self._port, self._inbox, self._wait_until = port, inbox, wait_until
        self._tokens = itertools.count(1)

    @property
    def store(self) -> Constants:
        """The constants of this rank."""
        with self._port.lock:  # the progress thread may receive the first ones at this moment
            return self._inbox.sharing.store

    def set(self, values: Mapping[str, Any]) -> None:
        """Have rank 0 set these."""
        token, frames = next(self._tokens), packed(values)
        with self._port.lock:
            self._port.send(SetConstants(token, frames))
            self._port.flush()  # the task may change its arrays afterwards
        self._wait_until(lambda: token in self._inbox.agreed)
        answer = self._inbox.agreed.pop(token)
        if answer.problem:
            raise TypeError(answer.problem)
        self._wait_for_number(answer.number)

    def wait_for(self, name: str, timeout: float | None) -> bool:
        """Wait for what has been set before the task was submitted, and `timeout` seconds more."""
        self._wait_for_number(self._inbox.constants)
        return self._wait_until(lambda: name in self.store, timeout)

    def _wait_for_number(self, number: int) -> None:
        store = self.store
        if not self._wait_until(lambda: store.count >= number, ON_ITS_WAY_SECONDS):
            raise FarmError(f"the constants set as number {number} have not come within a minute")
