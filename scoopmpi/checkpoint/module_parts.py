"""What a function uses of a module of the program, where it names it: `lib.X`, not all of `lib`.

Of a name that a module binds at its top level there count the statements that make its value, and
all statements that may do more than bind names, in the module and in those that it imports. Where
anything else is met, a name that is bound by other means, or a value whose pickle may say less
than what it does, nobody can say what is used: then the whole module counts. Pure but for files.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePath
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from ..wire import payload
from . import provenance

_PURE_NAMES = frozenset({
    "abs", "bool", "bytes", "complex", "dict", "divmod", "enumerate", "filter", "float",
    "frozenset", "int", "len", "list", "map", "max", "min", "pow", "range", "reversed", "round",
    "set", "sorted", "str", "sum", "tuple", "zip",
})  # fmt: skip
_PURE_METHODS = frozenset({
    "array", "asarray", "linspace", "arange", "zeros", "ones", "full", "eye", "logspace",
    "geomspace", "sqrt", "exp", "log", "log10", "log2", "sin", "cos", "tan", "deg2rad", "radians",
    "degrees", "Path", "join", "dirname", "abspath", "compile", "getLogger",
})  # fmt: skip
"""Of libraries that a module imports: they make a value and do nothing else."""
_CACHED = type(functools.lru_cache(len))
_CONTAINERS = (list, tuple, set, frozenset, dict)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
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


def statements(module: str, name: str) -> tuple[str, ...]:
    """Return the statements of a module that make the value of a name, as far as that is known."""
    found = sys.modules.get(module)
    parts = None if found is None else _parts(found)
    return () if parts is None else tuple(parts.statements_of(name) or ())


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
    return name not in parts.imported and _is_data(value, _DEPTH)


def _is_data(value: Any, depth: int) -> bool:
    """True for numbers, strings, arrays, paths, and containers of these."""
    kind = type(value)
    if kind in payload.atoms() or kind is range or payload.is_array(value):
        return True
    if kind in _CONTAINERS and depth:
        inner: Iterable[Any] = value
        if kind is dict:
            inner = (*value.keys(), *value.values())
        return all(_is_data(each, depth - 1) for each in inner)
    return isinstance(value, PurePath) and kind.__module__.startswith("pathlib")


class Parts(NamedTuple):
    """The statements at the top level of a module.

    makers: of each name those that bind it. reads: what each of them reads, by its text.
    effects: those that may do more. imported: the names that are bound by imports.
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
    if getattr(module, "__file__", None) is None and hasattr(module, "__path__"):
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
    libraries = _libraries(tree)
    for statement in tree.body:
        if _only_says(statement) or _is_main_guard(statement):
            continue
        code = ast.dump(statement)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            imported |= {each.asname or each.name.partition(".")[0] for each in statement.names}
            effects.append(code)
            continue
        reads[code] = _loaded(statement)
        for one in _bound(statement):
            makers[one] = (*makers.get(one, ()), code)
        if not _only_binds(statement, libraries):
            effects.append(code)
    if "*" in imported:
        return None
    defined = {each.name for each in tree.body if isinstance(each, _DEFINITIONS)}
    once = frozenset(name for name in defined if len(makers[name]) == 1)
    return Parts(makers, reads, tuple(effects), frozenset(imported), once)


def _loaded(statement: ast.stmt) -> frozenset[str]:
    names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return frozenset(node.id for node in names if isinstance(node.ctx, ast.Load))


def _libraries(tree: ast.Module) -> frozenset[str]:
    """Return the names by which a module calls libraries."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {
                alias.asname or alias.name.partition(".")[0]
                for alias in node.names
                if provenance.library(alias.name)
            }
        elif (
            isinstance(node, ast.ImportFrom) and not node.level and provenance.library(node.module)
        ):
            found |= {alias.asname or alias.name for alias in node.names}
    return frozenset(found)


def _of_library(statement: ast.ImportFrom) -> bool:
    return provenance.library(statement.module)


def _bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, _DEFINITIONS):
        return {statement.name}
    names = {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    names |= {node.name for node in ast.walk(statement) if isinstance(node, _DEFINITIONS)}
    aliases = (node for node in ast.walk(statement) if isinstance(node, ast.alias))
    return names | {alias.asname or alias.name.partition(".")[0] for alias in aliases}


def _only_says(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _is_main_guard(statement: ast.stmt) -> bool:
    """True for `if __name__ == "__main__":`, which no importing process runs."""
    return (
        isinstance(statement, ast.If)
        and not statement.orelse
        and ast.unparse(statement.test) in ("__name__ == '__main__'", "'__main__' == __name__")
    )


def _only_binds(statement: ast.stmt, libraries: frozenset[str]) -> bool:
    """True where a statement binds names of the module and does nothing else."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        given = statement.args
        shown = [*given.defaults, *(each for each in given.kw_defaults if each is not None)]
        known = all(_of_known(each, libraries) for each in statement.decorator_list)
        return known and all(_is_pure(each, libraries) for each in shown)
    if isinstance(statement, ast.ClassDef):
        bare = not (statement.bases or statement.keywords or statement.decorator_list)
        inner = (each for each in statement.body if not _only_says(each))
        return bare and all(_only_binds(each, libraries) for each in inner)
    if isinstance(statement, ast.Assign):
        targets: list[ast.expr] = statement.targets
        value: ast.expr | None = statement.value
    elif isinstance(statement, ast.AnnAssign):
        targets, value = [statement.target], statement.value
    else:
        return False
    plain = all(
        isinstance(node, ast.Name | ast.Tuple | ast.List | ast.Starred | ast.expr_context)
        for target in targets
        for node in ast.walk(target)
    )
    return plain and (value is None or _is_pure(value, libraries))


def _of_known(decorator: ast.expr, libraries: frozenset[str]) -> bool:
    """True for a decorator of a library, or Python's own: it sees to the function alone."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    while isinstance(called, ast.Attribute):
        called = called.value
    known = {"property", "staticmethod", "classmethod", *libraries}
    given = (
        [*decorator.args, *(word.value for word in decorator.keywords)]
        if isinstance(decorator, ast.Call)
        else []
    )
    return (
        isinstance(called, ast.Name)
        and called.id in known
        and all(_is_pure(each, libraries) for each in given)
    )


def _is_pure(expression: ast.expr, libraries: frozenset[str]) -> bool:
    """True where an expression makes a value and does nothing else, as far as its words say."""
    for node in ast.walk(expression):
        if isinstance(node, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom):
            return False
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name):
                known = called.id in _PURE_NAMES
                known = known or (called.id in _PURE_METHODS and called.id in libraries)
            else:
                known = _names_library(called, libraries)
            if not known:
                return False
    return True


def _names_library(called: ast.expr, libraries: frozenset[str]) -> bool:
    if not isinstance(called, ast.Attribute) or called.attr not in _PURE_METHODS:
        return False
    inner = called.value
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    return isinstance(inner, ast.Name) and inner.id in libraries


def _effects_of_imports(name: str) -> list[str]:
    """Return what the program's modules do, beside binding names, that a module imports."""
    found: list[str] = []
    for other, text in provenance.sources(name):
        if other != name and not provenance.library(other):
            parts = _parsed(text)
            found += [other, *(parts.effects if parts else [text.decode(errors="replace")])]
    return found
