"""The door through which the farm tells its readers what happens: one line of code for each event.

Readers come and go while it runs. One that raises is left out, and the user told once: no fault of
watching stops a run. What the events are is said in `observer`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from types import FunctionType
from typing import Any

from .observer import Observer

logger = logging.getLogger("scoopmpi")

Telling = tuple[Observer, Callable[..., None]]
EVENTS = tuple(name for name, what in vars(Observer).items() if isinstance(what, FunctionType))
"""The names of all events."""


class Door(Observer):
    """Tells all readers, in the order in which they came.

    open: True where somebody reads: to be asked before an event is told.
    """

    def __init__(self, readers: Sequence[Observer] = ()) -> None:
        self.open = False
        self._readers: tuple[Observer, ...] = ()
        self._let_in(readers)

    @property
    def readers(self) -> tuple[Observer, ...]:
        """Return who reads now."""
        return self._readers

    def add(self, reader: Observer) -> None:
        """Have a reader hear of everything from now on; with the farm's lock held."""
        self._let_in((*self._readers, reader))

    def remove(self, reader: Observer) -> None:
        """Have a reader hear of nothing more; with the farm's lock held."""
        self._let_in([each for each in self._readers if each is not reader])

    def close(self, status: int) -> None:
        """Have all readers hear that all is over, and go; with the farm's lock held."""
        self.farm_closed(status)
        self._let_in(())

    def _let_in(self, readers: Sequence[Observer]) -> None:
        self._readers = tuple(readers)
        for event in EVENTS:
            heard = [(each, getattr(each, event)) for each in readers if _hears(each, event)]
            setattr(self, event, partial(self._tell, event, heard) if heard else _nobody)
        self.asks_workers = any(reader.asks_workers for reader in readers)
        self.open = bool(readers)

    def _tell(self, event: str, heard: Sequence[Telling], *facts: Any) -> None:
        for reader, tell in heard:
            try:
                tell(*facts)
            except Exception as problem:
                self._leave_out(reader, event, problem)

    def _leave_out(self, reader: Observer, event: str, problem: Exception) -> None:
        if reader in self._readers:
            self.remove(reader)
            logger.warning(
                "watching: %s has failed at %s and is left out, the run goes on: %s: %s",
                type(reader).__name__, event, type(problem).__name__, problem,
            )  # fmt: skip


def _hears(reader: Observer, event: str) -> bool:
    return getattr(type(reader), event) is not getattr(Observer, event)


def _nobody(*_: Any) -> None:
    """Nobody hears of this event."""
