"""docs/start.md, docs/job-scripts.md and the README: their commands are run, in one shell each."""

from __future__ import annotations

import ast
import re
import shutil
import sys
from pathlib import Path

import pytest

from scoopmpi import myscoop
from scoopmpi.launch import own_commands
from tests.launch.test_jobscripts import scripts
from tests.support.libraries import ROOT, Library
from tests.support.starting import start

BASH = shutil.which("bash") or "bash"
START = (ROOT / "docs" / "start.md").read_text()
JOB_SCRIPTS = (ROOT / "docs" / "job-scripts.md").read_text()
TROUBLES = (ROOT / "docs" / "troubleshooting.md").read_text()
README = (ROOT / "README.md").read_text()
JOBSCRIPTS = ROOT / "jobscripts"
PROGRAMS = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", START, re.DOTALL))
BLOCKS = re.compile(r"```bash\n(.*?)```", re.DOTALL)
PRINTED = re.compile(r"```bash\n(?:[^`]*)```\n\n((?: {4}.*\n)+)")
SHOWN_ELSEWHERE = ("python3 -m venv", ". .venv", "pip install", "myscoop -n 2 sanity")
"""How these lines begin: `.ci/run` installs, `tests/programs/test_example_programs.py` shows what
the first program prints."""


def commands(page: str) -> list[str]:
    """The page's own lines for a shell; scripts of batch jobs are no such lines."""
    blocks = [block for block in BLOCKS.findall(page) if "#!/bin/bash" not in block]
    lines = [line.partition("  #")[0].rstrip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(SHOWN_ELSEWHERE)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with the programs of the page, and commands as a user has them."""
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(text)
    for name in ("squares.py", "spectra.py"):
        shutil.copy(JOBSCRIPTS / name, tmp_path)
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "myscoop").write_text(f"#!/bin/sh\nexec '{sys.executable}' -m scoopmpi.myscoop \"$@\"\n")
    (bin / "myscoop").chmod(0o755)
    return tmp_path


def run(library: Library, place: Path, lines: list[str], options: str = "") -> tuple[str, str]:
    """Run the lines in one shell that stops at the first failure; what it prints, and stderr."""
    paths = f"{place / 'bin'}:{library.env['PATH']}"
    env = {**library.env, "PATH": paths}
    script = "\n".join(["set -euo pipefail", *lines])
    answer = start(Library(library.name, env), [BASH, "-c", script], place, timeout=110)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout, answer.stderr


FIRST, REST = START.split("## See what it does")


def test_first_steps(first_library: Library, place: Path) -> None:
    """Programs print what the page says, with two workers and with three."""
    lines = commands(FIRST)
    shown = [re.sub(r"(?m)^ {4}", "", text) for text in PRINTED.findall(FIRST)]
    assert len(lines) == len(shown) == 3 and all(line.startswith("myscoop ") for line in lines)
    out, _ = run(first_library, place, lines)
    assert out == "".join(shown)


def test_what_a_run_does_is_seen(first_library: Library, place: Path) -> None:
    """The last commands look at what the ones before have left."""
    lines = commands(REST)
    assert len(lines) == 6 and all(line.startswith("myscoop ") for line in lines)
    out, _ = run(first_library, place, lines)
    (walks, _, _) = (re.sub(r"(?m)^ {4}", "", text) for text in PRINTED.findall(FIRST))
    assert out.count(walks) == 2  # from the checkpoint, the second time
    assert re.search(r"^1 +distance +500 of 500 ", out, re.MULTILINE)  # in the checkpoint
    assert "#SBATCH --ntasks-per-node=8" in out  # of --as
    assert (place / "walks.html").stat().st_size > 10_000
    assert "distance" in (place / "walks.csv").read_text()


def test_programs_of_the_page_are_as_short_as_it_says() -> None:
    assert list(PROGRAMS) == ["walks.py", "kinds.py"]
    for text in PROGRAMS.values():
        ast.parse(text)
        assert len(text.splitlines()) < 30


def test_the_script_of_a_batch_job_has_lines_that_others_test() -> None:
    (script,) = (block for block in BLOCKS.findall(START) if "#!/bin/bash" in block)
    asked = re.findall(r"--[a-z-]+", script)
    tested = "".join(path.read_text() for path in JOBSCRIPTS.glob("*.slurm"))
    assert asked and all(option in tested for option in asked)


WAYS = re.compile(r"^\| `([^|]+)` \|", re.MULTILINE)


@pytest.mark.parametrize("page", [START, README], ids=["start", "README"])
def test_options_of_the_commands_are_known(page: str) -> None:
    known = {name for param in myscoop.main.params for name in (*param.opts, *param.secondary_opts)}
    for command in WAYS.findall(page):
        words = command.split()
        if words[0] == "myscoop" and words[1] not in (*own_commands.NAMES, "sweep"):
            options = [word.partition("=")[0] for word in words[1:] if word.startswith("-")]
            behind = options.index("--seed") if "--seed" in options else len(options)
            assert set(options[:behind]) <= known, command


def test_what_troubleshooting_asks_first(first_library: Library, place: Path) -> None:
    lines = [line for line in commands(TROUBLES) if line.startswith("myscoop ")]
    assert len(lines) == 2
    out, said = run(first_library, place, lines)
    assert "First 100 squares" in out
    assert "worker 1 joined" in said


SCRIPTS = re.compile(r"^\[(\S+)\]\(\S+\):\n\n```\w+\n(.*?)```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(("name", "text"), SCRIPTS.findall(JOB_SCRIPTS))
def test_a_script_of_the_page_is_the_one_that_is_tested(name: str, text: str) -> None:
    assert text.rstrip() == (JOBSCRIPTS / name).read_text().rstrip()


def test_every_batch_system_and_every_script_is_on_the_page() -> None:
    shown = {name for name, _ in SCRIPTS.findall(JOB_SCRIPTS)}
    linked = set(re.findall(r"\]\(\.\./jobscripts/([^)]+)\)", JOB_SCRIPTS))
    assert scripts() - {"__pycache__"} <= shown | linked
    headings = re.findall(r"^## (.*)$", JOB_SCRIPTS, re.MULTILINE)
    systems = re.findall(r"^\| \[([^|]*)\]\(#[^|]*\|", JOB_SCRIPTS, re.MULTILINE)
    named = {name for cell in systems for name in re.findall(r"[A-Z]\w[\w ]+", cell)}
    assert all(any(name.split()[0] in head for head in headings) for name in named)


def test_commands_beside_the_scripts(first_library: Library, place: Path) -> None:
    lines = [line for line in commands(JOB_SCRIPTS) if line.startswith("myscoop ")]
    assert len(lines) == 4
    out, _ = run(first_library, place, lines)
    assert "First 100 squares" in out and "-l select=2" in out
