"""Whether code that runs when a module is imported does more than to make values, by its words.

Such deeds are: to set what is not its own, as an attribute of a library or an entry of a global
list; and to call others for what they do, not for what they return. Nothing is run here.
"""

from __future__ import annotations

import ast
import builtins
import dis
from collections.abc import Callable, Iterable
from functools import lru_cache
from types import CodeType
from typing import NamedTuple, TypeGuard

from .statements import DEFINITIONS, Names

_READS = {"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"}
_STORES = {"STORE_NAME", "STORE_GLOBAL", "DELETE_NAME", "DELETE_GLOBAL"}
_CHANGE = frozenset({
    "add", "append", "clear", "discard", "extend", "fill", "insert", "itemset", "pop", "popitem",
    "put", "remove", "resize", "reverse", "setdefault", "setflags", "sort", "update",
})  # fmt: skip
"""Methods that change what they are called on."""
_SETS = ("set", "seed", "config", "enable", "disable", "register", "init", "use", "update")
"""How functions of libraries begin that may be called for what they do, whatever they return."""
_MORE = frozenset({"setattr", "delattr", "exec", "eval", "globals", "vars", "__import__"})
_VALUE = "()"
_HARMLESS = frozenset({"super", "print", ""})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_MAKERS = (*DEFINITIONS, ast.Assign, ast.AnnAssign, ast.If, ast.Try, ast.For)
"""Statements that may only bind names."""


class CodeNames(NamedTuple):
    """The names of its module that a statement reads and binds."""

    read: frozenset[str]
    bound: frozenset[str]


@lru_cache(maxsize=4096)
def names_of_code(statement: ast.stmt) -> CodeNames:
    """Return the names of its module that a statement reads and binds."""
    read: set[str] = set()
    stored: set[str] = set()
    left = [compile(ast.Module([statement], []), "", "exec", dont_inherit=True)]
    while left:
        code = left.pop()
        for step in dis.get_instructions(code):
            if step.opname in _READS:
                read.add(step.argval)
            elif step.opname in _STORES and (code.co_name == "<module>" or "GLOBAL" in step.opname):
                stored.add(step.argval)
        left += [each for each in code.co_consts if isinstance(each, CodeType)]
    return CodeNames(frozenset(read), frozenset(stored))


def _changes(node: ast.AST) -> TypeGuard[ast.Attribute | ast.Subscript]:
    """True where something is set in an object, or a method that changes it is named."""
    if not isinstance(node, ast.Attribute | ast.Subscript):
        return False
    stored = not isinstance(node.ctx, ast.Load)
    return stored or (isinstance(node, ast.Attribute) and node.attr in _CHANGE)


class Known(NamedTuple):
    """What is known of the names in code. own: those for what is looked at as well, or is local.

    names: of the module. harmless: tells whether what has an imported name only makes a value.
    """

    own: frozenset[str]
    names: Names
    harmless: Callable[[list[str]], bool]


def does_more(
    statements: Iterable[ast.stmt], names: Names, harmless: Callable[[list[str]], bool]
) -> bool:
    """True where statements of a module, with all of it that they call, may do more than bind.

    names: those of the module. harmless: tells whether a call of an imported name is no deed.
    """
    made = [each for each in statements if not isinstance(each, ast.Import | ast.ImportFrom)]
    own = frozenset(name for each in made for name in names_of_code(each).bound)
    return any(_does_more(each, Known(own, names, harmless)) for each in made)


def _does_more(statement: ast.stmt, known: Known) -> bool:
    if not isinstance(statement, _MAKERS):
        return True
    local = _local(statement)
    known = known._replace(own=known.own | local)
    return any(_is_deed(node, local, known) for node in ast.walk(statement))


def _local(statement: ast.stmt) -> frozenset[str]:
    """Return the names of what functions in a statement are given, or make."""
    functions = [each for each in ast.walk(statement) if isinstance(each, _FUNCTIONS)]
    nodes = (node for each in functions for node in ast.walk(each))
    found = frozenset(node.arg for node in nodes if isinstance(node, ast.arg))
    return found.union(
        node.id
        for each in functions
        for node in ast.walk(each)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    )


def _is_deed(node: ast.AST, local: frozenset[str], known: Known) -> bool:
    if _changes(node):
        return _path(node)[0] not in local
    if isinstance(node, ast.Call):
        return not _is_known(node.func, known)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        path = _path(node.value.func)
        return path[0] not in known.own | _HARMLESS and not known.harmless(path)
    if isinstance(node, DEFINITIONS):
        return not all(_is_known(each, known) for each in node.decorator_list)
    return isinstance(node, ast.Global)


def _is_known(called: ast.expr, known: Known) -> bool:
    """True for a call, for its value, of what is looked at, or of a library."""
    path = _path(called)
    if path[0] in ("", _VALUE) or path[0] in known.own:
        return True
    if path[0] in known.names.libraries:
        return not path[-1].lower().startswith(_SETS)
    python = hasattr(builtins, path[0]) and path[0] not in _MORE
    return python or known.harmless(path)


def _path(node: ast.AST) -> list[str]:
    """Return the names with which an expression begins; `_VALUE` where that is a call's value."""
    path: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        path.insert(0, node.attr if isinstance(node, ast.Attribute) else "")
        node = node.value
    if isinstance(node, ast.Call):
        made_of = isinstance(node.func, ast.Name) and node.func.id == "super"
        return ["super" if made_of else _VALUE, *path]
    return [node.id if isinstance(node, ast.Name) else "", *path]
