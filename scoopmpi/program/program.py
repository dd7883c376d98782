"""The user's program: find it, run it on rank 0, import it on workers.

On rank 0 it is `__main__`, and finds of itself what it finds under `python`. On a worker it is
imported once under the name `SCOOP_WORKER`, so that its guard keeps the main part out, and stands
in for `__main__` too, so that what rank 0 sends by name is found. Knows no MPI.
"""

from __future__ import annotations

import builtins
import importlib.util
import linecache
import os
import pkgutil
import sys
import traceback
import types
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from importlib.machinery import (
    BuiltinImporter,
    ExtensionFileLoader,
    ModuleSpec,
    SourceFileLoader,
    SourcelessFileLoader,
)
from types import FunctionType
from typing import Any, NamedTuple

from . import naming

WORKER_NAME = "SCOOP_WORKER"
READY_PROGRAMS = "scoopmpi.programs"
SHELL = "scoopmpi.program.shell"
_STDIN, _CODE, _MODULE = "-", "-c", "-m"
"""What may stand in the place of a program, as under `python`."""


class ProgramNotFound(Exception):
    """There is no such file and no such module; the message says where was looked."""


class Defined(BaseException):
    """Raised by a program inside its import on a worker: what is defined so far is enough."""


class Program(NamedTuple):
    """A program on disk: its file, and as a module its name in the import system.

    shown: what the program finds in sys.argv[0], as under `python` itself.
    container: the directory or zip file whose `__main__` it is, where that is what was named.
    """

    path: str
    module: str | None
    shown: str
    container: str | None = None


def find(name: str) -> Program:
    """The program that a user means: a path, or a module in the current directory or on PYTHONPATH.

    A name found nowhere else may be a ready program of ours (picalc).
    """
    if name.endswith(".py") or os.sep in name:
        if (found := _on_disk(name)) is None:
            raise ProgramNotFound(f"there is no file {name} (in {os.getcwd()})")
        return found
    _look_here()
    found = next(_modules(name, f"{name}.__main__", f"{READY_PROGRAMS}.{name}"), _on_disk(name))
    if found is None:
        raise ProgramNotFound(
            f"there is no file and no module {name}: looked in {os.getcwd()} and on "
            f"PYTHONPATH={os.environ.get('PYTHONPATH', '')}"
        )
    if found.module == f"{name}.__main__" and _container(name) and not _is_package(name):
        return found._replace(container=name)
    return found


def find_module(name: str) -> Program:
    """What `-m` means: a module, or the `__main__` of a package; never a file."""
    if not safe_path():
        _look_here()
    for found in _modules(name, f"{name}.__main__"):
        return found
    raise ProgramNotFound(f"-m {name}: there is no module of that name that can be run")


def find_or_shell(words: Sequence[str]) -> tuple[Program, list[str]]:
    """The program of a command line and its arguments; without one, for - and -c, our shell."""
    if not words or words[0] == _STDIN:
        return find(SHELL), list(words)
    if words[0] not in (_CODE, _MODULE):
        return find(words[0]), list(words[1:])
    if len(words) < 2:
        raise ProgramNotFound(f"{words[0]} needs its code, or its module, behind it")
    if words[0] == _CODE:
        return find(SHELL), list(words)
    return find_module(words[1]), list(words[2:])


def safe_path() -> bool:
    """Whether the interpreter was told to leave the program's directory out of sys.path."""
    return bool(getattr(sys.flags, "safe_path", sys.flags.isolated))  # -P is new in Python 3.11


def _on_disk(name: str) -> Program | None:
    """A file, or a directory or zip file with a `__main__`, as `python NAME` takes them."""
    spec = _container(name)
    if spec is not None and spec.origin:
        inside = os.path.join(name, os.path.basename(spec.origin))
        return Program(os.path.abspath(inside), None, inside, name)
    if not os.path.isfile(name):
        return None
    if pkgutil.get_importer(os.path.abspath(name)) is not None:
        raise ProgramNotFound(f"{name} is a zip file without a __main__")
    return Program(os.path.abspath(name), None, name)


def _container(name: str) -> ModuleSpec | None:
    """The spec of the `__main__` in a directory or zip file, None where there is none."""
    finder = pkgutil.get_importer(os.path.join(os.getcwd(), name)) if name else None
    return finder.find_spec("__main__") if finder is not None else None


