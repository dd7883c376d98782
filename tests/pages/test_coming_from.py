"""The pages "Coming from …": each name in their tables is there, none of theirs is left out, and
both programs of a page print what the page says.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import importlib
import importlib.metadata
import inspect
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from click import Command

import scoopmpi
from scoopmpi import mympirun, myscoop
from scoopmpi.executors.async_results import AsyncResult, ImapValues
from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, start, start_ranks

PAGES = sorted((ROOT / "docs" / "coming-from").glob("*.md"))
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


class Theirs(NamedTuple):
    """A library: its package, where names of the page are looked for, and the classes of which
    each public name must be there. version: the one whose names the page has."""

    package: str
    modules: tuple[str, ...]
    classes: tuple[str, ...]
    version: tuple[int, int]


THEIRS = {
    "concurrent-futures": Theirs(
        "", ("concurrent.futures",), ("Executor", "Future", "ProcessPoolExecutor"), (3, 14)
    ),
    "multiprocessing": Theirs(
        "", ("multiprocessing.pool", "multiprocessing"), ("Pool", "AsyncResult", "IMapIterator"),
        (3, 14),
    ),
    "mpi4py-futures": Theirs("mpi4py", ("mpi4py.futures",), ("MPIPoolExecutor",), (4, 1)),
    "schwimmbad": Theirs(
        "schwimmbad", ("schwimmbad",), ("MPIPool", "MultiPool", "SerialPool"), (0, 4)
    ),
    "ipyparallel": Theirs(
        "ipyparallel", ("ipyparallel",),
        ("Client", "DirectView", "LoadBalancedView", "AsyncResult"), (9, 2),
    ),
    "dask": Theirs("distributed", ("distributed",), ("Client", "Future"), (2026, 8)),
}  # fmt: skip
OURS = {
    "AsyncResult": AsyncResult, "IMapIterator": ImapValues, "scoopmpi": scoopmpi,
    **{name: getattr(scoopmpi, name) for name in scoopmpi._MODULES},
    **{name: getattr(scoopmpi, name) for name in scoopmpi._HOMES},
}  # fmt: skip
COMMANDS: dict[str, Command] = {"myscoop": myscoop.main, "mympirun": mympirun.main}
STATEMENTS = ("import", "del")


def installed(library: Theirs) -> tuple[int, int]:
    """The version that is here; skips where there is none."""
    if not library.package:
        return sys.version_info[:2]
    try:
        version = importlib.metadata.version(library.package)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{library.package} is not installed")
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def tables(page: Path) -> Iterator[tuple[str, list[str]]]:
    """The rows of a page's tables, each with the heading that it stands below."""
    for section in re.split(r"^## ", page.read_text(), flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        rows = [line for line in text.splitlines() if line.startswith("|")][2:]
        for row in rows:
            yield heading, [cell.strip() for cell in row.strip("|").split(" | ")]


def spans(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def looked_up(path: str, where: list[Any]) -> Any:
    """What a dotted name is, found in one of these objects; AttributeError else."""
    first, *rest = path.split(".")
    for place in where:
        found = place.get(first) if isinstance(place, dict) else getattr(place, first, None)
        if found is None:
            continue
        for name in rest:
            made = getattr(getattr(found, "__init__", None), "__code__", None)
            if not hasattr(found, name) and made is not None and name in made.co_names:
                found = made  # an attribute that each object gets
            else:
                found = getattr(found, name)
        return found
    raise AttributeError(path)


def keywords_of(function: Any) -> set[str]:
    """The names of a function's parameters; behind `**kwargs` those that its docstring has."""
    parameters = inspect.signature(function).parameters
    documented = f"{inspect.getdoc(function)} {inspect.getdoc(getattr(function, '__init__', None))}"
    more = re.findall(r"^\s*([a-z]\w*): ", documented, re.MULTILINE)
    return {*parameters, *(more if "kwargs" in parameters else ())}


def check(span: str, where: list[Any]) -> Any:
    """Look up `Class.method(keyword=, …)`, and return what it is."""
    path, _, inside = span.partition("(")
    found = looked_up(path, where)
    asked = re.findall(r"(\w+)=", inside)
    missing = set(asked) - keywords_of(found) if asked else set()
    assert not missing, f"{span}: no such parameter: {sorted(missing)}"
    return found


def new(row: str, version: tuple[int, int]) -> bool:
    """Whether a row says that its names are of a later version than this one."""
    since = re.search(r"\(from (\d+)\.(\d+)\)", row)
    return since is not None and version < (int(since[1]), int(since[2]))


@functools.cache
def named(page: Path) -> dict[str, list[str]]:
    """The spans of the first column, and what stands in its cell."""
    found: dict[str, list[str]] = {}
    for _, row in tables(page):
        for span in spans(row[0]):
            found.setdefault(span, []).append(row[0])
    return found


def imported(names: Sequence[str]) -> list[Any]:
    return [importlib.import_module(name) for name in names]


@pages
def test_names_of_theirs_are_there(page: Path) -> None:
    library = THEIRS[page.stem]
    version = installed(library)
    if library.package and version < library.version:
        pytest.skip(f"the page has the names of {library.version}")
    where = imported(library.modules)
    for span, cells in named(page).items():
        if span.startswith("python -m ") or any(new(cell, version) for cell in cells):
            continue
        with contextlib.suppress(AttributeError):
            check(span, where)
            continue
        pytest.fail(f"{page.name}: {span} is not in {library.modules}")


def public(module: ModuleType, library: Theirs) -> set[str]:
    """What a program may take from there: no modules, nothing that begins with an underscore."""
    names = getattr(module, "__all__", None) or dir(module)
    return {
        name for name in names if not name.startswith("_")
        and not (inspect.ismodule(getattr(module, name)) and name not in ("dask", "config"))
        and name not in ("version_info", "traitlets", "widgets")
    }  # fmt: skip


def members(kind: type, package: str) -> set[str]:
    """The public names of a class, without those that other packages have given it."""
    return {
        name for each in kind.__mro__ if each.__module__.split(".")[0] == package
        for name in vars(each) if not name.startswith("_")
    }  # fmt: skip


@pages
def test_no_name_of_theirs_is_left_out(page: Path) -> None:
    library = THEIRS[page.stem]
    if installed(library) != library.version and (library.package or sys.version_info > (3, 15)):
        pytest.skip(f"the page has the names of {library.version}")
    where = imported(library.modules)
    known = {span.partition("(")[0] for span in named(page)}
    (package,) = {module.__name__.split(".")[0] for module in where}
    assert public(where[-1], library) <= known
    for name in library.classes:
        kind = looked_up(name, where)
        missing = {f"{name}.{member}" for member in members(kind, package)} - known
        inherited = {one for one in missing if f"Executor.{one.partition('.')[2]}" in known}
        assert missing - inherited == set(), page.name


PARAMETERS = {
    "concurrent-futures": ("ProcessPoolExecutor", "ThreadPoolExecutor", "Executor.map",
                           "Executor.shutdown"),
    "multiprocessing": ("Pool",),
    "mpi4py-futures": ("MPIPoolExecutor", "MPICommExecutor", "MPIPoolExecutor.map",
                       "MPIPoolExecutor.starmap", "MPIPoolExecutor.shutdown"),
    "schwimmbad": ("MPIPool", "MultiPool.map"),
    "ipyparallel": ("LoadBalancedView.map", "DirectView.map", "LoadBalancedView.imap"),
    "dask": ("Client.submit", "Client.map", "Client.gather", "Client.scatter", "as_completed",
             "wait"),
}  # fmt: skip
POSITIONAL = {
    "self", "f", "fn", "func", "function", "iterable", "iterables", "sequences", "fs", "futures",
    "data", "args", "kwargs", "worker",
}  # fmt: skip


@pages
def test_no_parameter_of_theirs_is_left_out(page: Path) -> None:
    library = THEIRS[page.stem]
    if installed(library) != library.version and (library.package or sys.version_info > (3, 15)):
        pytest.skip(f"the page has the names of {library.version}")
    where = imported(library.modules)
    for name in PARAMETERS[page.stem]:
        listed = {
            word for span in named(page) if span.partition("(")[0] == name
            for word in re.findall(r"(\w+)=", span)
        }  # fmt: skip
        there = keywords_of(looked_up(name, where)) - POSITIONAL
        assert there <= listed, f"{name}: {sorted(there - listed)}"


def known_option(command: Command, word: str) -> bool:
    return any(word in (*param.opts, *param.secondary_opts) for param in command.params)


@pages
def test_names_of_ours_are_there(page: Path) -> None:
    ours = [OURS, vars(builtins)]
    for heading, row in tables(page):
        if heading != "Name by name":
            continue
        assert len(row) == 3 and spans(row[1]), row
        for span in spans(row[1]):
            command, *words = span.split()
            if command in COMMANDS:
                options = [word for word in words if word.startswith("-")]
                assert all(known_option(COMMANDS[command], option) for option in options), span
            elif command not in (*STATEMENTS, "python"):
                module = span.partition("(")[0].rpartition(".")[0]
                with contextlib.suppress(ImportError):
                    OURS.setdefault(span.split(".")[0], importlib.import_module(span.split(".")[0]))
                    importlib.import_module(module)
                check(span, ours)


SPELLED_ALIKE = ("concurrent-futures", "multiprocessing", "mpi4py-futures")
CLASSES = ("MPIExecutor", "MPICommExecutor", "Pool", "Future", "AsyncResult", "IMapIterator")


@pytest.mark.parametrize("name", SPELLED_ALIKE)
def test_what_is_spelled_alike_takes_the_same(name: str) -> None:
    """A program that is moved over may give each parameter by its name."""
    (page,) = (each for each in PAGES if each.stem == name)
    where: list[Any] = imported(THEIRS[name].modules)
    compared = 0
    for heading, row in tables(page):
        ours = {span.partition("(")[0].rpartition(".")[2]: span for span in spans(row[1])}
        for span in spans(row[0]) if heading == "Name by name" else ():
            path = span.partition("(")[0]
            twin = ours.get(path.rpartition(".")[2], "").partition("(")[0]
            if twin.partition(".")[0] in CLASSES and not new(row[0], sys.version_info[:2]):
                found = looked_up(path, where)
                if not callable(found):
                    continue
                theirs = inspect.signature(found).parameters
                assert theirs.keys() - {"kwargs"} <= keywords_of(looked_up(twin, [OURS])), span
                compared += 1
    assert compared > 5


PROGRAM = re.compile(r"```python\n# (\S+)\n(.*?)```\n\n```bash\n(.*?)\n```", re.DOTALL)
PRINTED = re.compile(r"^Both print\n\n((?: {4}.*\n)+)", re.MULTILINE)


def printed(page: Path) -> str:
    (lines,) = PRINTED.findall(page.read_text())
    return re.sub(r"(?m)^ {4}", "", lines)


def programs(page: Path, place: Path) -> dict[str, list[str]]:
    """The programs of a page, written down, and the words that start each."""
    found = {}
    for name, text, command in PROGRAM.findall(page.read_text()):
        (place / name).write_text(text)
        found[name] = command.split()
    return found


@pages
def test_the_program_after(page: Path, first_library: Library, tmp_path: Path) -> None:
    command, *words = programs(page, tmp_path)["after.py"]
    assert command == "myscoop"
    answer = start(first_library, [*MYSCOOP, *words], tmp_path)
    assert (answer.returncode, answer.stdout) == (0, printed(page)), answer.stderr


DEAR = {"ipyparallel": 20, "dask": 5}
"""Libraries whose clusters take seconds to start and to end: run when a page is written."""


@pages
def test_the_program_before(page: Path, first_library: Library, tmp_path: Path) -> None:
    """With the library itself, so that the page compares what is so."""
    installed(THEIRS[page.stem])
    if page.stem in DEAR and "COMPARE" not in os.environ:
        pytest.skip(f"{page.stem} takes {DEAR[page.stem]} s of CPU time to start: COMPARE=all")
    command, *words = programs(page, tmp_path)["before.py"]
    if command == "mpirun":
        assert words[:3] == ["-n", "3", "python"]
        answer = start_ranks(first_library, 3, words[3:], tmp_path)
    else:
        assert (command, words) == ("python", ["before.py"])
        answer = start(first_library, [sys.executable, "before.py"], tmp_path)
    assert (answer.returncode, answer.stdout) == (0, printed(page)), answer.stderr


def test_every_page_is_compared() -> None:
    assert {page.stem for page in PAGES} == set(THEIRS) == set(PARAMETERS)
