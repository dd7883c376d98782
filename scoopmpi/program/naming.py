"""What a program's functions are called on a worker: as on rank 0, members of `__main__`.

Python takes the module of a function from the `__name__` that it finds around it, which on workers
is another, for the guard. But by `__main__` the pools know that they have to bring the program with
them: multiprocessing imports it anew, joblib and dill send functions whole. Pure.
"""

from __future__ import annotations

import contextlib
import types
from typing import Any

MAIN = "__main__"


def as_main(module: types.ModuleType, name: str) -> None:
    """Have what a module defines say that it is from `__main__`, where it says `name` now."""
    waiting = list(vars(module).values())
    while waiting:
        value = waiting.pop()
        with contextlib.suppress(Exception):  # whatever a program may have made there
            if isinstance(value, staticmethod | classmethod):
                waiting.append(value.__func__)
            if _said(value) == name:
                value.__module__ = MAIN
                waiting += vars(value).values() if isinstance(value, type) else ()


def _said(value: Any) -> object:
    """The module that it names itself; an instance has the one of its class, which is no answer."""
    if isinstance(value, types.FunctionType):
        return value.__module__
    return vars(value).get("__module__")
