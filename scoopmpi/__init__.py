"""scoopmpi: SCOOP's programming model on MPI.

    from scoopmpi import futures
    squares = list(futures.map(square, range(10000)))

and `myscoop squares` in the job script. Names are loaded when they are used, because every import
is a file opened by every rank.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "futures": "scoopmpi.futures",
    "Future": "scoopmpi.executor",
    "FarmError": "scoopmpi.failure",
    "TaskError": "scoopmpi.failure",
    "RemoteTraceback": "scoopmpi.failure",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name == "futures":
        return importlib.import_module(_HOMES[name])
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'scoopmpi' has no attribute {name!r}")
