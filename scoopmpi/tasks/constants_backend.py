"""The door from `shared` to the constants of a rank, which executors give.

Who keeps them, and how they reach other ranks, is the business of `constants`, farm and worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class KnownConstants(Protocol):
    """The constants that a rank knows, by name."""

    @property
    def names(self) -> list[str]:
        """The names of all constants, in the order in which they came."""

    def get(self, name: str) -> Any:
        """Return the value of a name; it is unpacked once, at the first call.

        Raises KeyError where there is no such constant, and pickle.UnpicklingError naming it where
        it cannot be unpacked.
        """

    def __contains__(self, name: object) -> bool:
        """Return whether there is a constant of this name, without unpacking it."""


class ConstantsBackend(Protocol):
    """This rank's constants, and how all ranks come to have the same. `shared` speaks to it."""

    @property
    def store(self) -> KnownConstants:
        """This rank's constants."""

    def set(self, values: Mapping[str, Any]) -> None:
        """Have all ranks add these; returns when every task submitted from now on sees them.

        Raises pickle.PicklingError and TypeError, both naming the constant: of a value that cannot
        be packed, of a name that exists. Then nothing is set.
        """

    def wait_for(self, name: str, timeout: float | None) -> bool:
        """Wait until this rank has the name; return False after `timeout` seconds.

        timeout: None waits for ever. What was set before this task was submitted is waited for
            whatever the timeout, as it comes for sure.
        """
