"""What `shared` does on rank 0: constants that the program sets, or waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..constants.store import packed
from .farm import Farm


class FarmConstants:
    """The constants of the program on one farm."""

    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self.store = farm.sharing.store

    def set(self, values: Mapping[str, Any]) -> None:
        """Have all ranks add these."""
        self._farm.wait_for_first_worker()
        frames = packed(values)
        self._farm.sharing.program_sets(frames)
        self._farm.share(frames)

    def wait_for(self, name: str, timeout: float | None) -> bool:
        """Wait until a task sets the name; False after `timeout` seconds."""
        return self._farm.wait_until(lambda: name in self.store, timeout)
