"""What the import of a module of the program does and makes, that no pickle of a value shows.

Tasks run where the program's modules have been imported: a precision that was set there, a
registry that was filled decide what they return. So statements that may do such things count for
each function of the module. For who reads an object that does not show all that is in it, or that
rank 0 may have changed, there count the statements that make it. All with what they read of their
module, and by their code: values such as the time differ from run to run.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from types import CodeType
from typing import NamedTuple

from . import provenance
from .deeds import changed, does_more, names_of_code
from .statements import bound, is_main_guard, names_of, only_binds, only_says

_ARGUMENTS = frozenset({"argv", "parse_args", "parse_known_args"})


class Counting(NamedTuple):
    """The statements of a module that count.

    code: of all together; the source where it cannot be parsed. own: the names that they bind.
    by_arguments: whether the program's arguments decide what they do.
    """

    code: CodeType | bytes
    own: frozenset[str] = frozenset()
    by_arguments: bool = False


class ImportEffects:
    """Stands for what the import of a module does, in what is digested.

    module: its name. made: a name of it, for how its value is made.
    """

    def __init__(self, module: str, made: str) -> None:
        self.module, self.made = module, made

    def counting(self) -> Counting:
        """Return the statements that count."""
        return _counting(self.module, _text(self.module), _line_that_runs(self.module), self.made)

    def imports(self) -> list[str]:
        """Return the names of the modules of the program that it imports, and these import."""
        found = () if self.made else provenance.sources(self.module)
        return [name for name, _ in found if name != self.module and not provenance.library(name)]


@lru_cache(maxsize=4096)
def of(module: str, made: str = "") -> ImportEffects:
    """Return what stands for the import of a module: one and the same each time.

    made: a name of the module, for how its value is made, and nothing else.
    """
    return ImportEffects(module, made)


@lru_cache(maxsize=4096)
def may_differ(module: str, name: str) -> bool:
    """True where rank 0 may have changed what a name of a module stands for since the import."""
    tree = _parsed(_text(module))
    return tree is not None and name in _changed(tree)


def _text(module: str) -> bytes:
    """Return the source of a module; nothing where there is none."""
    name, text = next(iter(provenance.sources(module)), ("", b""))
    return text if name == module else b""


def _line_that_runs(module: str) -> int:
    """Return the line at the top level of the program that runs; 0 where none does."""
    main = sys.modules.get(module) if module == "__main__" else None
    frame = None if main is None else sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals is vars(main):
            return frame.f_lineno
        frame = frame.f_back
    return 0


@lru_cache(maxsize=64)
def _parsed(text: bytes) -> ast.Module | None:
    if text.startswith(importlib.util.MAGIC_NUMBER):
        return None
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


_changed = lru_cache(maxsize=64)(changed)


def _counting(module: str, text: bytes, line: int, made: str) -> Counting:
    tree = _parsed(text)
    if tree is None:
        return Counting(text)
    done = list(_done(tree.body, line))
    if made:
        roots = [each for each in done if made in _binds(each)]
        roots = roots or [each for each in done if "*" in _binds(each)]
        if not roots:  # it is bound by other means
            return Counting(text)
    else:
        roots = list(_roots(module, tree, done))
    found = _closure(roots, done)
    code = compile(ast.Module(found, []), "<import>", "exec", dont_inherit=True)
    made_here = (each for each in found if not isinstance(each, ast.Import | ast.ImportFrom))
    own = frozenset(name for each in made_here for name in _binds(each))
    return Counting(code, own, _asks(found))


def _done(body: Iterable[ast.stmt], line: int) -> Iterator[ast.stmt]:
    """Return the statements that are done where a module is imported.

    line: what runs now, without a guard, is the program's main part, and what follows.
    """
    for statement in body:
        if is_main_guard(statement) or only_says(statement):
            continue
        if line and statement.lineno <= line <= (statement.end_lineno or 0):
            return
        yield statement


def _roots(module: str, tree: ast.Module, done: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Return the statements that may do more than to bind names."""
    names = names_of(tree)
    for statement in done:
        if isinstance(statement, ast.Import | ast.ImportFrom) or only_binds(statement, names):
            continue  # what modules of the program do is counted as theirs
        if does_more(_closure([statement], done), names, partial(_harmless, module, tree, ())):
            yield statement


def _harmless(module: str, tree: ast.Module, seen: tuple[str, ...], path: list[str]) -> bool:
    """True where what a module has imported makes a value, and does nothing else.

    path: its names, from that which the module has for it on. seen: what is being looked at.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and path[0] in bound(node):
            names = provenance.imported_as(module, node, path[0]).split(".") + path[1:]
            place = names.pop(0)
            while names and f"{place}.{names[0]}" in sys.modules:
                place = f"{place}.{names.pop(0)}"
            return bool(names) and _makes(place, names, (*seen, f"{place}:{names[0]}"))
    return False


def _makes(module: str, names: list[str], seen: tuple[str, ...]) -> bool:
    """True where what has a name in a module makes a value, and does nothing else."""
    if seen[-1] in seen[:-1]:
        return True  # it is being looked at
    tree = None if provenance.library(module) else _parsed(_text(module))
    if tree is None:
        return False
    done = list(_done(tree.body, 0))
    makers = [each for each in done if names[0] in _binds(each)]
    if not makers or any(isinstance(each, ast.Import | ast.ImportFrom) for each in makers):
        return _harmless(module, tree, seen, names)
    harmless = partial(_harmless, module, tree, seen)
    return not does_more(_closure(makers, done), names_of(tree), harmless)


def _closure(roots: Iterable[ast.stmt], done: Iterable[ast.stmt]) -> list[ast.stmt]:
    """Return statements with all those that bind what they read, but by imports."""
    makers: dict[str, list[ast.stmt]] = {}
    for statement in done:
        imports = isinstance(statement, ast.Import | ast.ImportFrom)
        for name in () if imports else _binds(statement):
            makers.setdefault(name, []).append(statement)
    found = {id(root): root for root in roots}
    left = list(found.values())
    while left:
        for name in sorted(names_of_code(left.pop()).read):
            for maker in makers.pop(name, ()):
                if id(maker) not in found:
                    found[id(maker)] = maker
                    left.append(maker)
    return list(found.values())


def _binds(statement: ast.stmt) -> frozenset[str]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return frozenset(bound(statement))
    return names_of_code(statement).bound


def _asks(statements: Iterable[ast.stmt]) -> bool:
    nodes = (node for statement in statements for node in ast.walk(statement))
    return any(isinstance(node, ast.Attribute) and node.attr in _ARGUMENTS for node in nodes)
