"""Options of ours behind the program: who is told, and who is left alone."""

from __future__ import annotations

import argparse
import copy
import operator
import optparse
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from scoopmpi import myscoop
from scoopmpi.launch.cli.setting import Setting
from scoopmpi.program import scoop_options, words_behind
from scoopmpi.program.words_behind import NAMES, Watched, ours
from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start

WORDS = ["scan.py", "10", "--checkpoint", "x", "--retries=2"]


def test_which_words_are_ours() -> None:
    assert ours(WORDS) == ["--checkpoint", "--retries"]
    assert ours(["-n", "8", "-n", "9"]) == ["-n"]
    assert ours(["--size", "1", "checkpoint", "--checkpoints", "--help", "-v", "8"]) == []


def test_all_options_are_known() -> None:
    settings = [param for param in myscoop.main.params if isinstance(param, Setting)]
    names = {name for param in settings for name in param.opts if name.startswith("--")}
    assert {*names, *scoop_options.NAMES} - {"--help", "--version"} == NAMES
    assert isinstance(myscoop.main, click.Command)


@pytest.mark.parametrize(
    "read",
    [
        lambda words: words[2], lambda words: words[1:], lambda words: words[-1:],
        list, lambda words: [*words], lambda words: "--other" in words,
        lambda words: [word for word in words if 0], lambda words: words.pop(2),
        lambda words: words.index("x"), lambda words: operator.add(words, ["y"]), repr,
        tuple, " ".join, lambda words: words.remove("x"), lambda words: words.count("x"), str,
        lambda words: subprocess.list2cmdline(["prog", *words]), reversed, sorted, set, enumerate,
        lambda words: argparse.ArgumentParser().parse_known_args(words[1:]),
        lambda words: words.copy(), lambda words: dict(enumerate(words)), lambda words: f"{words}",
    ],
)  # fmt: skip
def test_a_word_that_is_read_is_the_programs(read: Callable[[Any], object]) -> None:
    words = Watched(WORDS)
    read(words)
    assert words.read & {"--checkpoint", "--retries=2"}


def test_words_that_are_not_read() -> None:
    words = Watched(WORDS)
    assert len(words) == 5 and words[1] == "10" and words[0] == "scan.py"
    words[:] = WORDS
    assert words.read == {"scan.py", "10"}


def test_it_is_a_list() -> None:
    words = Watched(WORDS)
    assert isinstance(words, list) and words == WORDS and sorted(words) == sorted(WORDS)
    for other in (copy.copy(words), copy.deepcopy(words), pickle.loads(pickle.dumps(words))):
        assert type(other) is list and other == WORDS


class Program:
    """A program that may read its words, and what its user hears."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["scan.py", *words])
        self.said: list[str] = []
        self.behind = words_behind.watched(words, self.said.append)


def test_a_program_without_such_words_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Program(monkeypatch, "--size", "1").behind is None
    assert type(sys.argv) is list


def test_one_that_reads_them_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(monkeypatch, "--checkpoint", "x")
    assert program.behind is not None and sys.argv[1] == "--checkpoint"
    program.behind.task_made()
    program.behind.program_ended(0)
    assert program.said == []


def test_one_that_does_not_is_told_of_before_it_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(monkeypatch, "10", "--checkpoint", "x")
    assert program.behind is not None and sys.argv[1] == "10"
    program.behind.task_made()
    assert program.said == [
        "--checkpoint stands behind scan.py, so it is the program's, which has not read it; what "
        "is for the farm stands before: --checkpoint ... scan.py"
    ]
    program.behind.task_made()
    program.behind.program_ended(0)
    assert len(program.said) == 1


def leaves(by: Callable[[], object]) -> SystemExit:
    with pytest.raises(SystemExit) as leaving:
        by()
    return leaving.value


def by_argparse() -> None:
    argparse.ArgumentParser().parse_args()


def by_optparse() -> None:
    optparse.OptionParser().parse_args()


def by_click() -> None:
    click.Command("scan", params=[])()


@pytest.mark.parametrize("by", [by_argparse, by_optparse, by_click])
def test_one_that_refuses_them(
    monkeypatch: pytest.MonkeyPatch, by: Callable[[], object]
) -> None:  # fmt: skip
    program = Program(monkeypatch, "--retries=2")
    assert program.behind is not None
    program.behind.program_left(leaves(by))
    program.behind.program_ended(2)
    assert program.said == [
        "--retries stands behind scan.py, so it is the program's, which has refused it; what is "
        "for the farm stands before: --retries ... scan.py"
    ]


@pytest.mark.parametrize("number", ["4", "many"])
def test_one_that_refuses_something_else(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    def run() -> None:
        parser = argparse.ArgumentParser()
        parser.add_argument("--output")
        parser.add_argument("-n", type=int)
        parser.parse_args()
        parser.error("there is no file input.dat")

    program = Program(monkeypatch, "--output", "x", "-n", number)
    assert program.behind is not None
    program.behind.program_left(leaves(run))
    program.behind.program_ended(2)
    assert program.said == []


def test_how_a_program_ends_that_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for status, lines in ((0, 1), (2, 1), (1, 0), (143, 0)):
        program = Program(monkeypatch, "--retries=2", "-n", "4")
        assert program.behind is not None
        program.behind.program_ended(status)
        assert len(program.said) == lines
        start = "--retries, -n stand behind scan.py, so they are the program's, which has not read"
        assert not lines or program.said[0].startswith(start)


PROGRAM = """
import argparse, io, sys
from scoopmpi import futures

if __name__ == "__main__":
    if sys.argv[1] == "long":
        said = sys.stderr = io.StringIO()
        next(futures.map(abs, [1]))
        print("the first task has seen the line:", "--checkpoint stands behind" in said.getvalue())
        sys.exit()
    if sys.argv[1] != "none":
        parser = argparse.ArgumentParser()
        parser.add_argument("how")
        if sys.argv[1] == "own":
            parser.add_argument("--checkpoint")
        parser.parse_args()
    print(sum(futures.map(abs, range(10))))
"""


def test_what_users_see(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "scan.py").write_text(PROGRAM)
    words = [*MYSCOOP, "-n", "1", "scan.py"]
    ignored = start(first_library, [*words, "none", "--checkpoint", "x"], cwd=tmp_path)
    assert (ignored.returncode, ignored.stdout) == (0, "45\n")
    assert ignored.stderr.startswith("scoopmpi: --checkpoint stands behind scan.py, so it is the")
    assert ignored.stderr.count("\n") == 1
    long = start(first_library, [*words, "long", "--checkpoint", "x"], cwd=tmp_path)
    assert long.stdout == "the first task has seen the line: True\n"
    refused = start(first_library, [*words, "refuses", "--checkpoint", "x"], cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.endswith(
        "scan.py: error: unrecognized arguments: --checkpoint x\n"
        "scoopmpi: --checkpoint stands behind scan.py, so it is the program's, which has refused "
        "it; what is for the farm stands before: --checkpoint ... scan.py\n"
    )
    own = start(first_library, [*words, "own", "--checkpoint", "x"], cwd=tmp_path)
    assert (own.returncode, own.stdout, own.stderr) == (0, "45\n", "")
