"""Find the program that a user means: a file, a directory or zip file, a module, or code.

Nothing is imported or run here, so that the command can ask too: a program's code, and its errors,
belong to the ranks. How it is run is in `running`. Knows no MPI.
"""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from typing import NamedTuple

READY_PROGRAMS = "scoopmpi.programs"
READY_NAMES = ("kernel", "picalc", "sanity", "simple_shell", "sweep")
_ALIKE = 0.75
"""How much a name must be like another to be a slip: one letter of five, of 0 to 1."""
SHELL = "scoopmpi.program.shell"
STDIN, CODE, MODULE = "-", "-c", "-m"
"""What may stand in the place of a program, as under `python`."""


class ProgramNotFound(Exception):
    """Says that there is no such file and no such module, and where was looked."""


class Program(NamedTuple):
    """Describes a program on disk: its file, and as a module its name in the import system.

    shown: what the program finds in sys.argv[0], as under `python` itself.
    container: the directory or zip file whose `__main__` it is, where that is what was named.
    """

    path: str
    module: str | None
    shown: str
    container: str | None = None


def find(name: str) -> Program:
    """Return the program that a user means: a path, or a module here or on PYTHONPATH.

    A name found nowhere else may be a ready program of ours (picalc). Raises ProgramNotFound.
    """
    if name.endswith(".py") or os.sep in name:
        if (found := _on_disk(name)) is None:
            meant = _meant(name)
            raise ProgramNotFound(f"there is no file {name} (in {_here()}){meant}")
        return found
    _look_here()
    found = next(_modules(name, f"{name}.__main__", f"{READY_PROGRAMS}.{name}"), _on_disk(name))
    if found is None:
        raise ProgramNotFound(
            f"there is no file and no module {name}: looked in {_here()} and on "
            f"PYTHONPATH={os.environ.get('PYTHONPATH', '')}{_meant(name)}"
        )
    if found.module == f"{name}.__main__" and container_spec(name) and not _is_package(name):
        return found._replace(container=name)
    return found


def _meant(name: str) -> str:
    """Return what to add to a name that is not there: one that is, and looks much like it."""
    import difflib  # late: nobody needs it where the program is there

    directory, own = os.path.split(name)
    try:
        there = [each for each in os.listdir(directory or os.curdir) if each.endswith(".py")]
    except OSError:
        return ""
    if not own.endswith(".py"):
        there = [each.removesuffix(".py") for each in there] + [*READY_NAMES]
    close = difflib.get_close_matches(own, there, n=1, cutoff=_ALIKE)
    return f"; did you mean {os.path.join(directory, close[0])}?" if close else ""


def find_module(name: str) -> Program:
    """Return what `-m` means: a module, or the `__main__` of a package, never a file.

    Raises ProgramNotFound where there is none that can be run.
    """
    if not safe_path():
        _look_here()
    for found in _modules(name, f"{name}.__main__"):
        return found
    raise ProgramNotFound(f"-m {name}: there is no module of that name that can be run")


def find_or_shell(words: Sequence[str]) -> tuple[Program, list[str]]:
    """Return the program of a command line and its arguments: our shell without one, for - and -c.

    words: what stands behind our own options. Raises ProgramNotFound.
    """
    if not words or words[0] == STDIN:
        return find(SHELL), list(words)
    if words[0] not in (CODE, MODULE):
        return find(words[0]), list(words[1:])
    if len(words) < 2:
        raise ProgramNotFound(f"{words[0]} needs its code, or its module, behind it")
    if words[0] == CODE:
        return find(SHELL), list(words)
    return find_module(words[1]), list(words[2:])


def safe_path() -> bool:
    """True where the interpreter was told to leave the program's directory out of sys.path."""
    return bool(getattr(sys.flags, "safe_path", sys.flags.isolated))  # -P is new in Python 3.11


def _on_disk(name: str) -> Program | None:
    """Look for a file, or a directory or zip file with a `__main__`, as `python NAME` does."""
    spec = container_spec(name)
    if spec is not None and spec.origin:
        inside = os.path.join(name, os.path.basename(spec.origin))
        return Program(os.path.abspath(inside), None, inside, name)
    if not os.path.isfile(name):
        return None
    if pkgutil.get_importer(os.path.abspath(name)) is not None:
        raise ProgramNotFound(f"{name} is a zip file without a __main__")
    return Program(os.path.abspath(name), None, name)


def container_spec(name: str) -> ModuleSpec | None:
    """Return the spec of the `__main__` in a directory or zip file, None where there is none."""
    finder = pkgutil.get_importer(os.path.join(_here(), name)) if name else None
    return finder.find_spec("__main__") if finder is not None else None


def _is_package(directory: str) -> bool:
    return os.path.isfile(os.path.join(directory, "__init__.py"))


def _modules(*names: str) -> Iterator[Program]:
    """Yield those of some modules that are there and can be run."""
    for name in names:
        spec = module_spec(name)
        if spec is None or spec.submodule_search_locations is not None or not spec.origin:
            continue
        if spec.has_location and not isinstance(spec.loader, ExtensionFileLoader):
            path = os.path.abspath(spec.origin)
            yield Program(path, name, path)


def _here() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise ProgramNotFound("the current directory is gone: cd to one that is there") from None


def _look_here() -> None:
    """Have the current directory come first, as with `python -m`."""
    here = _here()
    if "" not in sys.path and here not in sys.path:
        sys.path.insert(0, here)


def module_spec(module: str) -> ModuleSpec | None:
    """Return a module's spec, None where there is none; its packages are not imported."""
    if "" in module.split("."):
        return None
    parent = module.rpartition(".")[0]
    specs: Iterable[ModuleSpec | None]
    if parent:
        package = module_spec(parent)
        places = package.submodule_search_locations if package else None
        finders = filter(None, map(pkgutil.get_importer, places or ()))
        specs = (finder.find_spec(module) for finder in finders)
    else:
        specs = (finder.find_spec(module, None) for finder in sys.meta_path)
    return next((spec for spec in specs if spec is not None), None)
