"""The user's program: find it, run it on rank 0, import it on workers.

On rank 0 it is `__main__`. On a worker it is imported once under the name `SCOOP_WORKER`, so that
its guard keeps the main part out, and stands in for `__main__` too, so that what rank 0 sends by
name is found. Knows no MPI.
"""

from __future__ import annotations

import importlib.util
import os
import pkgutil
import sys
import traceback
import types
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from types import FunctionType
from typing import Any, NamedTuple

WORKER_NAME = "SCOOP_WORKER"
READY_PROGRAMS = "scoopmpi.workers"
SHELL = "scoopmpi.process.shell"


class ProgramNotFound(Exception):
    """There is no such file and no such module; the message says where was looked."""


class Program(NamedTuple):
    """A program on disk: its file, and as a module its name in the import system.

    shown: what the program finds in sys.argv[0], as under `python` itself.
    """

    path: str
    module: str | None
    shown: str


def find(name: str) -> Program:
    """The program that a user means: a path, or a module in the current directory or on PYTHONPATH.

    A name found nowhere else may be a ready program of ours (picalc).
    """
    if name.endswith(".py") or os.sep in name:
        if os.path.isdir(name) and os.path.isfile(os.path.join(name, "__main__.py")):
            name = os.path.join(name, "__main__.py")
        if not os.path.isfile(name):
            raise ProgramNotFound(f"there is no file {name} (in {os.getcwd()})")
        return Program(os.path.abspath(name), None, name)
    for module in (name, f"{name}.__main__", f"{READY_PROGRAMS}.{name}"):
        spec = _spec(module)
        if spec is None or spec.submodule_search_locations is not None:
            continue
        if spec.origin and spec.origin.endswith(".py"):
            return Program(os.path.abspath(spec.origin), module, os.path.abspath(spec.origin))
    if os.path.isfile(name):
        return Program(os.path.abspath(name), None, name)
    raise ProgramNotFound(
        f"there is no file and no module {name}: looked in {os.getcwd()} and on "
        f"PYTHONPATH={os.environ.get('PYTHONPATH', '')}"
    )


def find_or_shell(words: Sequence[str]) -> tuple[Program, list[str]]:
    """The program of a command line and its arguments; without one, and for -, our shell."""
    if not words or words[0] == "-":
        return find(SHELL), list(words)
    return find(words[0]), list(words[1:])


def _spec(module: str) -> ModuleSpec | None:
    """A module's spec. The current directory comes first, as with `python -m`.

    Its packages are not imported: their code, and its errors, belong to the ranks.
    """
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    if "" in module.split("."):
        return None
    parent = module.rpartition(".")[0]
    specs: Iterable[ModuleSpec | None]
    if parent:
        package = _spec(parent)
        places = package.submodule_search_locations if package else None
        finders = filter(None, map(pkgutil.get_importer, places or ()))
        specs = (finder.find_spec(module) for finder in finders)
    else:
        specs = (finder.find_spec(module, None) for finder in sys.meta_path)
    return next((spec for spec in specs if spec is not None), None)


def run(program: Program, arguments: list[str]) -> None:
    """Run the program as `__main__` in this process; whatever it raises comes out."""
    _execute(program, arguments, "__main__")


def load(program: Program, arguments: list[str]) -> types.ModuleType:
    """Import the program on a worker: all but what its `__main__` guard keeps out."""
    sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "spawned"))
    return _execute(program, arguments, WORKER_NAME)


def import_failure(error: BaseException) -> str:
    """Why a worker cannot import the program, from the user's own code on."""
    if isinstance(error, SystemExit):
        return (
            f"it has called sys.exit({error.code!r}) while it was imported. Put what the program "
            'does below `if __name__ == "__main__":`'
        )
    trace, here = error.__traceback__, os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(here):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))


def _execute(program: Program, arguments: list[str], name: str) -> types.ModuleType:
    path = program.path
    sys.argv[:] = [program.shown, *arguments]
    if program.module is None:
        _put_first(os.path.dirname(os.path.realpath(path)))
    module = types.ModuleType(name)
    spec: Any = None
    package = None
    if program.module is not None:
        spec = importlib.util.spec_from_file_location(program.module, path)
        package = program.module.rpartition(".")[0]
        if package:
            importlib.import_module(package)
    vars(module).update(
        __file__=path, __spec__=spec, __package__=package, __builtins__=__builtins__
    )
    sys.modules["__main__"] = sys.modules[WORKER_NAME] = module
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, vars(module))
    return module


_NONE: frozenset[str] = frozenset()
_last_missing = (_NONE, _NONE, _NONE)
_last_defined: tuple[tuple[int, ...], frozenset[str]] = ((), _NONE)


def missing_names(on_workers: frozenset[str] | None) -> frozenset[str]:
    """Functions and classes of the program that only rank 0 has: defined below its main guard."""
    global _last_missing
    if on_workers is None:
        return _NONE
    own = defined_names(sys.modules["__main__"])
    if own is not _last_missing[0] or on_workers is not _last_missing[1]:
        missing = frozenset(name.partition(":")[0] for name in own - on_workers)
        _last_missing = (own, on_workers, missing)
    return _last_missing[2]


def defined_names(module: Any) -> frozenset[str]:
    """The functions and classes that a module itself defines under their own names.

    A function's line stands behind its name: one that is defined anew below the main guard is
    another function, although workers have one of that name.
    """
    global _last_defined
    # Asked for each packed object: all in C, and blind to the counters of the program's loops.
    values = tuple(map(id, filter(callable, list(vars(module).values()))))
    if _last_defined[0] == values:
        return _last_defined[1]
    own = (module.__name__, "__main__", WORKER_NAME)
    found = frozenset(
        _with_line(name, value)
        for name, value in list(vars(module).items())
        if isinstance(value, type | FunctionType)
        and value.__module__ in own
        and value.__qualname__ == name
    )
    _last_defined = (values, found)
    return found


def _with_line(name: str, value: Any) -> str:
    return f"{name}:{value.__code__.co_firstlineno}" if isinstance(value, FunctionType) else name


def _put_first(directory: str) -> None:
    """A script's own directory replaces the one that `python -m` put first."""
    here = os.getcwd()
    if sys.path and sys.path[0] in ("", here):
        sys.path[0] = directory
    else:
        sys.path.insert(0, directory)
