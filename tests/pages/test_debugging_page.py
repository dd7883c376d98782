"""The examples of docs/debugging.md do what the page says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scoopmpi.program import scoop_options
from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, start

pytestmark = pytest.mark.timeout(90)
PAGE = (ROOT / "docs" / "debugging.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
EXAMPLES = dict(text.removeprefix("# ").split("\n", 1) for kind, text in BLOCKS if kind == "python")
SHOWN = [text.splitlines() for kind, text in BLOCKS if not kind]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The page's program, as it stands there: its lines have the numbers that the page shows."""
    (tmp_path / "prog.py").write_text(f"# prog.py\n{EXAMPLES['prog.py']}")
    return tmp_path / "prog.py"


def shown(beginning: str) -> list[str]:
    """The lines of the page's block that begins so, without those that leave something out."""
    block = next(block for block in SHOWN if block[0].startswith(beginning))
    return [line for line in block if line.strip() not in ("", "...") and "~^~" not in line]


def test_the_page_has_the_examples_that_are_tested_here() -> None:
    assert set(EXAMPLES) == {"prog.py", "shell.py", "hangs.py"}
    for task in re.findall(r"^\| `(\S+)` \| (?:task|the call)", PAGE, re.MULTILINE):
        assert scoop_options.task(task) == task


@pytest.mark.ranks
def test_all_in_one_process(program: Path) -> None:
    done = subprocess.run(
        [sys.executable, "prog.py"], cwd=program.parent, text=True, capture_output=True, timeout=30
    )
    assert "Start it with: myscoop PROGRAM" in done.stderr
    for line in shown("$ python prog.py")[1:]:
        assert line.replace("prog.py", str(program)) in done.stderr


def test_a_traceback(first_library: Library, program: Path) -> None:
    done = start(first_library, [*MYSCOOP, "-n", "2", "prog.py"], program.parent)
    for line in shown("$ myscoop prog.py")[1:]:
        known = line.replace('"prog.py"', f'"{program}"').partition(" on rank 2")[0]
        assert known in done.stderr


def test_one_task_with_commands_from_a_file(first_library: Library, program: Path) -> None:
    block = shown("scoopmpi: task 3 of fit")
    typed = [line.removeprefix("(Pdb) ") for line in block if line.startswith("(Pdb) ")]
    commands = "\n".join([*typed, "continue", "q", ""])
    done = subprocess.run(
        [*MYSCOOP, "-n", "2", "--debug-task", "fit:3", "prog.py"], input=commands, text=True,
        cwd=program.parent, env=first_library.env, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    for line in block:
        said = line if not line.startswith("(Pdb)") else "(Pdb) "
        assert said.replace("> prog.py", f"> {program}") in done.stdout + done.stderr


def test_breakpoint_in_a_task(first_library: Library, program: Path) -> None:
    text = program.read_text().replace("    rest =", "    if x == 3: breakpoint()\n    rest =")
    program.write_text(text)
    done = start(first_library, [*MYSCOOP, "-n", "2", "prog.py"], program.parent)
    for line in shown("scoopmpi.TaskError: breakpoint()"):
        assert line.replace("prog.py", shlex.quote(str(program))) in done.stderr.replace(
            " prog.py", f" {program}"
        )


def test_where_tasks_hang(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "hangs.py").write_text(EXAMPLES["hangs.py"])
    done = start(first_library, [*MYSCOOP, "-n", "2", "hangs.py"], tmp_path)
    assert (done.returncode, done.stdout) == (0, "6\n")
    assert re.search(
        r"Timeout \(0:00:00\.5.*\)!\n(.*\n)*  File .*hangs\.py., line \d+ in fit\n", done.stderr
    )


def test_ipython_as_a_program(first_library: Library, tmp_path: Path) -> None:
    """With a module of that name that says what it was asked for."""
    (tmp_path / "IPython.py").write_text(
        "def start_ipython(argv, user_ns):\n"
        "    print(argv, list(user_ns['futures'].map(abs, [-1, -2])))\n"
    )
    (tmp_path / "shell.py").write_text(EXAMPLES["shell.py"])
    done = start(first_library, [*MYSCOOP, "-n", "2", "shell.py"], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[] [1, 2]\n", "")
