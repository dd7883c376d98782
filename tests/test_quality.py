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

# A module may import modules of its own floor's right-hand side only; all others are free of the
# project's imports. Reading it from the top is reading the design.
FLOORS = {
    "runtime": set(),
    "batching": set(),
    "pause": set(),
    "standin": set(),
    "output": set(),
    "witness": set(),
    "messages": set(),
    "broadcast": set(),
    "hostmemory": set(),
    "program": set(),
    "names": {"program", "runtime"},
    "scoop_options": set(),
    "surroundings": {"names", "scoop_options"},
    "profiling": set(),
    "shell": {"launch", "runtime"},
    "starting": {"launch", "program", "scoop_options"},
    "ranges": set(),
    "deliveries": set(),
    "runners": set(),
    "scheduler": {"batching", "ranges"},
    "simulator": {"batching", "ranges", "scheduler"},
    "payload": {"messages"},
    "transport": {"messages"},
    "failure": {"messages", "payload"},
    "constants": {"failure", "hostmemory", "messages", "payload", "runtime"},
    "shared": {"constants", "executor", "runtime"},
    "domain": set(),
    "sharing": {
        "broadcast", "constants", "domain", "failure", "farm", "hostmemory", "messages", "nest",
    },
    "inbox": {"functions", "messages", "nest", "sharing", "transport"},
    "dispatch": {
        "calls", "functions", "job", "messages", "offers", "ranges", "scheduler", "section",
        "transport",
    },
    "source": {"payload"},
    "job": {"failure", "messages", "payload", "source"},
    "calls": {"job", "messages", "payload"},
    "driver": {"pause", "scheduler", "standin"},
    "members": {"messages"},
    "functions": {"job", "messages", "payload"},
    "offers": {"job", "messages", "payload"},
    "closing": {"members", "pause"},
    "running": {"failure", "messages", "payload", "runtime", "stateless"},
    "aside": {"messages", "running"},
    "worker": {
        "aside", "domain", "inbox", "messages", "nest", "pause", "running", "standin",
        "transport",
    },
    "isolation": {"failure", "job", "payload", "runtime"},
    "nested": {"isolation", "job", "messages", "payload", "source"},
    "nested_calls": {"executor", "failure", "isolation", "job", "messages", "payload"},
    "nested_values": {"failure", "nest", "nested"},
    "nest": {
        "executor", "failure", "inbox", "job", "messages", "nested", "nested_calls",
        "nested_values", "pause", "runners", "sharing", "waiters",
    },
    "waiters": set(),
    "reduction": {"executor", "source"},
    "section": set(),
    "stateless": set(),
    "farm": {
        "batching", "calls", "closing", "deliveries", "dispatch", "driver", "failure", "job",
        "members", "messages", "offers", "output", "ranges", "scheduler", "section", "sharing",
        "transport",
    },
    "results": {"failure", "farm", "job"},
    "executor": {"failure", "farm", "job", "pause", "payload", "results", "runtime", "sharing"},
    "preparation": {"failure"},
    "pep3148": {"executor", "preparation", "results"},
    "pool": {"executor", "failure", "job", "pep3148"},
    "collective": {
        "executor", "farm", "payload", "pep3148", "preparation", "program", "runtime", "transport",
        "worker",
    },
    "futures": {"executor", "reduction", "runtime"},
}  # fmt: skip


def imported(path: Path) -> set[str]:
    """The modules of the project that a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names |= {node.module.split(".")[0]} if node.module else {a.name for a in node.names}
    return names


@pytest.mark.parametrize("module", FLOORS)
def test_imports_go_down_only(module: str) -> None:
    assert imported(PACKAGE / f"{module}.py") <= FLOORS[module]


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
        PACKAGE / "starting.py",
    ]:
        assert not imported(path) & farm, path


def test_a_worker_imports_little() -> None:
    """Each module is a file that every rank opens, often on a slow shared file system."""
    code = "import sys, scoopmpi.worker, scoopmpi.output, scoopmpi.program; print(*sys.modules)"
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
