"""The name `scoop`, for programs written for SCOOP: `from scoop import futures`.

Each module here has the name of one of SCOOP's and hands over to scoopmpi.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from scoopmpi.process import identity
from scoopmpi.program import scoop_names

__version__ = "0.7"
"""The version of SCOOP whose interface this is; scoopmpi has its own."""
__revision__ = "2.0"
__author__ = "scoopmpi"
TIME_BETWEEN_PARTIALDEBUG = 30
TIME_BETWEEN_STATUS_REPORTS = 25
TIME_BETWEEN_STATUS_PRUNING = 60
_MODULES = ("_types", "fallbacks", "futures", "shared", "utils")


def __getattr__(name: str) -> Any:
    if name in scoop_names.NAMES:
        return scoop_names.value(name)
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'scoop' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *scoop_names.NAMES})


if identity.this.rank == 0 and sys.argv[:1] != ["-m"]:  # -m: rank 0 of what is started will say it
    from scoopmpi.program.scoop_guard import warn_of_original

    warn_of_original()
