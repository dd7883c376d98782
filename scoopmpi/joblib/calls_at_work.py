"""The calls of one `Parallel` that are under way: sent, and told to joblib when they have ended.

joblib hears of an end in the thread that waits for its values, if one does. So its locks, and the
user's generator that it goes on reading then, never run inside the farm's loop, and no two of its
callbacks inside each other. While nobody waits the thread that brings an outcome tells of it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from ..tasks.executor import Executor
from ..tasks.future import Future

Told: TypeAlias = Callable[[Any], None]
"""joblib's own callback: it takes the value, and submits the next batch."""


class CallsAtWork:
    """Batches of one `Parallel`.

    executor: runs them. most: how many may run at a time; None where the farm's workers are fewer.
    """

    def __init__(self, executor: Executor, most: int | None) -> None:
        self._executor, self._most = executor, most
        self._queued: deque[tuple[Callable[[], Future[Any]], Told | None]] = deque()
        self._under_way: set[Future[Any]] = set()
        self._ended: deque[tuple[Told, Future[Any]]] = deque()
        self._telling = threading.Lock()
        self._waiting = 0

    def add(self, start: Callable[[], Future[Any]], told: Told | None) -> Future[Any] | None:
        """Have a batch run, now or when fewer run than may; return its future if it is now."""
        if self._most is not None and len(self._under_way) >= self._most:
            self._queued.append((start, told))
            return None
        return self._start(start, told)

    def _start(self, start: Callable[[], Future[Any]], told: Told | None) -> Future[Any]:
        future = start()
        self._under_way.add(future)
        future.add_done_callback(lambda future: self._over(future, told))
        return future

    def _over(self, future: Future[Any], told: Told | None) -> None:
        self._under_way.discard(future)
        if self._queued and not future.cancelled():
            self._start(*self._queued.popleft())
        if told is not None and not future.cancelled():
            self._ended.append((told, future))
            if not self._waiting and self._executor.any_thread_waits:
                self.tell()

    def tell(self) -> None:
        """Tell joblib of all that has ended, unless another thread does."""
        while self._ended and self._telling.acquire(blocking=False):
            try:
                while self._ended:
                    told, future = self._ended.popleft()
                    told(future)
            finally:
                self._telling.release()

    def wait_until(self, done: Callable[[], bool], timeout: float | None = None) -> None:
        """Have calls run, and tell of their ends, until `done()` or for so many seconds.

        It returns after each end, so that `timeout` counts from there.
        """
        self._waiting += 1
        try:
            self.tell()
            if not done():
                self._executor.wait_until(lambda: bool(self._ended), timeout)
                self.tell()
        finally:
            self._waiting -= 1
        self.tell()

    def give_up(self) -> None:
        """Have nothing more run of what nobody waits for now."""
        self._queued.clear()
        for future in list(self._under_way):
            future.cancel()
        self._under_way.clear()
        self._ended.clear()
