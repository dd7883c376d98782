"""`scoop.shared`: the functions and names of `scoopmpi.shared`."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    # A name at a time: `elements` may be another object later.
    return getattr(importlib.import_module("scoopmpi.shared"), name)


def __dir__() -> list[str]:
    return dir(importlib.import_module("scoopmpi.shared"))
