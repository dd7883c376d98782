"""Globals that a task misses because the program sets them where only rank 0 comes by.

A worker imports the program, so what stands below `if __name__ == "__main__":`, and in functions
that are called from there, is not run on it; a pool that forks has it. Where a task fails in a
function that reads such a global, and the worker has it not at all, as None or empty, a note says
so. The source is read then, not before; the facts alone are said, as nobody knows what was meant.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from types import FrameType, ModuleType, TracebackType
from typing import Any, NamedTuple

from .naming import WORKER_NAME

_FILLS = frozenset({"add", "append", "extend", "insert", "setdefault", "update"})
"""Methods by which a program puts something into a container."""
_MISSING: Any = object()
_GLOBALS = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_LIBRARIES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_STANDARD = os.path.join(os.path.dirname(os.__file__), "")


class Source(NamedTuple):
    """Says of a source file what it sets where: names, and `module.name`, each with its line.

    guarded: below the main guard itself. functions: of globals, by each function that sets some.
    calls: the names that each function calls; of the part below the guard under "".
    """

    guarded: dict[str, int]
    functions: dict[str, dict[str, int]]
    calls: dict[str, set[str]]


def missing(error: BaseException) -> str | None:
    """Return a note on a global that the failing function misses on this worker, if it does.

    error: what the task has raised, with its traceback.
    """
    main = sys.modules.get("__main__")
    path = getattr(main, "__file__", None)
    frames = [*_frames(error.__traceback__)]
    if main is None or main.__name__ != WORKER_NAME or not path or not frames:
        return None
    frame, program = frames[-1], _source(path)
    running = {each.f_code.co_name for each in frames}
    places = _places(path, program, program, running)
    if frame.f_code.co_filename != path:
        places = _through_modules(frame, places) | _places_in(frame, program, running)
    for name in _read(frame, error, places):
        if (state := _state(frame, name)) is not None:
            return (
                f"`{name}` is {state} on workers: the program sets it {places[name]}, which only "
                "rank 0 runs. shared.setConst or initializer= brings it to workers, or set it "
                "above the guard."
            )
    return None


def _places(path: str, program: Source, own: Source, running: Collection[str]) -> dict[str, str]:
    """Return what a file sets where only rank 0 comes by, each with words for the place.

    program, own: of the program, and of the file.
    running: functions in which the task is: if they set it, they do so when they are asked.
    """
    shown = "" if own is program else f" of {os.path.basename(path)}"
    found: dict[str, str] = {}
    for function in sorted((_reached(program, own) & own.functions.keys()) - set(running)):
        for name, line in own.functions[function].items():
            found[name] = f"in {function}() (line {line}{shown}), called below its main guard"
    if own is program:
        found |= {name: f"below its main guard (line {own.guarded[name]})" for name in own.guarded}
    return found


def _places_in(frame: FrameType, program: Source, running: Collection[str]) -> dict[str, str]:
    """Return what the failing function's own module sets, when the program has it do so."""
    file = frame.f_code.co_filename
    return _places(file, program, _source(file), running)


def _through_modules(frame: FrameType, places: Mapping[str, str]) -> dict[str, str]:
    """Return what the program sets in the failing function's module: `settings.data = ...`."""
    found = {}
    names = vars(sys.modules["__main__"])
    for name, place in places.items():
        module, _, inner = name.rpartition(".")
        target = names.get(module)
        if isinstance(target, ModuleType) and vars(target) is frame.f_globals:
            found[inner] = place
    return found


def is_users(file: str) -> bool:
    """True for a file of the user's own: of no installed library, and not of this package."""
    library = file.startswith((_STANDARD, _PACKAGE)) or any(part in file for part in _LIBRARIES)
    return not library


def _frames(trace: TracebackType | None) -> Iterator[FrameType]:
    """Yield the frames of a traceback that are the user's own."""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if is_users(file) and os.path.isfile(file):
            yield trace.tb_frame
        trace = trace.tb_next


