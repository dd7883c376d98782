"""What a statement at the top level of a module does: whether it only binds names to plain values.

By its words alone, nothing is run. Where a statement may do anything else, change a library's
setting say, or make a value that a pickle need not show, it is not taken to bind only.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from . import provenance

_LAZY = frozenset({"enumerate", "filter", "map", "reversed", "zip"})
"""They make iterators, which have no value to compare; but what is made of these has."""
_PURE_NAMES = _LAZY | {
    "abs", "bool", "bytes", "complex", "dict", "divmod", "float", "frozenset", "int", "len", "list",
    "max", "min", "pow", "range", "round", "set", "sorted", "str", "sum", "tuple",
}  # fmt: skip
_PURE_METHODS = frozenset({
    "array", "asarray", "linspace", "arange", "zeros", "ones", "full", "eye", "logspace",
    "geomspace", "sqrt", "exp", "log", "log10", "log2", "sin", "cos", "tan", "deg2rad", "radians",
    "degrees", "Path", "join", "dirname", "abspath", "compile", "getLogger", "Decimal", "Fraction",
    "namedtuple",
})  # fmt: skip
"""Of libraries that a module imports: they make a value and do nothing else."""
_BASES = frozenset({"object", "Exception", "ValueError", "RuntimeError", "dict", "list", "tuple"})
_DECORATORS = frozenset({"property", "staticmethod", "classmethod"})
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Names(NamedTuple):
    """Names of a module. libraries: by which it calls these. bases: of classes that do nothing when
    a class is derived from them."""

    libraries: frozenset[str]
    bases: frozenset[str]


def names_of(tree: ast.Module) -> Names:
    """Return the names of a module that say what its statements do."""
    libraries: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and of_library(node):
            libraries |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    found = Names(frozenset(libraries), _BASES)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and only_binds(node, found) and not _sees_derived(node):
            found = found._replace(bases=found.bases | {node.name})
    return found


def _sees_derived(node: ast.ClassDef) -> bool:
    return any(
        isinstance(each, ast.FunctionDef) and each.name == "__init_subclass__" for each in node.body
    )


def of_library(statement: ast.Import | ast.ImportFrom) -> bool:
    """True for an import of libraries alone."""
    if isinstance(statement, ast.Import):
        return all(provenance.library(alias.name) for alias in statement.names)
    return not statement.level and provenance.library(statement.module)


def bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds."""
    if isinstance(statement, DEFINITIONS):
        return {statement.name}
    names = {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    names |= {node.name for node in ast.walk(statement) if isinstance(node, DEFINITIONS)}
    aliases = (node for node in ast.walk(statement) if isinstance(node, ast.alias))
    return names | {alias.asname or alias.name.partition(".")[0] for alias in aliases}


def only_says(statement: ast.stmt) -> bool:
    """True for `pass`, and for a text or a number that stands alone."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def is_main_guard(statement: ast.stmt) -> bool:
    """True for `if __name__ == "__main__":`, which no importing process runs."""
    return (
        isinstance(statement, ast.If)
        and not statement.orelse
        and ast.unparse(statement.test) in ("__name__ == '__main__'", "'__main__' == __name__")
    )


def only_binds(statement: ast.stmt, names: Names) -> bool:
    """True where a statement binds names of the module and does nothing else.

    names: those of the module, see `names_of`.
    """
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        given = statement.args
        shown = [*given.defaults, *(each for each in given.kw_defaults if each is not None)]
        decorated = all(_of_known(each, names) for each in statement.decorator_list)
        return decorated and all(is_pure(each, names) for each in shown)
    if isinstance(statement, ast.ClassDef):
        decorated = all(_of_known(each, names) for each in statement.decorator_list)
        bases = all(_is_base(each, names) for each in statement.bases)
        inner = (each for each in statement.body if not only_says(each))
        plain = decorated and bases and not statement.keywords
        return plain and all(only_binds(each, names) for each in inner)
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
    return plain and (value is None or is_pure(value, names))


def _is_base(base: ast.expr, names: Names) -> bool:
    """True for a class of a library, or Python's own."""
    while isinstance(base, ast.Attribute):
        base = base.value
    return isinstance(base, ast.Name) and (base.id in names.libraries or base.id in names.bases)


def _of_known(decorator: ast.expr, names: Names) -> bool:
    """True for a decorator of a library, or Python's own: it sees to the function alone."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    while isinstance(called, ast.Attribute):
        called = called.value
    known = _DECORATORS | names.libraries
    given = (
        [*decorator.args, *(word.value for word in decorator.keywords)]
        if isinstance(decorator, ast.Call)
        else []
    )
    return (
        isinstance(called, ast.Name)
        and called.id in known
        and all(is_pure(each, names) for each in given)
    )


def is_pure(expression: ast.expr, names: Names) -> bool:
    """True where an expression makes a value and does nothing else, as far as its words say."""
    inside: set[ast.AST] = set()  # what is given to a call, which comes first
    for node in ast.walk(expression):
        if isinstance(node, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom):
            return False
        if _is_lazy(node) and node not in inside:
            return False
        if isinstance(node, ast.Call):
            inside |= {*node.args}
            called = node.func
            if isinstance(called, ast.Name):
                pure = called.id in _PURE_NAMES
                pure = pure or (called.id in _PURE_METHODS and called.id in names.libraries)
            else:
                pure = _names_library(called, names)
            if not pure:
                return False
    return True


def _is_lazy(node: ast.AST) -> bool:
    lazy = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _LAZY
    return lazy or isinstance(node, ast.GeneratorExp)


def _names_library(called: ast.expr, names: Names) -> bool:
    if not isinstance(called, ast.Attribute) or called.attr not in _PURE_METHODS:
        return False
    inner = called.value
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    return isinstance(inner, ast.Name) and inner.id in names.libraries
