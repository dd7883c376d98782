"""Which words are a command of `myscoop`, and which a program of that name."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from scoopmpi.launch import own_commands
from scoopmpi.myscoop import main as myscoop
from scoopmpi.watching.trace.form import FORMAT

TRACE = json.dumps({"otherData": {"format": FORMAT}, "traceEvents": []})


@pytest.mark.parametrize("name", own_commands.NAMES)
def test_a_program_of_that_name_wins(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # Behind `kernel` a front end names its connection file: that is for the program.
    own = "install" if name == "kernel" else "x.json"
    assert own_commands.meant([name, own]) and own_commands.meant((name,))
    assert not own_commands.meant(["model", name]) and not own_commands.meant([])
    assert not own_commands.meant([f"{name}.py"])
    (tmp_path / f"{name}.py").touch()
    assert not own_commands.meant([name, "x.json"]) and not own_commands.meant([name])
    assert not own_commands.meant([name, "100", "--help"])
    assert own_commands.meant([name, "--help"]) and own_commands.meant([name, "-h"])


@pytest.mark.parametrize("name", ("trace", "report"))
def test_a_trace_is_for_the_command(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()  # a package, or a directory of results
    (tmp_path / "run.json").write_text(TRACE)
    (tmp_path / "run.json.gz").write_bytes(gzip.compress(TRACE.encode()))
    (tmp_path / "other.json").write_text('{"traceEvents": []}')
    assert own_commands.meant([name, "run.json"]) and own_commands.meant([name, "run.json.gz"])
    assert own_commands.meant([name, "-o", "new", "run.json"])
    for word in ("other.json", "none.json", name):
        assert not own_commands.meant([name, word])


def test_without_words_a_command_shows_its_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in own_commands.NAMES:
        done = CliRunner().invoke(myscoop, [name])
        assert done.exit_code == 0 and f"Usage: myscoop {name} " in done.output
        wrong = "install" if name == "kernel" else "none"
        assert CliRunner().invoke(myscoop, [name, wrong, "--bogus"]).exit_code == 2
