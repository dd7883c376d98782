"""Tells from a function's code alone that it keeps no object from one call to the next.

One that cannot never returns the same list or array twice, so its values may wait for the end of
the batch without being looked at. All others have every value looked at, which makes a map of
squares on one core take 0.16 s instead of 0.09 s for a million.
"""

from __future__ import annotations

import opcode
from collections.abc import Mapping
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

_ATOMS = (int, float, complex, bool, str, bytes, type(None))
_MODULES = frozenset({"math", "cmath", "time", "random", "operator"})
_STOPS = frozenset(
    {
        "StopIteration", "next", "__next__", "send", "throw", "close", "eval", "exec", "compile",
        "getattr", "methodcaller", "attrgetter", "__import__", "globals", "vars", "__builtins__",
    }
)  # fmt: skip
"""What code names that may raise StopIteration, which a batch does not see where nothing of ours
stands between its tasks."""
_STORE_GLOBAL = opcode.opmap["STORE_GLOBAL"]


def stateless(function: Any) -> bool:
    """Return True for a function that surely keeps nothing between calls.

    It has no closure, no mutable defaults, no globals but constants and functions written in C,
    and nothing that can raise StopIteration.
    """
    if type(function) is not FunctionType or function.__closure__ or function.__kwdefaults__:
        return False
    if not all(isinstance(value, _ATOMS) for value in function.__defaults__ or ()):
        return False
    return _reads_no_state(function.__code__, function.__globals__)


def _reads_no_state(code: CodeType, names: Mapping[str, Any]) -> bool:
    if _STORE_GLOBAL in code.co_code[::2] or not _STOPS.isdisjoint(code.co_names):
        return False
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return all(_harmless(names[name]) for name in code.co_names if name in names) and all(
        _reads_no_state(each, names) for each in inner
    )


def _harmless(value: Any) -> bool:
    if isinstance(value, ModuleType):
        return value.__name__ in _MODULES
    return isinstance(value, (BuiltinFunctionType, *_ATOMS))
