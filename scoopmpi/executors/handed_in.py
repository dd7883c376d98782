"""The calls and maps that an executor was handed and that are not over: counted, for its ends.

There are two: the executor's shutdown, which may cancel instead of waiting, and the end of the
program, for which the executor stands in `unfinished` of the one below while anything is under way.
Methods may be called by any thread, `map_over` and `map_left` by the garbage collector: so there is
no lock.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from ..concurrency.signal_scopes import uninterrupted
from ..tasks.executor import Executor
from ..tasks.future import Future


class OpenMap(Protocol):
    """A map, as an end of the executor deals with it."""

    @property
    def settled(self) -> Callable[[], bool]:
        """Says whether no task of the map is to run, or runs, any more."""

    def finish(self, keep: bool) -> None:
        """Have all tasks run. keep: whether somebody will take the outcomes later."""

    def bound(self) -> None:
        """Read no more from the user's iterators where values were taken: the program ends."""

    def leave(self) -> None:
        """Have the tasks run although nobody takes the values."""

    def cancel(self) -> None:
        """Have what has not run not run."""


class HandedIn:
    """The calls and maps of one executor that are under way.

    below: the executor that runs them, until another one is named.
    """

    takes_values = False

    def __init__(self, below: Executor) -> None:
        self._below = below
        self._calls: set[Future[Any]] = set()
        self._opening: set[threading.Lock] = set()  # each is held while a map is being opened
        self._finishing: deque[int] = deque()  # threads, each of which waits for a map
        self._maps: dict[OpenMap, bool] = {}  # and whether somebody may still read the values
        self._closed: deque[Callable[[], bool]] = deque()  # say whether a map has ceased to run

    # What is handed in.

    def add_call(
        self, call: Future[Any], below: Executor, ended: Callable[[Future[Any]], None]
    ) -> None:
        """Count a call until `call_over`; `below` runs it, `ended` is told when it is over."""
        with uninterrupted:  # what is counted must have something that ends it
            self._calls.add(call)
            self._below = below
            below.unfinished.add(self)
            call.on_end = ended
            if call.done():
                ended(call)

    def opening(self, held: threading.Lock) -> None:
        """Count a map that is being opened, as long as somebody holds a lock; `add_map` from then.

        It is held already. A lock, as C lets go of it: no signal's handler can raise in between.
        """
        for each in self._opening.copy():
            if not each.locked():
                self._opening.discard(each)
        self._opening.add(held)
        self.ceased()

    def add_map(self, open_map: OpenMap, below: Executor) -> None:
        """Count a map until `map_over`; `below` runs its tasks."""
        self._maps[open_map] = True
        self._below = below
        below.unfinished.add(self)

    # What becomes of it.

    def call_over(self, call: Future[Any]) -> None:
        """Cease to count a call: it has ended, or was cancelled."""
        self._calls.discard(call)
        self._leave_if_idle()

    def map_over(self, open_map: OpenMap, running: bool) -> None:
        """Cease to count a map of which nobody takes more.

        running: whether tasks of it may run, for which a shutdown still waits.
        """
        if self._maps.pop(open_map, None) is not None and running:
            self._closed.append(open_map.settled)
        self._leave_if_idle()

    def map_left(self, open_map: OpenMap) -> None:
        """Have a map run of which nobody has taken, or will take, a value."""
        if open_map in self._maps:
            self._maps[open_map] = False
            open_map.leave()

    # The executor's shutdown.

    def cancel(self) -> None:
        """Have what has not begun not run."""
        for call in self._calls.copy():
            call.cancel()
        for open_map in self._maps.copy():
            open_map.cancel()
            self._closed.append(open_map.settled)

    def wait(self) -> None:
        """Return when everything has run; maps keep their values where somebody may read them."""
        own = threading.get_ident()
        while self._maps or self._under_way(own):
            if self._maps:
                try:
                    self._finishing.append(own)  # inside: a signal's handler may raise behind it
                    open_map, keep = self._maps.popitem()
                except KeyError:  # another thread was faster
                    continue
                else:
                    open_map.finish(keep)
                finally:
                    self._finishing.remove(own)
            else:
                self._below.wait_until(lambda: bool(self._maps) or not self._under_way(own))
        self._leave_if_idle()

    def ceased(self) -> bool:
        """Return whether nothing runs any more of maps that have ended early."""
        for closed in self._closed.copy():
            if not closed():
                return False
            with suppress(ValueError):  # another thread was faster
                self._closed.remove(closed)
        return not self._closed

    # The end of the program.

    def finish(self) -> None:
        """Return when everything has run. Nobody takes values any more."""
        for open_map in self._maps.copy():
            open_map.bound()
            self._maps[open_map] = False
        self.wait()

    def let_go(self) -> None:
        """Have the end of the program not wait for what still runs."""
        self._below.unfinished.discard(self)

    def _leave_if_idle(self) -> None:
        """Have the end of the program not wait where nothing is under way."""
        if not (self._maps or self._under_way()):
            self._below.unfinished.discard(self)
            if self._maps or self._under_way():  # another thread was faster
                self._below.unfinished.add(self)

    def _under_way(self, waits: int | None = None) -> bool:
        """Return whether calls run, or maps begin, or another thread than `waits` waits for one."""
        if self._calls or any(each.locked() for each in self._opening.copy()):
            return True
        return any(thread != waits for thread in self._finishing.copy())
