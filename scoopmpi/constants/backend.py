"""The door between `shared` and what shares constants: on rank 0, on a worker, or in one process.

A Protocol only; farm, worker and `local` have the classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .store import Constants


class ConstantsBackend(Protocol):
    """This rank's constants, and the way by which all ranks come to have the same."""

    @property
    def store(self) -> Constants:
        """The constants of this rank."""

    def set(self, values: Mapping[str, Any]) -> None:
        """Have all ranks add these; return when every task submitted from now on sees them.

        values: any objects by name.
        Raises pickle.PicklingError naming one that cannot be packed, and TypeError naming a
        constant that exists; then nothing is set.
        """

    def wait_for(self, name: str, timeout: float | None) -> bool:
        """Wait until the store has the name; False where it has not come in time.

        timeout: seconds, None waits for ever. What was set before this task was submitted comes
            for sure, so that is waited for whatever the timeout.
        """
