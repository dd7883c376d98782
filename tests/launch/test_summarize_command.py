"""`myscoop summarize LOG`: which words mean it, what it prints, and with which status it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result

from scoopmpi.launch import own_commands, summarize_command
from scoopmpi.sweep.log import about, lines
from tests.support.command_runner import runner

from ..sweep.log.ends import end, whole

HEADER = lines.run(about.of_this_run({"words": ["--data", "t.csv"]}))
LOG = HEADER + lines.items(3, 0, 0) + whole(end(1)) + whole(end(2, status=3))


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "run.log"
    path.write_bytes(LOG)
    return str(path)


def shown(*words: str, **given: object) -> Result:
    return runner().invoke(summarize_command.command, words, standalone_mode=False, **given)  # type: ignore[arg-type]


def test_the_word_is_a_program_where_one_lies_here(
    log: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "summarize.py").touch()
    (tmp_path / "data.csv").write_text("a,b\n")
    assert not own_commands.meant(["summarize", "data.csv"])
    assert not own_commands.meant(["summarize", "none"])
    assert own_commands.meant(["summarize", "--json", "run.log"])


def test_a_log_in_lines(log: str) -> None:
    answer = shown(log)
    assert answer.return_value == 0
    assert answer.stdout.startswith("run.log: 1 of 3 done, 1 failed, 1 left; it runs\n")
    assert "\x1b" not in answer.stdout and "--data t.csv" in answer.stdout


@pytest.mark.parametrize(("variables", "coloured"), [
    ({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False),
])  # fmt: skip
def test_colours_are_for_terminals(
    log: str, variables: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert ("\x1b" in shown(log, env=variables, color=True).stdout) is coloured


def test_a_log_for_programs(log: str) -> None:
    answer = json.loads(shown("--json", log).stdout)
    assert answer["standing"] == {"total": 3, "done": 1, "failed": 1, "left": 1}
    assert answer["failures"] == [{"why": "exit status 3", "items": 1, "numbers": [2]}]
    assert shown("--failed", log).stdout == "2\n"


def test_what_cannot_be_shown_is_a_line_and_2(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("remember")
    for name, why in (
        ("notes.txt", "is not the log of a sweep"),
        ("none", "No such file"),
        (".", "Is a"),
    ):
        answer = shown(str(tmp_path / name))
        assert answer.return_value == 2 and answer.stdout == ""
        assert answer.stderr.startswith("Error: ") and why in answer.stderr


def test_a_log_that_is_empty_or_ends_within_a_line(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.touch()
    assert shown(str(path)).stdout == "run.log: 0 done, 0 failed\n"
    path.write_bytes(HEADER + whole(end(1))[:-1] + b"\r")
    assert shown(str(path)).stdout.startswith("run.log: 0 done, 0 failed; it runs")
