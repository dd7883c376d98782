"""Options of `myscoop` among those of a sweep: which is whose."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scoopmpi import myscoop
from scoopmpi.launch import sweep_words


def in_front(words: str) -> str:
    return " ".join(sweep_words.in_front(words.split(), myscoop.main.params))


@pytest.mark.parametrize(
    ("words", "ordered"),
    [
        ("sweep -t 1-3 echo x", "sweep -t 1-3 echo x"),
        ("sweep -n 2 -t 1-3 echo x", "-n 2 sweep -t 1-3 echo x"),
        ("sweep -t 1-3 -n2 -v echo -n 3", "-n2 -v sweep -t 1-3 echo -n 3"),
        ("-n 4 sweep -n=2 --status s --data d x", "-n 4 -n=2 --status s sweep --data d x"),
        ("sweep --status=s --data=d x", "--status=s sweep --data=d x"),
        ("sweep --stop-before auto -v -t1-9 x", "--stop-before auto -v sweep -t1-9 x"),
        ("sweep --no-progress --reduce a b -t 1 x", "--no-progress sweep --reduce a b -t 1 x"),
        ("sweep --retries 3 -t 1 x --retries 4", "sweep --retries 3 -t 1 x --retries 4"),
        ("--retries 1 sweep --retries 3 -t 1 x", "--retries 1 sweep --retries 3 -t 1 x"),
        ("-D sweep -data d -batch b -dryrun", "-D sweep -data d -batch b -dryrun"),
        ("sweep -t 1 -n 2 -- -n 3", "-n 2 sweep -t 1 -- -n 3"),
        ("sweep --lines - -n 2 gzip", "-n 2 sweep --lines - gzip"),
        ("sweep --unknown -n 2 -t 1 x", "-n 2 sweep --unknown -t 1 x"),
        ("sweep -n", "-n sweep"),
        ("sweep", "sweep"),
        ("-n 2", "-n 2"),
        ("squares sweep -n 2", "squares sweep -n 2"),
        ("--scoop-module sweep squares -n 2", "--scoop-module sweep squares -n 2"),
    ],
)  # fmt: skip
def test_options_of_the_command_go_to_the_front(words: str, ordered: str) -> None:
    assert in_front(words) == ordered


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("sweep --retr", ["--retries", "--retry"]),
        ("sweep --data d --item", ["--item-timeout"]),
        ("sweep --reduce a b -t 1 --hyb", ["--hybrid"]),
        ("sweep --subst", []),
        ("sweep -t 1 gzip --retr", []),
        ("squares --retr", []),
    ],
)
def test_options_are_completed_until_the_command_begins(words: str, found: list[str]) -> None:
    *before, incomplete = words.split()
    assert sorted(sweep_words.taken(before, incomplete, myscoop.main.params)) == found


def test_a_program_of_that_name_keeps_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # a program is looked for here
    (tmp_path / "sweep.py").touch()
    assert in_front("sweep -n 2") == "sweep -n 2"
    assert sweep_words.answer_to(["sweep"]) is None


def test_only_sweeps_are_answered() -> None:
    assert sweep_words.answer_to(["squares"]) is None
    assert sweep_words.answer_to([]) is None
    answer = sweep_words.answer_to(["sweep", "-t", "1"])
    assert answer is not None and "which command?" in answer.text
