"""`scoop.futures`: the functions of `scoopmpi.futures`."""

from __future__ import annotations

from scoopmpi.futures import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    Future,
    as_completed,
    map,
    map_as_completed,
    shutdown,
    submit,
    wait,
)

__all__ = [
    "ALL_COMPLETED",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "Future",
    "as_completed",
    "map",
    "map_as_completed",
    "shutdown",
    "submit",
    "wait",
]
