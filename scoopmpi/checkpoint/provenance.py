"""Whose code a function, class or module is: the program's own, or a library's.

The program's code is compared by what it does, a library's by its name and version. A library is
what lies with Python or in a directory for installed packages, and what has no file; and this
package itself.
"""

from __future__ import annotations

import ast
import importlib.util
import marshal
import os
import sys
import sysconfig
import zipimport
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Any

INSTALLED = ("site-packages", "dist-packages")
OURS = ("scoopmpi", "scoop")
_HEADER = 16
"""Bytes of a .pyc file in front of its code (PEP 552)."""


@lru_cache(maxsize=1)
def _standard() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib")
    return tuple(os.path.realpath(sysconfig.get_path(name)) + os.sep for name in names)


@lru_cache(maxsize=4096)
def _installed(file: str) -> bool:
    if not set(INSTALLED).isdisjoint(file.split(os.sep)):
        return True
    real = os.path.realpath(file)
    return real.startswith(_standard()) or not set(INSTALLED).isdisjoint(real.split(os.sep))


def library(name: str | None) -> bool:
    """True where a module of this name is a library's; an unknown one is the program's."""
    if not name or name in ("__main__", "SCOOP_WORKER"):
        return False
    top = name.partition(".")[0]
    if top in OURS or top in sys.builtin_module_names or top in sys.stdlib_module_names:
        return True
    module = sys.modules.get(name)
    if module is None:
        return False
    spec = getattr(module, "__spec__", None)
    file = getattr(module, "__file__", None)
    if file is None:  # a namespace package of the program has places
        return not getattr(spec, "submodule_search_locations", None)
    return _installed(file)


def version(name: str | None) -> str:
    """Return the version of the library to which a module belongs, as far as it says."""
    top = (name or "").partition(".")[0]
    if top in sys.stdlib_module_names:
        return f"{sys.version_info[0]}.{sys.version_info[1]}"
    said = vars(sys.modules[top]).get("__version__") if top in sys.modules else ""
    return _installed_version(top) if said is None else str(said)


@lru_cache
def _installed_version(package: str) -> str:
    """Return the version of what is installed; to ask modules that do not say one may warn."""
    from importlib import metadata  # late: few libraries do not say it themselves

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def sources(name: str) -> Iterator[tuple[str, bytes]]:
    """Give names and source files of a module of the program, and of those that it imports.

    Libraries among them have their version in place of a file.
    """
    left, seen = [name], set()
    while left:
        name = left.pop(0)
        if name in seen:
            continue
        seen.add(name)
        if library(name):
            yield name, version(name).encode()
            continue
        file = _file(name)
        text = b"" if file is None else _read(file)
        if file is not None:
            yield name, text
            left += sorted(_imported(name, text))
        left += _loaded_below(name)  # of a package without a file too


def _loaded_below(name: str) -> list[str]:
    """Return the loaded parts of a package: they are reached through it as well."""
    if "__path__" not in getattr(sys.modules.get(name), "__dict__", ()):
        return []
    return sorted(module for module in list(sys.modules) if module.startswith(f"{name}."))


def loaded() -> list[str]:
    """Return the names of all modules of the program that are loaded."""
    found = [name for name, module in list(sys.modules.items()) if isinstance(module, ModuleType)]
    return sorted(name for name in found if name != "SCOOP_WORKER" and not library(name))


def _file(name: str) -> str | None:
    """Return the file of a module, loaded or not; None where there is none."""
    module: Any = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if module is None:
        try:
            spec = importlib.util.find_spec(name)
            file = spec.origin if spec is not None and spec.has_location else None
        except Exception:  # a package above it may raise anything while it is imported
            return None
    return file


def _read(file: str) -> bytes:
    try:
        with open(file, "rb") as opened:
            text = opened.read()
    except OSError:
        text = _read_from_zip(file)
    if text.startswith(magic := importlib.util.MAGIC_NUMBER):  # the rest of the header is of times
        return magic.ljust(_HEADER, b"\0") + text[_HEADER:]
    return text


def _read_from_zip(file: str) -> bytes:
    """Read a file whose path leads through a zip file, as those of modules in one do."""
    place = os.path.dirname(file)
    while place and not os.path.exists(place):
        place = os.path.dirname(place)
    try:
        return zipimport.zipimporter(place).get_data(file)
    except (ImportError, OSError):
        return b""


@lru_cache(maxsize=1024)
def _imported(name: str, text: bytes) -> frozenset[str]:
    """Return what a source text imports; names that turn out to be no modules do no harm."""
    if text.startswith(importlib.util.MAGIC_NUMBER):
        return _named_in_bytecode(name, text)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()  # a module in another language
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _base(name, node.level, node.module or "")
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return frozenset(known for known in found if known in sys.modules or "." not in known)


def _named_in_bytecode(name: str, text: bytes) -> frozenset[str]:
    """Return what bytecode may import: each name in it that is a loaded module's."""
    package = _base(name, 1, "")
    try:
        left, found = [marshal.loads(text[_HEADER:])], set()
    except (EOFError, ValueError, TypeError):
        return frozenset()
    while left:
        code = left.pop()
        found |= {*code.co_names, *(f"{package}.{each}" for each in code.co_names)}
        left += [each for each in code.co_consts if isinstance(each, CodeType)]
    return frozenset(found & sys.modules.keys())


def imported_as(module: str, statement: ast.Import | ast.ImportFrom, name: str) -> str:
    """Return the full name of what an import in a module has bound to a name."""
    for alias in statement.names:
        if name == (alias.asname or alias.name.partition(".")[0]):
            if isinstance(statement, ast.Import):
                return alias.name if alias.asname else name
            return f"{_base(module, statement.level, statement.module or '')}.{alias.name}"
    return name


def _base(name: str, level: int, module: str) -> str:
    if not level:
        return module
    package = getattr(sys.modules.get(name), "__package__", None) or name.rpartition(".")[0]
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - level + 1], *filter(None, [module])])


def of(value: Any) -> str | None:
    """Return the name of the module in which a function or a class was made."""
    if isinstance(value, ModuleType):
        return value.__name__
    made_in = getattr(value, "__globals__", None)  # __module__ is a decorator's to change
    name = made_in.get("__name__") if type(made_in) is dict else getattr(value, "__module__", None)
    return name if isinstance(name, str) else None
