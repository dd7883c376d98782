"""The tree itself: rooms and their order, style, types and house rules."""

from __future__ import annotations

import ast
import configparser
import functools
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.libraries import ROOT

PACKAGE = ROOT / "scoopmpi"
MODULES = sorted(PACKAGE.rglob("*.py"))

# The rooms, from the ground up. A module imports from its own room and from rooms above it in this
# table, nothing else: imports for annotations and those inside functions count as all others do.
ROOMS = (
    "concurrency", "scheduling",
    "process", "output", "program.spawned", "program",
    "wire", "tasks", "constants", "checkpoint",
    "watching", "watching.progress", "watching.trace", "watching.report", "watching.status",
    "farm", "worker.nested", "worker",
    "executors", "ranks", "futures", "shared", "task",
    "sweep.items", "sweep.command", "sweep.log", "sweep.outputs", "sweep.outputs.results",
    "sweep.running", "sweep", "sweep.conducting", "joblib", "kernel", "programs",
    "launch.hosts", "launch.managers", "launch.rehearsal", "launch.flavours",
    "launch.commandline", "launch.beside", "launch.cli", "launch.worker_framework", "launch.kernel",
    "launch", "scoopmpi", "compat",
)  # fmt: skip
"""`scoopmpi` is the top of the package itself: what users name."""

APART: dict[str, set[str]] = {
    "scheduling": set(),
    "watching": {"checkpoint"},
    "watching.progress": {"checkpoint"},
    "watching.status": {"checkpoint"},
    "watching.trace": {"checkpoint"},
    "watching.report": {"checkpoint"},
    "farm": {"worker", "worker.nested", "checkpoint"},
    "worker": {"farm"},
    "worker.nested": {"farm"},
}
"""Rooms that know nothing of others, whatever their place: scheduling nothing at all."""
LAUNCH_KNOWS = {
    "launch",
    "process",
    "program",
    "checkpoint",
    "watching",
    "watching.status",
    "concurrency",
    "sweep",
}
"""The launcher meets the farm at a command line. It shares what a process is, and shows files."""


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "scoopmpi"


NAMES = {module_name(path): path for path in MODULES}


def room(module: str) -> str:
    """The innermost room of a module: the longest that its name begins with."""
    parts = module.split(".")
    inside = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((name for name in inside if name in ROOMS), "scoopmpi")


def imported(path: Path) -> set[str]:
    """The modules of the project that a module imports, anywhere and for whatever."""
    names = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom):
            names |= _from(path, node)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    inner = {name.removeprefix("scoopmpi.") for name in names}
    return (inner & NAMES.keys()) - {module_name(path)}


def _from(path: Path, node: ast.ImportFrom) -> set[str]:
    folder = ("scoopmpi", *path.relative_to(PACKAGE).parent.parts)
    base = folder[: len(folder) - node.level + 1] if node.level else ()
    within = ".".join(filter(None, (*base, node.module)))
    inner = [f"{within}.{alias.name}" for alias in node.names]
    modules = [name for name in inner if name.removeprefix("scoopmpi.") in NAMES]
    return {*modules, within} if len(modules) < len(inner) else set(modules)


def test_the_top_of_the_package_holds_what_users_name() -> None:
    top = {path.stem for path in PACKAGE.glob("*.py")}
    assert top == {"__init__", "__main__", "futures", "shared", "task", "myscoop", "mympirun"}


def test_every_folder_is_a_room() -> None:
    folders = {path.parent for path in MODULES}
    found = {module_name(folder / "__init__.py") for folder in folders}
    ours = {name for name in found if not name.startswith("compat.")}
    assert ours == {name for name in ROOMS if name not in {"futures", "shared", "task"}}


def test_every_room_is_installed() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    installed = {name.removeprefix("scoopmpi.") for name in settings["options"]["packages"].split()}
    rooms = {*ROOMS, "scoop"} - {"futures", "shared", "task"}
    assert installed == rooms


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_go_up_the_table_only(path: Path) -> None:
    mine = room(module_name(path))
    for name in imported(path):
        assert ROOMS.index(room(name)) <= ROOMS.index(mine), f"{mine} imports {name}"


@pytest.mark.parametrize("name", sorted(APART))
def test_some_rooms_know_nothing_of_each_other(name: str) -> None:
    for module, path in NAMES.items():
        if room(module) == name:
            others = {room(other) for other in imported(path)} - {name}
            assert not others & APART[name]
            assert name != "scheduling" or not others


def test_no_room_has_a_circle() -> None:
    below = {module: imported(path) for module, path in NAMES.items()}
    while free := {module for module, others in below.items() if not others}:
        below = {module: others - free for module, others in below.items() if module not in free}
    assert not below, f"these import each other, or from those that do: {sorted(below)}"


