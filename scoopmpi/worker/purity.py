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
    if not _STOPS.isdisjoint(code.co_names):
        return False
    for name in code.co_names:  # loops, as this is asked for each batch
        if name in names and not _harmless(names[name]):
            return False
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and not _reads_no_state(constant, names):
            return False
    return _STORE_GLOBAL not in code.co_code[::2]  # last: each look makes a copy


def _harmless(value: Any) -> bool:
    if isinstance(value, ModuleType):
        return value.__name__ in _MODULES
    if isinstance(value, BuiltinFunctionType):  # a list's or dict's own method has its memory
        owner = value.__self__
        return owner is None or isinstance(owner, ModuleType) or type(owner).__module__ == "random"
    return isinstance(value, _ATOMS)
