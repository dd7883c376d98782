"""How a rank starts: what it loads, and where it finds its words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import scoopmpi.__main__
from scoopmpi.process import words
from tests.support.libraries import Library
from tests.support.starting import start

pytestmark = pytest.mark.timeout(60)
MOST_MODULES = 70
"""Of ours, packages too, on a worker at its first task. Each is a file that all ranks open at once,
often on a slow shared file system; before the rooms there were 66. What only large arrays need is
loaded with the first of them, but for malloc's thresholds and what is under way."""
PROGRAM = """
import sys

def loaded(_):
    return sorted(name for name in sys.modules if name.partition(".")[0] == "scoopmpi")

if __name__ == "__main__":
    from scoopmpi import futures
    print(*list(futures.map(loaded, [0]))[0])
"""


def test_a_worker_has_loaded_little_at_its_first_task(
    first_library: Library, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "scoopmpi", "-n", "2", "program.py"]
    answer = start(first_library, command, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    modules = answer.stdout.split()
    assert "scoopmpi.worker.worker" in modules
    assert len(modules) <= MOST_MODULES, modules


def test_words_of_variables_are_looked_for_where_they_are() -> None:
    assert list(words.as_variables(["a", "b"])) == [scoopmpi.__main__.FIRST_WORDS]


def test_a_start_of_the_module_loads_no_click(first_library: Library, tmp_path: Path) -> None:
    """It reads its few options itself: the library of `myscoop` would cost 30 ms of each start."""
    command = [sys.executable, "-X", "importtime", "-m", "scoopmpi", "-n", "2", "-c", "pass"]
    answer = start(first_library, command, cwd=tmp_path)
    assert answer.returncode == 0 and "scoopmpi.launch.scoop_command" in answer.stderr
    assert "click" not in answer.stderr