def _read(frame: FrameType, error: BaseException, places: Mapping[str, str]) -> list[str]:
    """Return those of some names that the function reads: the one that is missed, or all."""
    name = getattr(error, "name", None)
    if isinstance(error, NameError) and name:
        return [name] if name in places else []
    steps = dis.get_instructions(frame.f_code)
    read = {each.argval for each in steps if each.opname in _GLOBALS}
    inner = {"", *frame.f_code.co_names}  # of objects that it reads
    parts = {place: place.partition(".") for place in places}
    return [place for place, (first, _, rest) in parts.items() if first in read and rest in inner]


def _state(frame: FrameType, name: str) -> str | None:
    """Return what is the matter with a global here: missing, None or empty; None where nothing."""
    first, _, rest = name.partition(".")
    value = frame.f_globals.get(first, _MISSING)
    if rest and value is not _MISSING:
        value = inspect.getattr_static(value, rest, _MISSING)  # without the user's own code
    if value is _MISSING:
        return None if first in vars(builtins) else "missing"
    if value is None:
        return "None"
    return "empty" if type(value) in (dict, list, set) and not value else None


# The source.


def _reached(program: Source, own: Source) -> set[str]:
    """Return the names of functions that are called from below the guard, on any way."""
    found: set[str] = set()
    waiting = set(program.calls.get("", ()))
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= (program.calls.get(name, set()) | own.calls.get(name, set())) - found
    return found


@lru_cache(maxsize=64)
def _source(path: str) -> Source:
    found = Source({}, {}, {"": set()})
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return found
    for statement in tree.body:
        if isinstance(statement, ast.If) and is_guard(statement.test):
            body = ast.Module(statement.body, [])
            found.guarded.update(_set_by(outside_functions(body)))
            found.calls[""] |= _called(body)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = [*ast.walk(node)]
            own = _own_names(node, inside)
            lines = {
                name: line for name, line in _set_by(inside).items()
                if name.partition(".")[0] not in own
            }  # fmt: skip
            found.functions.setdefault(node.name, {}).update(lines)
            found.calls.setdefault(node.name, set()).update(_called(node))
    return found


def _own_names(
    function: ast.FunctionDef | ast.AsyncFunctionDef, inside: Iterable[ast.AST]
) -> set[str]:
    """Return the names that a function has for itself: what it binds, and not as a global.

    inside: the nodes of it.
    """
    found, shared = {function.name}, set()
    for each in inside:
        if isinstance(each, ast.Global):
            shared |= set(each.names)
        elif isinstance(each, ast.arg):
            found.add(each.arg)
        elif not isinstance(each, ast.Attribute | ast.Subscript | ast.Call):
            found.add(_bound(each) or "")
    return found - shared


def is_guard(test: ast.expr) -> bool:
    """True for a condition with `__name__ == "__main__"` in it."""
    words = {each.id for each in ast.walk(test) if isinstance(each, ast.Name)}
    texts = {each.value for each in ast.walk(test) if isinstance(each, ast.Constant)}
    equal = any(isinstance(each, ast.Eq) for each in ast.walk(test))
    return "__name__" in words and "__main__" in texts and equal


def _called(tree: ast.AST) -> set[str]:
    """Return the names of functions that code calls, of methods the last part.

    Not of those that it hands on, as they may be the tasks.
    """
    calls = [each.func for each in ast.walk(tree) if isinstance(each, ast.Call)]
    names = {each.id for each in calls if isinstance(each, ast.Name)}
    return names | {each.attr for each in calls if isinstance(each, ast.Attribute)}


def outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of code that runs where it stands."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        for inner in ast.iter_child_nodes(node):
            yield from outside_functions(inner)


def _set_by(nodes: Iterable[ast.AST]) -> dict[str, int]:
    """Return the names that some nodes bind or fill, and their lines."""
    found: dict[str, int] = {}
    for node in nodes:
        name = _bound(node)
        if name is not None:
            found.setdefault(name, getattr(node, "lineno", 0))
    return found


def _bound(node: ast.AST) -> str | None:
    """Return the name that a node binds, or whose value it fills."""
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(
        node.ctx, ast.Store
    ):
        return _dotted(node.value if isinstance(node, ast.Subscript) else node)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.alias):
        return (node.asname or node.name).partition(".")[0]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _dotted(node.func.value) if node.func.attr in _FILLS else None
    return None


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return None
