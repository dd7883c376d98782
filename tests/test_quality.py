"""The tree itself: style, types, floors and house rules."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

PACKAGE = ROOT / "scoopmpi"
MODULES = sorted(PACKAGE.rglob("*.py"))

# The floors, from the ground up: a module imports from floors below its own only (what it imports
# for annotations alone does not count). Reading them is reading the design. The launcher's folder,
# the ready programs and SCOOP's names stand beside: they share nothing with the farm.
FLOORS: tuple[set[str], ...] = (
    {
        "pause", "process.deadline", "process.fuse", "process.lines", "process.naming",
        "process.outlet", "process.signals", "process.strays", "process.streams", "reports",
    },
    {"process.ends"},
    {
        "runtime", "messages", "batching", "ranges", "section", "standin", "stateless",
        "deliveries", "scoop_options", "topology", "constants.broadcast", "constants.domain",
        "constants.hostmemory", "nests.runners", "nests.waiters", "nests.blocking",
        "process.connections", "process.console", "process.daemon", "process.interpreter",
        "process.neighbours", "process.output", "process.profiling", "process.program",
        "process.status", "process.spawned.SCOOP_WORKER", "process.stdin",
        "process.witness", "process.words", "readers", "timeouts", "unfinished",
    },
    {
        "process.ending", "process.lifeline", "checkpoint.admission",
        "checkpoint.frames", "checkpoint.origins",
    },
    {"checkpoint.rows", "process.stopping", "restarting"},
    {"checkpoint.database"},
    {"checkpoint.show", "checkpoint.writer"},
    {"checkpoint.file"},
    {
        "scheduler", "payload", "transport", "members", "starting", "nests.desk",
        "process.gpus", "process.names", "process.pinning", "process.shell", "process.strangers",
    },
    {
        "simulator", "failure", "source", "driver", "closing", "launching", "leaving",
        "attributes", "process.surroundings", "process.wishes",
    },
    {"limit", "lookout", "outcomes", "starred", "submitted", "wrapper"},
    {
        "borrowed", "job", "running", "preparation", "myscoop", "mympirun", "constants.store",
        "serial",
    },
    {"checkpoint.pickles"},
    {"checkpoint.bodies"},
    {"checkpoint.identity"},
    {"checkpoint.record"},
    {"checkpoint.opening"},
    {
        "calls", "functions", "results", "constants.sharing", "nests.aside", "nests.isolation",
        "nests.offers", "unread",
    },
    {"dispatch", "executor", "losses", "nests.maps", "resting", "taken", "buffered"},
    {"nests.relay", "shared", "reduction", "pep3148", "nests.calls", "nests.left", "nests.values"},
    {"incoming"},
    {"farm", "futures", "later", "nests.away", "nests.rest"},
    {"nests.nest"},
    {"inbox"},
    {"worker"},
    {"collective", "rank0"},
    {"crew"},
    {"leading"},
    {"pool"},
)  # fmt: skip
BESIDE = ("launch", "workers", "compat")


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def imported(path: Path) -> set[str]:
    """The modules of the project that a module imports, anywhere but for annotations."""
    base = path.relative_to(PACKAGE).parent.parts
    names = set()
    tree = ast.parse(path.read_text())
    tree.body = [node for node in tree.body if not for_annotations(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            parts = [*base[: len(base) - node.level + 1], *(node.module or "").split(".")]
            within = ".".join(filter(None, parts))
            for alias in node.names:
                name = f"{within}.{alias.name}".strip(".")
                module = PACKAGE.joinpath(*name.split(".")).with_suffix(".py")
                names.add(name if module.exists() else within)
    return names


def for_annotations(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


OURS = [
    path for path in MODULES
    if not path.stem.startswith("__") and path.relative_to(PACKAGE).parts[0] not in BESIDE
]  # fmt: skip


def test_every_module_has_its_floor() -> None:
    placed = [module for floor in FLOORS for module in floor]
    assert sorted(placed) == sorted(map(module_name, OURS))


@pytest.mark.parametrize("path", OURS, ids=module_name)
def test_imports_go_down_only(path: Path) -> None:
    place = next(n for n, floor in enumerate(FLOORS) if module_name(path) in floor)
    below = set().union(*FLOORS[:place])
    assert {name for name in imported(path) if name.split(".")[0] not in BESIDE} <= below


def test_the_scheduler_knows_numbers_only() -> None:
    assert imported(PACKAGE / "scheduler.py") == {"batching", "ranges"}


def test_only_transport_imports_mpi4py() -> None:
    for path in MODULES:
        imports = [
            node for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]  # fmt: skip
        names = {alias.name for node in imports for alias in node.names}
        names |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
        if any(name.startswith("mpi4py") for name in names):
            assert path == PACKAGE / "transport.py"


def test_launcher_and_farm_share_no_import() -> None:
    farm = {"farm", "worker", "scheduler", "job", "calls", "transport", "executor", "messages"}
    for path in [
        *(PACKAGE / "launch").rglob("*.py"),
        PACKAGE / "myscoop.py",
        PACKAGE / "mympirun.py",
        PACKAGE / "wrapper.py",
        PACKAGE / "starting.py",
    ]:
        assert not imported(path) & farm, path


def test_a_worker_imports_little() -> None:
    """Each module is a file that every rank opens, often on a slow shared file system."""
    code = (
        "import sys, scoopmpi.worker, scoopmpi.process.output, scoopmpi.process.program;"
        "print(*sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    loaded = set(answer.stdout.split())
    assert not loaded & {"numpy", "cloudpickle", "click", "scoopmpi.farm", "subprocess", "asyncio"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_opens_with_its_law_and_is_small(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a module opens with what lives here"
    assert len(path.read_text().splitlines()) <= 360
    if "compat" in path.parts:
        return  # the names there are SCOOP's
    assert path.stem not in {"utils", "util", "helpers", "common", "core", "base", "types"}


def test_ruff() -> None:
    for words in (["check"], ["format", "--check"]):
        answer = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "scoopmpi", "tests", "benchmarks"],
            cwd=ROOT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert answer.returncode == 0, answer.stdout[-3000:]


def test_mypy() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert answer.returncode == 0, answer.stdout[-3000:]
