"""scoopmpi: SCOOP's programming model on MPI.

    from scoopmpi import futures
    squares = list(futures.map(square, range(10000)))

and `myscoop squares` in the job script. Names are loaded when they are used, because every import
is a file opened by every rank.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.2.0"

_MODULES = ("futures", "shared", "task")
_HOMES = {
    "Future": "tasks.future",
    "FarmError": "wire.errors",
    "TaskError": "wire.errors",
    "TaskTimeout": "wire.errors",
    "WorkerLost": "wire.errors",
    "RemoteTraceback": "wire.errors",
    "MPICommExecutor": "executors.comm_executor",
    "MPIExecutor": "executors.mpi_executor",
    "Pool": "executors.pool",
    "seed": "task",
}
_OF_THE_PROCESS = ("IS_ORIGIN", "IS_RUNNING", "SIZE", "logger")  # scoop.worker is a module here
__all__ = sorted([*_MODULES, *_HOMES, *_OF_THE_PROCESS])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"scoopmpi.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"scoopmpi.{_HOMES[name]}"), name)
    if name in _OF_THE_PROCESS:
        return importlib.import_module("scoopmpi.program.scoop_names").value(name)
    raise AttributeError(f"module 'scoopmpi' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
