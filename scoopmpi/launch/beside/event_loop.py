"""Wait for descriptors and for the clock, in one thread. What is done then is not known here."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

Act: TypeAlias = Callable[[], None]


class HasDescriptor(Protocol):
    """Something that can be waited for."""

    def fileno(self) -> int:
        """Return the descriptor."""


class EventLoop:
    """Calls what was registered for a descriptor when it can be read, or after some time."""

    def __init__(self) -> None:
        self._from = selectors.DefaultSelector()
        self._timers: list[tuple[float, Act]] = []

    def register(self, source: int | HasDescriptor, act: Act) -> None:
        """Have a function called whenever a source can be read."""
        self._from.register(source, selectors.EVENT_READ, act)

    def unregister(self, source: int | HasDescriptor) -> None:
        """Wait for a source no more."""
        self._from.unregister(source)

    def after(self, seconds: float, act: Act) -> None:
        """Have a function called once, so many seconds from now."""
        self._timers.append((time.monotonic() + seconds, act))

    def turn(self, at_once: bool) -> Sequence[Act]:
        """Wait until something happens, and call what belongs to it.

        at_once: do not wait. Returns what was called for descriptors, not for the clock.
        """
        ready = self._from.select(0 if at_once else self._seconds_to_next())
        acts: list[Act] = [key.data for key, _ in ready]
        for act in acts:
            act()
        self._look_at_the_clock()
        return acts

    def _seconds_to_next(self) -> float | None:
        if not self._timers:
            return None
        return max(0.0, min(when for when, _ in self._timers) - time.monotonic())

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        due = [act for when, act in self._timers if when <= now]
        self._timers = [timer for timer in self._timers if timer[0] > now]
        for act in due:
            act()

    def close(self) -> None:
        """Wait for nothing any more."""
        self._from.close()
