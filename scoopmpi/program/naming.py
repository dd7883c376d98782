"""The names of a program's functions and classes on rank 0 and on workers.

Python takes the module of a function from the `__name__` that it finds around it, which on workers
is another, for the guard. There they are made members of `__main__`, as on rank 0: by that name
the pools know that they have to bring the program with them: multiprocessing imports it anew,
joblib and dill send functions whole. What workers have under no such name travels by value.
"""

from __future__ import annotations

import contextlib
import sys
import types
from types import FunctionType
from typing import Any

MAIN = "__main__"
WORKER_NAME = "SCOOP_WORKER"
"""The name of the program while a worker imports it."""
_NONE: frozenset[str] = frozenset()


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
    """Return the module that it names itself; an instance names its class's, which is no answer."""
    if isinstance(value, FunctionType):
        return value.__module__
    return vars(value).get("__module__")


class Names:
    """Remembers the names that a program defines, until they change: they are asked for often."""

    def __init__(self) -> None:
        # Each is replaced as one, as other threads may ask meanwhile.
        self._last_defined: tuple[tuple[int, ...], frozenset[str]] = (), _NONE
        self._last_missing = _NONE, _NONE, _NONE

    def defined(self, module: Any) -> frozenset[str]:
        """Return the functions and classes that a module itself defines under their own names.

        A function's line stands behind its name: one that is defined anew below the main guard is
        another function, although workers have one of that name.
        """
        # Asked for each packed object: all in C, and blind to the counters of the program's loops.
        values = tuple(map(id, filter(callable, list(vars(module).values()))))
        if self._last_defined[0] == values:
            return self._last_defined[1]
        own = (module.__name__, MAIN, WORKER_NAME)
        found = frozenset(
            key(name, value)
            for name, value in list(vars(module).items())
            if _defined(name, value, own)
        )
        self._last_defined = values, found
        return found

    def missing(self, on_workers: frozenset[str] | None) -> frozenset[str]:
        """Return what only rank 0 has, as it is defined below the program's main guard.

        on_workers: the names that workers define; None while that is not known.
        """
        if on_workers is None:
            return _NONE
        own = self.defined(sys.modules[MAIN])
        if own is not self._last_missing[0] or on_workers is not self._last_missing[1]:
            missing = frozenset(name.partition(":")[0] for name in own - on_workers)
            self._last_missing = own, on_workers, missing
        return self._last_missing[2]


def is_missing(name: str, on_workers: frozenset[str] | None) -> bool:
    """True for a name among those that `missing_names` returns; it alone is looked at.

    on_workers: the names that workers define; None while that is not known.
    """
    if on_workers is None:
        return False
    module = sys.modules[MAIN]
    value = vars(module).get(name)
    own = (module.__name__, MAIN, WORKER_NAME)
    return _defined(name, value, own) and key(name, value) not in on_workers


def key(name: str, value: Any) -> str:
    """Return how a function or class stands among the names that workers define."""
    return f"{name}:{value.__code__.co_firstlineno}" if isinstance(value, FunctionType) else name


def _defined(name: str, value: Any, own: tuple[str, ...]) -> bool:
    """True for a function or class that a module defines under its own name."""
    return (
        isinstance(value, type | FunctionType)
        and value.__module__ in own
        and value.__qualname__ == name
    )


_program = Names()
"""Of the program of this process."""
defined_names = _program.defined
missing_names = _program.missing
