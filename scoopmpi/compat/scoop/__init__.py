"""The name `scoop`, for programs written for SCOOP: `from scoop import futures`."""

from __future__ import annotations

import logging
from typing import Any

from scoopmpi import runtime

from . import futures as futures

logger = logging.getLogger("scoop")


def __getattr__(name: str) -> Any:
    if name == "IS_RUNNING":
        return runtime.started
    if name == "IS_ORIGIN":
        return runtime.rank == 0
    if name == "SIZE":
        return max(1, runtime.size - 1)
    raise AttributeError(f"module 'scoop' has no attribute {name!r}")
