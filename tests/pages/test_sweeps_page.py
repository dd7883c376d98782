"""Every command of docs/sweeps.md runs, and prints what the page says.

A `console` block is what a terminal shows: behind `$ ` stand commands, the rest is printed. Files
are shown by `cat`: one that is not there yet is made as it is shown. A `bash` block is a script.
"""

from __future__ import annotations

import functools
import os
import platform
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from scoopmpi import myscoop
from scoopmpi.launch import sweep_words
from scoopmpi.sweep import options
from scoopmpi.sweep.options import PARAMETERS
from tests.support import fake_pbs
from tests.support.libraries import ROOT, Library
from tests.support.starting import start

pytestmark = pytest.mark.timeout(120)
PAGE = (ROOT / "docs" / "sweeps.md").read_text()
NEXT = "---- next command ----"
FRAMEWORK = ("wsub", "wresume", "wsummarize", "wload", "wcat", "wreduce")
MODULES = {
    "myscoop": "scoopmpi.myscoop",
    **{name: f"scoopmpi.launch.worker_framework.{name}" for name in FRAMEWORK},
}
"""The page's commands, as they are installed."""
BLOCK = re.compile(r"^```(console|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Command(NamedTuple):
    """A command of the page, and what it prints there; None where the page does not say it."""

    text: str
    shown: list[str] | None

    @property
    def file(self) -> str | None:
        """The file that it shows, where it is a `cat` of one."""
        words = self.text.split()
        return words[1] if len(words) == 2 and words[0] == "cat" else None


Block = list[Command]


def commands(kind: str, text: str) -> Block:
    """Return the commands of a block."""
    if kind == "bash":
        return [Command(f"set -e\n{text}", None)]
    found: Block = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        elif line.startswith("> ") and not found[-1].shown:
            found[-1] = Command(f"{found[-1].text}\n{line[2:]}", [])
        else:
            shown = found[-1].shown
            assert shown is not None
            shown.append(line)
    return found


def sections() -> Iterator[tuple[str, list[Block]]]:
    """Return the sections of the page that have commands, by their headings."""
    for text in re.split(r"^#+ (?=.*\n)", PAGE, flags=re.MULTILINE)[1:]:
        found = [commands(*block) for block in BLOCK.findall(text)]
        if found:
            yield text.partition("\n")[0], found


SECTIONS = dict(sections())


def files_above(heading: str) -> Iterator[Command]:
    """Return the commands that show files, of all sections above this one."""
    for name, blocks in SECTIONS.items():
        if name == heading:
            return
        yield from (each for block in blocks for each in block if each.file)


def made(command: Command, directory: Path) -> None:
    """Make the file that a command shows, where it is not there."""
    if command.file is None or (directory / command.file).exists():
        return
    path = directory / command.file
    assert command.shown is not None
    path.write_text("".join(f"{line}\n" for line in command.shown))
    path.chmod(0o755 if command.shown[0].startswith("#!") else 0o644)


@functools.cache
def node() -> str:
    return platform.node()


def masked(line: str) -> str:
    """Return a line without what differs from run to run: times, hosts, workers."""
    line = line.replace(node(), "node017")
    line = re.sub(r"\b\d+(\.\d+)? (ms|s|min|h)\b", "TIME", line)
    line = re.sub(r"\b\d\d:\d\d:\d\d\b", "CLOCK", line)
    line = re.sub(r"\bworker \d+", "worker N", line)
    return re.sub(r"\s+", " ", line).strip()


def pattern(shown: list[str]) -> str:
    """Return the expression for what the page shows: `…` is anything, alone any lines."""
    lines = [
        "(?:.*\n)*" if line.strip() == "…" else re.escape(masked(line)).replace("…", ".*") + "\n"
        for line in shown
    ]
    return "".join(lines)


@pytest.fixture
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the commands, and a qsub."""
    directory = tmp_path_factory.mktemp("programs")
    for name, module in MODULES.items():
        path = directory / name
        path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n')
        path.chmod(0o755)
    return fake_pbs.install(directory)


@pytest.fixture
def here(first_library: Library, programs: Path) -> Library:
    """The environment in which the page's commands run: two workers, on this machine."""
    own = {
        "PATH": f"{programs}:{os.environ['PATH']}", "MYMPIRUN_SCHED": "local",
        "MYMPIRUN_UNIVERSE": "2", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    return Library(first_library.name, first_library.env | own)


def printed(here: Library, directory: Path, block: Block) -> list[str]:
    """Run the commands of a block in one shell; return what each prints: stdout, then stderr."""
    script = "".join(
        f"{{ {each.text}\n}} 2>.stderr; _s=$?; cat .stderr; echo '{NEXT}'; (exit $_s)\n"
        for each in block
    )
    answer = start(here, ["bash", "-c", script], directory)
    found = answer.stdout.split(f"{NEXT}\n")
    assert found.pop() == "", answer.stdout
    return found


@pytest.mark.first
@pytest.mark.parametrize("heading", SECTIONS)
def test_a_section(here: Library, tmp_path: Path, heading: str) -> None:
    for command in files_above(heading):
        made(command, tmp_path)
    for block in SECTIONS[heading]:
        for command in block:
            made(command, tmp_path)
        for command, text in zip(block, printed(here, tmp_path, block), strict=True):
            if command.shown is not None:
                found = "".join(f"{masked(line)}\n" for line in text.splitlines())
                assert re.fullmatch(pattern(command.shown), found), f"{command.text}\n{text}"


OF_OTHER_PROGRAMS = {
    "--csv", "--stdout", "--stderr", "--failed", "--json",  # myscoop results, myscoop summarize
    "--header", "--colsep", "--resume-failed", "--time",  # parallel, sbatch
}  # fmt: skip
FOUND = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", PAGE))
OF_OTHERS = re.compile(r"^\| (?:[^|\n]|\\\|)*", re.MULTILINE)
"""The first cell of each row: behind "Coming from", what other programs call it."""


def test_each_option_of_a_sweep_is_on_the_page() -> None:
    assert [each.opts for each in PARAMETERS if not each.hidden and not FOUND & {*each.opts}] == []


def test_options_on_the_page_are_known() -> None:
    above, _, behind = PAGE.partition("## Coming from the worker framework")
    text = above + OF_OTHERS.sub("", behind)
    known = {name for each in (*PARAMETERS, *myscoop.main.params) for name in each.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= known | OF_OTHER_PROGRAMS


IN_TEXT = re.compile(r"`((?:[^`|\n]|\\\|)*myscoop (?:[^`\n]*? )?sweep [^`\n]+)`")


def lines_in_text() -> Iterator[str]:
    """Return the command lines of the page that no test runs: of plain blocks, and in the text."""
    yield from re.findall(r"^myscoop sweep .*", PAGE, re.MULTILINE)
    for text in IN_TEXT.findall(PAGE):
        alone = text.replace("\\|", "|").rpartition("| ")[2].replace(" N ", " 2 ")
        yield alone.replace("…", "program" if "--" in alone.partition("sweep")[2] else "-t 1 x")


@pytest.mark.parametrize("line", list(lines_in_text()))
def test_command_lines_in_the_text_are_understood(line: str) -> None:
    words = sweep_words.in_front(shlex.split(line)[1:], myscoop.main.params)
    myscoop.main.make_context("myscoop", [*words])
    assert options.parsed(words[words.index("sweep") + 1 :])
