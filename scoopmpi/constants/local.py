"""The constants of a process that belongs to no farm: a program without a launcher, a test."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from .store import Constants, packed


class LocalConstants:
    """The constants backend of a process without workers."""

    def __init__(self) -> None:
        self.store = Constants(share=False)

    def set(self, values: Mapping[str, Any]) -> None:
        """Add these here; packed all the same, so that a program behaves as it will on ranks."""
        self.store.add(packed(values))

    def wait_for(self, name: str, timeout: float | None) -> bool:
        """Wait for other threads, where there are any; without them nobody can set the name.

        timeout: seconds, None waits for ever.
        """
        return self.store.wait_for(name, 0 if threading.active_count() == 1 else timeout)


of_this_process = LocalConstants()
"""For as long as the process lives: `shared` has functions only, as SCOOP's has."""
