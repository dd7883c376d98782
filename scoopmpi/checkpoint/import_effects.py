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
from .deeds import does_more, names_of_code
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

    module: its name. made: a name of it, for how its value is made, and nothing else.
    hidden: True where the value itself does not show all that is in it.
    """

    def __init__(self, module: str, made: str, hidden: bool) -> None:
        self.module, self.made, self.hidden = module, made, hidden

    def counting(self) -> Counting:
        """Return the statements that count."""
        text, line = _text(self.module), _line_that_runs(self.module)
        found = _counting(self.module, text, line, self.made, self.hidden)
        return found._replace(by_arguments=found.by_arguments and (self.hidden or not self.made))

    def imports(self) -> list[ImportEffects]:
        """Return what the program's modules do that it imports; or what makes the imported name."""
        if not self.made:
            found = (name for name, _ in provenance.sources(self.module))
            return [of(each) for each in found if each != self.module and _is_program(each)]
        tree = _parsed(_text(self.module))
        place = [] if tree is None else _imported_from(self.module, tree, [self.made])
        return (
            [of(place[0], place[1], self.hidden)]
            if len(place) > 1 and _is_program(place[0])
            else []
        )


@lru_cache(maxsize=4096)
def of(module: str, made: str = "", hidden: bool = False) -> ImportEffects:
    """Return what stands for the import of a module, one and the same each time.

    module, made, hidden: as `ImportEffects` has them.
    """
    return ImportEffects(module, made, hidden)


def _is_program(module: str) -> bool:
    return not provenance.library(module)


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


def _counting(module: str, text: bytes, line: int, made: str, hidden: bool) -> Counting:
    tree = _parsed(text)
    if tree is None:
        return Counting(text)
    top = _top(tree, line)
    if made:
        roots = list(top.makers.get(made, ()))
        if hidden and not roots and not _imported_from(module, tree, [made]):
            roots = [each for each in top.imports if "*" in bound(each)]
            if not roots:  # it is bound by other means
                return Counting(text)
    else:
        roots = list(_roots(module, tree, top))
    found = _closure(roots, top)
    code = compile(ast.Module(found, []), "<import>", "exec", dont_inherit=True)
    made_here = (each for each in found if not isinstance(each, ast.Import | ast.ImportFrom))
    own = frozenset(name for each in made_here for name in names_of_code(each).bound)
    return Counting(code, own, _asks(found))


class _Top(NamedTuple):
    """What is done where a module is imported. makers: of each name, but by imports."""

    done: tuple[ast.stmt, ...]
    imports: tuple[ast.stmt, ...]
    makers: dict[str, list[ast.stmt]]


@lru_cache(maxsize=64)
def _top(tree: ast.Module, line: int) -> _Top:
    done = tuple(_done(tree.body, line))
    imports = tuple(each for each in done if isinstance(each, ast.Import | ast.ImportFrom))
    makers: dict[str, list[ast.stmt]] = {}
    for statement in done:
        for name in () if statement in imports else names_of_code(statement).bound:
            makers.setdefault(name, []).append(statement)
    return _Top(done, imports, makers)


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


def _roots(module: str, tree: ast.Module, top: _Top) -> Iterator[ast.stmt]:
    """Return the statements that may do more than to bind names."""
    names = names_of(tree)
    for statement in top.done:
        if statement in top.imports or only_binds(statement, names):
            continue  # what modules of the program do is counted as theirs
        if does_more(_closure([statement], top), names, partial(_harmless, module, tree, ())):
            yield statement


def _imported_from(module: str, tree: ast.Module, path: list[str]) -> list[str]:
    """Return the module from which a module has a name, and the names there; else nothing.

    path: the names, from that on which the module has for it.
    """
    found = _imports(tree).get(path[0], [])
    if len(found) != 1:  # nobody knows which of several
        return []
    names = provenance.imported_as(module, found[0], path[0]).split(".") + path[1:]
    place = names.pop(0)
    while names and f"{place}.{names[0]}" in sys.modules:
        place = f"{place}.{names.pop(0)}"
    return [place, *names]


@lru_cache(maxsize=64)
def _imports(tree: ast.Module) -> dict[str, list[ast.Import | ast.ImportFrom]]:
    """Return the imports in a module, within functions too, by the names that they bind."""
    found: dict[str, list[ast.Import | ast.ImportFrom]] = {}
    said = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in bound(node) if ast.dump(node) not in said else ():
                found.setdefault(name, []).append(node)
            said.add(ast.dump(node))
    return found


def _harmless(module: str, tree: ast.Module, seen: tuple[str, ...], path: list[str]) -> bool:
    """True where what a module has imported makes a value, and does nothing else.

    seen: what is being looked at.
    """
    place = _imported_from(module, tree, path)
    return len(place) > 1 and _makes(place[0], place[1:], (*seen, ":".join(place[:2])))


def _makes(module: str, names: list[str], seen: tuple[str, ...]) -> bool:
    """True where what has a name in a module makes a value, and does nothing else."""
    if seen[-1] in seen[:-1]:
        return True  # it is being looked at
    tree = None if provenance.library(module) else _parsed(_text(module))
    if tree is None:
        return False
    top = _top(tree, 0)
    if names[0] not in top.makers:
        return _harmless(module, tree, seen, names)
    harmless = partial(_harmless, module, tree, seen)
    return not does_more(_closure(top.makers[names[0]], top), names_of(tree), harmless)


def _closure(roots: Iterable[ast.stmt], top: _Top) -> list[ast.stmt]:
    """Return statements with all those that bind what they read, but by imports."""
    found = {id(root): root for root in roots}
    left, seen = list(found.values()), set[str]()
    while left:
        new = names_of_code(left.pop()).read - seen
        seen |= new
        for name in sorted(new):
            for maker in top.makers.get(name, ()):
                if id(maker) not in found:
                    found[id(maker)] = maker
                    left.append(maker)
    return list(found.values())


def _asks(statements: Iterable[ast.stmt]) -> bool:
    nodes = (node for statement in statements for node in ast.walk(statement))
    return any(isinstance(node, ast.Attribute) and node.attr in _ARGUMENTS for node in nodes)