def _is_package(directory: str) -> bool:
    return os.path.isfile(os.path.join(directory, "__init__.py"))


def _modules(*names: str) -> Iterator[Program]:
    """Those of some modules that are there and can be run."""
    for name in names:
        spec = _spec(name)
        if spec is None or spec.submodule_search_locations is not None or not spec.origin:
            continue
        if spec.has_location and not isinstance(spec.loader, ExtensionFileLoader):
            path = os.path.abspath(spec.origin)
            yield Program(path, name, path)


def _look_here() -> None:
    """The current directory comes first, as with `python -m`."""
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())


def _spec(module: str) -> ModuleSpec | None:
    """A module's spec. Its packages are not imported: their code, and errors, belong to ranks."""
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
    """Import the program on a worker: all but what its `__main__` guard keeps out.

    Of what is typed, or given by -c, a worker gets what it needs by value.
    """
    sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "spawned"))
    if program.module == SHELL:
        code_of(arguments)
        return new_main(WORKER_NAME)
    try:
        module = _execute(program, arguments, WORKER_NAME)
    except Defined:
        module = sys.modules[WORKER_NAME]
    naming.as_main(module, WORKER_NAME)
    return module


def code_of(arguments: Sequence[str]) -> str:
    """The code behind -c, else nothing; sys.argv and sys.path become those of code without a file.

    arguments: those of our shell: -, or -c and the code, and what is the program's own.
    """
    option, *own = arguments or [""]
    code = own.pop(0) if option == _CODE else ""
    sys.argv[:] = [option, *own]
    if sys.path[:1] == [os.getcwd()]:
        sys.path[0] = ""
    return code


def new_main(name: str, **more: Any) -> types.ModuleType:
    """An empty module in the place of `__main__`, as it is for code without a file."""
    module = types.ModuleType(name)
    vars(module).update(
        {"__loader__": BuiltinImporter, "__annotations__": {}, "__builtins__": builtins, **more}
    )
    sys.modules["__main__"] = sys.modules[WORKER_NAME] = module
    return module


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
    sys.argv[:] = [program.container or program.shown, *arguments]
    spec = _prepared(program)
    loader: Any
    if spec is not None and spec.origin:
        file, loader, package, own = spec.origin, spec.loader, spec.parent, spec.name
    else:
        file, package, own = os.path.join(os.getcwd(), program.shown), None, "__main__"
        compiled = _is_compiled(program.path)
        loader = (SourcelessFileLoader if compiled else SourceFileLoader)(own, file)
    module = new_main(
        name, __file__=file, __spec__=spec, __package__=package, __loader__=loader,
        __cached__=spec.cached if spec else None,
    )  # fmt: skip
    if isinstance(loader, SourceFileLoader):  # without its cache, which a script has not either
        code = compile(loader.get_data(file), file, "exec", dont_inherit=True)
    else:
        code = loader.get_code(own)
        # Tracebacks would ask for it by the name that it has here.
        linecache.cache.setdefault(code.co_filename, (partial(loader.get_source, own),))
    exec(code, vars(module))
    return module


def _prepared(program: Program) -> ModuleSpec | None:
    """The program's spec where it has one, with sys.path and its package as it will need them."""
    if program.container is not None:
        _put_first(os.path.join(os.getcwd(), program.container), always=True)
        return _container(program.container)
    if program.module is None:
        _put_first(os.path.dirname(os.path.realpath(program.path)))
        return None
    if package := program.module.rpartition(".")[0]:
        importlib.import_module(package)
    return _spec(program.module)


def _is_compiled(path: str) -> bool:
    """Whether a file is bytecode, as `python` decides it: by its name, or how it begins."""
    if path.endswith(".pyc"):
        return True
    with open(path, "rb") as file:
        return file.read(4) == importlib.util.MAGIC_NUMBER


def _put_first(directory: str, always: bool = False) -> None:
    """A script's own directory replaces the one that `python -m` put first."""
    here = os.getcwd()
    if safe_path():
        if always:
            sys.path.insert(0, directory)
    elif sys.path and sys.path[0] in ("", here):
        sys.path[0] = directory
    else:
        sys.path.insert(0, directory)


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
