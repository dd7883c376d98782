"""What a function uses of a module of the program, where it names it: `lib.X`, not all of `lib`.

Of a name that a module binds at its top level there count the statements that make its value, and
all statements that may do more than bind names, in the module and in those that it imports. Where
anything else is met, a name that is bound by other means, or a value whose pickle may say less
than what it does, nobody can say what is used: then the whole module counts. Pure but for files.
"""

from __future__ import annotations

import argparse
import ast
import functools
import importlib.util
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePath
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any, NamedTuple

from ..wire import payload
from . import provenance
from .statements import DEFINITIONS, bound, is_main_guard, names_of, only_binds, only_says

_CACHED = type(functools.lru_cache(len))
_CONTAINERS = (list, tuple, set, frozenset, dict)
_NAMESPACES = (argparse.Namespace, SimpleNamespace)
_DEPTH = 6
"""Containers within containers that are looked into."""


class Used(NamedTuple):
    """What is used of a module: a value, and the statements that count beside it."""

    value: Any
    statements: tuple[str, ...]


def used(module: ModuleType, names: tuple[str, ...]) -> Used | None:
    """Return what code uses that reads `module.name.name…`; None where nobody can say.

    names: the first of them is the module's, the others may be those of modules in it.
    """
    statements: list[str] = []
    for name in names:
        parts = _parts(module)
        if parts is None or name not in vars(module):
            return None
        value = vars(module)[name]
        statements += parts.effects
        statements += _effects_of_imports(module.__name__)
        if isinstance(value, ModuleType):
            if value.__name__ not in _reached_from(module, name):
                return None  # somebody has put it there
            if provenance.library(value.__name__):
                return Used(value, tuple(statements))
            module = value
            continue
        made = parts.statements_of(name)
        if made is None or not _says_all(value, module, name, parts):
            return None
        return Used(value, (*statements, *made))
    return None  # the module itself: what is done with it is not known


def put_there(module: ModuleType, names: tuple[str, ...]) -> Any:
    """Return what `module.name.name…` is now; None where its state says nothing of what it does."""
    value: Any = module
    for name in names:
        if not isinstance(value, ModuleType):
            break
        value = vars(value).get(name)
    if isinstance(value, ModuleType):
        return None
    made_in = type(value).__module__ or ""
    return None if made_in == "random" or made_in.startswith("numpy.random") else value


def _reached_from(module: ModuleType, name: str) -> set[str]:
    """Return the names of the modules whose things a module may have imported."""
    found = {other for other, _ in provenance.sources(module.__name__)}
    return {*found, f"{module.__name__}.{name}"}


def _says_all(value: Any, module: ModuleType, name: str, parts: Parts) -> bool:
    """True where a value's digest covers all that it is and does, here and on workers."""
    if isinstance(value, _CACHED):
        value = value.__wrapped__
    if isinstance(value, FunctionType | type):
        made_in = provenance.of(value)
        if name in parts.imported:
            return made_in in _reached_from(module, name)
        return made_in == module.__name__ and value.__qualname__ == name
    return name not in parts.imported and is_data(value)


def is_data(value: Any, depth: int = _DEPTH) -> bool:
    """True for numbers, strings, arrays, paths, and containers of these."""
    kind = type(value)
    if kind in payload.atoms() or kind is range or payload.is_array(value):
        return True
    if kind in _CONTAINERS and depth:
        inner: Iterable[Any] = value
        if kind is dict:
            inner = (*value.keys(), *value.values())
        return all(is_data(each, depth - 1) for each in inner)
    if kind in _NAMESPACES and depth:
        return is_data(vars(value), depth - 1)
    return isinstance(value, PurePath) and kind.__module__.startswith("pathlib")


class Parts(NamedTuple):
    """The statements at the top level of a module.

    makers: of each name those that bind it. reads: what each of them reads, by its text.
    effects: those that may do more. imported: the names that are bound by imports.
    defined: those that one function or class has, and nothing else.
    """

    makers: dict[str, tuple[str, ...]]
    reads: dict[str, frozenset[str]]
    effects: tuple[str, ...]
    imported: frozenset[str]
    defined: frozenset[str]

    def statements_of(self, name: str) -> list[str] | None:
        """Return all that goes into the value of a name; None where it is bound by other means."""
        if name not in self.makers and name not in self.imported:
            return None
        found: dict[str, None] = {}
        left, seen = [name], {name}
        while left:
            one = left.pop()
            # The code of what is defined counts by what it is, not by its text.
            texts = () if one == name and name in self.defined else self.makers.get(one, ())
            for text in texts:
                found[text] = None
                new = self.reads[text] - seen
                seen |= new
                left += sorted(new)
        return list(found)


def _parts(module: ModuleType) -> Parts | None:
    """Return the statements of a module; None where there is no source to read, or `import *`."""
    name = module.__name__
    if provenance.library(name):
        return None
    own = next(iter(provenance.sources(name)), None)
    if getattr(module, "__file__", None) is None and "__path__" in vars(module):
        return Parts({}, {}, (), frozenset(), frozenset())  # a namespace package has no code
    return None if own is None or own[0] != name else _parsed(own[1])


@lru_cache(maxsize=256)
def _parsed(text: bytes) -> Parts | None:
    if text.startswith(importlib.util.MAGIC_NUMBER):
        return None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    if any(isinstance(node, ast.Global) for node in ast.walk(tree)):
        return None  # a function may bind what it declares, whenever it is called
    makers: dict[str, tuple[str, ...]] = {}
    reads: dict[str, frozenset[str]] = {}
    effects: list[str] = []
    imported: set[str] = set()
    names = names_of(tree)
    for statement in tree.body:
        if only_says(statement) or is_main_guard(statement):
            continue
        code = ast.dump(statement)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            imported |= {each.asname or each.name.partition(".")[0] for each in statement.names}
            effects.append(code)
            continue
        reads[code] = _loaded(statement)
        for one in bound(statement):
            makers[one] = (*makers.get(one, ()), code)
        if not only_binds(statement, names):
            effects.append(code)
    if "*" in imported:
        return None
    defined = {each.name for each in tree.body if isinstance(each, DEFINITIONS)}
    once = frozenset(name for name in defined if len(makers[name]) == 1)
    return Parts(makers, reads, tuple(effects), frozenset(imported), once)


def _loaded(statement: ast.stmt) -> frozenset[str]:
    names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return frozenset(node.id for node in names if isinstance(node.ctx, ast.Load))


def _effects_of_imports(name: str) -> list[str]:
    """Return what the program's modules do, beside binding names, that a module imports."""
    found: list[str] = []
    for other, text in provenance.sources(name):
        if other != name and not provenance.library(other):
            parts = _parsed(text)
            found += [other, *(parts.effects if parts else [text.decode(errors="replace")])]
    return found
