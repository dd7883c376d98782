"""Random numbers that are the same on every worker, as the import of the program seeds them.

Looked for on one worker, with two things that must both be so: the program's own source seeds a
global generator where it is imported, and tasks have drawn from it. To seed for the sake of data
that all workers shall have alike is right, and so is to seed anew in each task: neither is told of.
"""

from __future__ import annotations

import ast
import logging
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

from .below_guard import is_guard, is_users, outside_functions

LIBRARIES = frozenset({"random", "numpy.random", "torch"})
"""Modules with a global generator, or whose generators a program may keep in a global."""
_SEEDS = {
    "random.seed": "random", "numpy.random.seed": "numpy.random", "torch.manual_seed": "torch",
    "torch.random.manual_seed": "torch",
}  # fmt: skip
_MAKERS = frozenset({"random.Random", "numpy.random.default_rng", "numpy.random.RandomState",
                     "numpy.random.Generator"})  # fmt: skip
_PLAIN_CALLS = frozenset((
    "abs", "float", "int", "len", "list", "range", "str", "tuple",
    "MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64", "SeedSequence",
))  # fmt: skip
"""Functions that give the same for the same arguments."""
_OF_A_WORKER = ("environ", "host", "node", "pid", "rank", "time")
"""Parts of names of what differs from worker to worker."""
_log = logging.getLogger("scoopmpi")


class Seeding(NamedTuple):
    """Says that a source file seeds a generator.

    generator: the library of a global one, or the name of a variable of the file.
    call: the function that is called. line: where. inside: in a function, not at the import.
    """

    generator: str
    call: str
    line: int
    inside: bool


class GlobalStreams:
    """The global generators of one worker as they are when it has imported the program."""

    def __init__(self) -> None:
        self._modules = [*_own_modules()]
        self._states = {
            (file, name): (state, _pickled(state)) for file, name, state in _found(self._modules)
        }
        self._batches = 0

    def look(self) -> None:
        """Warn of what tasks have drawn from, and forget it; called behind each batch."""
        self._batches += 1
        if self._batches & (self._batches - 1):
            return  # behind the 1st, 2nd, 4th, ...: so it costs nothing
        for (file, name), (state, before) in [*self._states.items()]:
            if _pickled(state) != before:
                del self._states[file, name]
                self._tell(file, name)

    def _tell(self, file: str | None, name: str) -> None:
        """Warn, if the program's source seeds it at the import and nowhere else."""
        files = [path for _, path in self._modules] if file is None else [file]
        seedings = [(path, each) for path in files for each in seedings_of(path)]
        of_it = [(path, each) for path, each in seedings if each.generator == name]
        if not of_it or any(each.inside for _, each in of_it):
            return
        path, first = of_it[0]
        _log.warning(
            "%s at line %d of %s runs on every worker, and tasks draw from it: all workers draw "
            "the same numbers. scoopmpi.task.rng() in tasks gives each its own",
            first.call, first.line, os.path.basename(path),
        )  # fmt: skip


def _own_modules() -> Iterator[tuple[ModuleType, str]]:
    """Yield the program and the user's modules that it has imported, with their files."""
    seen = set()
    for module in [*sys.modules.values()]:
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and is_users(file) and file not in seen:
            seen.add(file)
            yield module, file


def _found(
    modules: list[tuple[ModuleType, str]],
) -> Iterator[tuple[str | None, str, Callable[[], Any]]]:
    """Yield generators: the file of a variable or None, its name, and what gives its state."""
    found = {name: sys.modules[name] for name in LIBRARIES if name in sys.modules}
    library: Any
    for name, library in found.items():
        ways = {"random": "getstate", "numpy.random": "get_state", "torch": "get_rng_state"}
        if (state := getattr(library, ways[name], None)) is not None:
            yield None, name, state
    kinds = [getattr(found.get("random"), "Random", None)]
    kinds += [
        getattr(found.get("numpy.random"), name, None) for name in ("Generator", "RandomState")
    ]
    for module, file in modules:
        for name, value in [*vars(module).items()]:
            if type(value) in kinds:
                yield file, name, partial(_itself, value)


def _itself(generator: Any) -> Any:
    """Return a generator, whose pickle has its state."""
    return generator


def _pickled(state: Callable[[], Any]) -> bytes:
    try:
        return pickle.dumps(state())
    except Exception:  # a library that is not what its name says
        return b""


def seedings_of(path: str) -> list[Seeding]:
    """Return where a source file seeds generators, but for what stands below the main guard."""
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return []
    names, assigned = dict(_imported(tree)), dict(_assigned(tree))
    found: list[Seeding] = []
    at_import = {id(node) for node in outside_functions(tree)}
    guarded = {
        id(node) for each in tree.body if isinstance(each, ast.If) and is_guard(each.test)
        for statement in each.body for node in ast.walk(statement)
    }  # fmt: skip
    for node in ast.walk(tree):
        if id(node) not in guarded:
            seedings = _seeding(node, names, id(node) not in at_import)
            found += [each for each, call in seedings if each.inside or _alike(call, assigned)]
    return found


def _seeding(
    node: ast.AST, names: dict[str, str], inside: bool
) -> Iterator[tuple[Seeding, ast.Call]]:
    """Yield what a node seeds, with the call, if it is one or the assignment of one."""
    if isinstance(node, ast.Call):
        name = _full_name(node.func, names)
        if name in _SEEDS:
            yield Seeding(_SEEDS[name], name, node.lineno, inside), node
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
        name = _full_name(node.value.func, names)
        for target in node.targets:
            if name in _MAKERS and isinstance(target, ast.Name):
                call = f"{target.id} = {name}(...)"
                yield Seeding(target.id, call, node.lineno, inside), node.value


def _alike(call: ast.Call, assigned: dict[str, ast.expr]) -> bool:
    """True for a call whose seed is sure to be the same on all workers.

    assigned: what the file gives to names.
    """
    given = [*call.args, *(each.value for each in call.keywords)]
    waiting: list[ast.AST] = [
        each for each in given if not (isinstance(each, ast.Constant) and each.value is None)
    ]
    seeded, followed = bool(waiting), set[str]()
    while waiting:
        node = waiting.pop()
        name = getattr(node, "id", getattr(node, "attr", "")).lower()
        if isinstance(node, ast.Call) and not _depends_on_arguments(node):
            return False
        if any(part in name for part in _OF_A_WORKER):
            return False
        if isinstance(node, ast.Name) and node.id in assigned and node.id not in followed:
            followed.add(node.id)
            waiting.append(assigned[node.id])
        waiting += ast.iter_child_nodes(node)
    return seeded


def _depends_on_arguments(call: ast.Call) -> bool:
    """True for a call that gives the same wherever it has the same arguments, if it has some."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    return name in _PLAIN_CALLS and bool(call.args or call.keywords)


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that are given something at the top of a file, with what they are given."""
    for node in tree.body:
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if isinstance(target, ast.Name) and isinstance(node, ast.Assign):
                yield target.id, node.value


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the names that imports of a file bind, and what they stand for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                yield alias.asname or first, alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _full_name(node: ast.AST, names: dict[str, str]) -> str:
    """Return the name of what is called as its library has it; empty where it has none."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])
