"""`scoop.futures`: the functions of `scoopmpi.futures`, and what programs have looked at beside."""

from __future__ import annotations

from typing import Any

import scoopmpi.futures
from scoopmpi import runtime
from scoopmpi.futures import *  # noqa: F403 (the same names, whatever they are)
from scoopmpi.futures import __all__ as __all__

from .fallbacks import NotStartedProperly as NotStartedProperly


class Controller:
    """Stands for SCOOP's controlling greenlet; programs ask only whether there is one."""

    dead = False

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<scoopmpi's farm, seen from rank {runtime.rank}>"


_the_controller = Controller()


def __getattr__(name: str) -> Any:
    if name == "_controller":
        return _the_controller if runtime.started else None
    return getattr(scoopmpi.futures, name)
