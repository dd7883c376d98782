"""The calls of one `Parallel` that are under way: sent, told to joblib when they end, given up.

joblib hears of an end in the thread that waits for its values, if one does. So its locks, and the
user's generator that it goes on reading then, never run inside the farm's loop, and no two of its
callbacks inside each other. While nobody waits the thread that brings an outcome tells of it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

from ..tasks.executor import Executor
from ..tasks.future import Future
from ..tasks.groups import groups

Told: TypeAlias = Callable[[Any], None]
"""joblib's own callback: it takes the future, and submits the next batch."""
Start: TypeAlias = Callable[[], Future[Any]]
"""Has a batch run by the executor."""


class CallsAtWork:
    """Batches of one `Parallel`.

    executor: runs them. most: how many may run at a time; None where the farm's workers are fewer.
    """

    def __init__(self, executor: Executor, most: int | None) -> None:
        self._executor, self._most = executor, most
        # What a task makes belongs to the group of its own, whose numbers rank 0 gives.
        self._group = groups.new() if executor.any_thread_waits else None
        self._queued: deque[tuple[Start, Told | None]] = deque()
        self._under_way: set[Future[Any]] = set()
        self._ended: deque[tuple[Told, Future[Any]]] = deque()
        self._counting = threading.RLock()  # batches end in any thread, and where they start
        self._telling = threading.Lock()
        self._waiting = 0
        self._over_with = False  # once a call has raised joblib wants no other
        self._given_up = False

    # Out.

    def add(self, start: Start, told: Told | None) -> None:
        """Have a batch run: now, or when fewer run than may."""
        with self._counting:
            if self._given_up:
                return
            if self._most is not None and len(self._under_way) >= self._most:
                self._queued.append((start, told))
            else:
                self._start(start, told)

    def _start(self, start: Start, told: Told | None) -> None:
        with self._inside():
            future = start()
        self._under_way.add(future)
        future.add_done_callback(lambda future: self._over(future, told))

    def _inside(self) -> AbstractContextManager[None]:
        return nullcontext() if self._group is None else groups.inside(self._group)

    def give_up(self) -> None:
        """Have nothing more of it run: nobody waits for it now."""
        with self._counting:  # another thread may be about to start one
            self._given_up = True
            self._queued.clear()
            self._ended.clear()
        for future in list(self._under_way):
            future.cancel()
        if self._group is not None:  # also where an interrupt came before a future was noted
            self._executor.give_up(self._group)

    # Back.

    def _over(self, future: Future[Any], told: Told | None) -> None:
        with self._counting:
            self._under_way.discard(future)
            if self._given_up:
                return
            if future.cancelled() or future.exception() is not None:
                self._over_with = True
            if self._executor.any_thread_waits:
                self._start_next()
        if told is not None:
            self._ended.append((told, future))
            if not self._waiting and self._executor.any_thread_waits:
                self.tell()

    def _start_next(self) -> None:
        with self._counting:
            while self._queued and len(self._under_way) < (self._most or 0):
                if self._over_with:
                    return
                self._start(*self._queued.popleft())

    def tell(self) -> None:
        """Tell joblib of all that has ended, unless another thread does.

        In a task it is the task that starts the next ones: they are its own, and in its group.
        """
        self._start_next()
        while self._ended and self._telling.acquire(blocking=False):
            try:
                while self._ended:
                    told, future = self._ended.popleft()
                    told(future)
            finally:
                self._telling.release()

    def wait(self, timeout: float | None = None) -> None:
        """Have calls run until one ends, and tell of it; or for so many seconds."""
        self._waiting += 1
        try:
            self._executor.wait_until(lambda: bool(self._ended), timeout)
            self.tell()
        finally:
            self._waiting -= 1
        self.tell()