def test_only_transport_imports_mpi4py() -> None:
    for path in MODULES:
        imports = [
            node for node in ast.walk(parsed(path))
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]  # fmt: skip
        names = {alias.name for node in imports for alias in node.names}
        names |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
        if any(name.startswith("mpi4py") for name in names):
            assert module_name(path) == "wire.transport"


def test_launcher_and_farm_share_no_import() -> None:
    for module, path in NAMES.items():
        if module.startswith("launch") or module in {"myscoop", "mympirun"}:
            rooms = {name.split(".")[0] for name in imported(path)} - {"scoopmpi"}
            assert rooms <= LAUNCH_KNOWS, module


def test_the_launcher_reaches_nothing_that_runs_tasks() -> None:
    """Through whatever it shares: an import inside a function counts."""
    seen = {module for module in NAMES if room(module).partition(".")[0] == "launch"}
    left = [*seen]
    while left:
        further = imported(NAMES[left.pop()]) - seen
        seen |= further
        left += further
    running = {"farm", "worker", "executors", "ranks", "futures"}
    assert not {room(module) for module in seen} & {*running, "sweep.conducting", "sweep.running"}


@pytest.mark.ranks
def test_a_worker_imports_little() -> None:
    """Each module is a file that every rank opens, often on a slow shared file system."""
    code = (
        "import sys, scoopmpi.worker.worker, scoopmpi.output.worker_output,"
        "scoopmpi.program.running; print(*sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    loaded = set(answer.stdout.split())
    heavy = {"numpy", "cloudpickle", "click", "subprocess", "asyncio"}
    assert not loaded & {*heavy, "scoopmpi.farm", "scoopmpi.executors", "scoopmpi.checkpoint"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_opens_with_its_law_and_is_small(path: Path) -> None:
    tree = parsed(path)
    assert ast.get_docstring(tree), "a module opens with what lives here"
    assert len(path.read_text().splitlines()) <= 340
    if "compat" in path.parts:
        return  # the names there are SCOOP's
    assert path.stem not in {"utils", "util", "helpers", "common", "core", "base", "types"}


STATE = {
    "checkpoint.code_digest": "digests take long, and what they are of seldom changes",
    "checkpoint.digests": "the same for functions",
    "checkpoint.file": "forked children close the files that the process has open",
    "checkpoint.file_checks": "the kernel's locks of files are the process's",
    "compat.scoop.utils": "a dictionary of SCOOP's, by its name there",
    "constants.private_memory": "how many files and mappings a process may have is the process's",
    "executors.comm_executor": "blocks may overlap, and each process has one stack of them",
    "executors.program_ranks": "MPI's COMM_WORLD is one for the process",
    "output.console": "they stand in the place of sys.stdout and sys.stderr, or a notebook does",
    "process.signals": "handlers are the process's; a forked child has to give them back",
    "program.scoop_names": "SCOOP's programs expect the same dictionary each time",
    "shared": "each name is warned of once in a process",
    "tasks.current_executor": "`futures` has no handle: it speaks to the executor of the process",
    "tasks.pedigree": "grows while modules are imported: code that runs tasks on its stack",
    "tasks.initializer": "an initializer runs once in a process, whichever executor has brought it",
    "tasks.unknown_keywords": "each keyword is warned of once in a process",
    "tasks.wrapped": "grows while modules are imported: code that hands on the user's function",
    "tasks.limit": "the alarm (SIGALRM) is one for the process, and its handler gets no argument",
    "wire.payload": "pickle's hooks get no handle: what workers lack, and numpy's scalars",
}
"""Modules whose own variables change while they are used, and why each may. What a process is and
its ways to others are objects: `identity.this`, `supervisor.link`, `lifeline.command`."""
_CHANGES = frozenset(
    ("append", "add", "update", "pop", "clear", "remove", "discard", "setdefault", "insert")
)


def changing(path: Path) -> set[str]:
    """The variables of a module that its functions bind anew, or whose content they change."""
    tree = ast.parse(path.read_text())
    own = {
        target.id
        for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }  # fmt: skip
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            found |= set(node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in _CHANGES and isinstance(node.func.value, ast.Name):
                found.add(node.func.value.id)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            found |= {node.value.id} if isinstance(node.value, ast.Name) else set()
    return found & own


def test_state_of_modules_has_a_reason() -> None:
    found = {module for module, path in NAMES.items() if changing(path)}
    assert found == STATE.keys()


def test_only_its_methods_write_who_this_process_is() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            targets = node.targets if isinstance(node, ast.Assign) else []
            written = [
                ast.unparse(each) for each in targets if "identity.this" in ast.unparse(each)
            ]
            assert not written, f"{module_name(path)} writes {written}"


@pytest.mark.ranks
def test_ruff() -> None:
    for words in (["check"], ["format", "--check"]):
        answer = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "scoopmpi", "tests", "benchmarks"],
            cwd=ROOT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert answer.returncode == 0, answer.stdout[-3000:]


@pytest.mark.ranks
def test_mypy() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert answer.returncode == 0, answer.stdout[-3000:]
