"""`myscoop kernel install`: the file that it writes, where, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from scoopmpi import myscoop
from scoopmpi.launch import own_commands
from scoopmpi.launch.kernel import command, spec
from scoopmpi.launch.kernel.front_end import is_kernel

pytest.importorskip("ipykernel", reason="a kernel needs ipykernel")


def install(*words: str) -> Result:
    return CliRunner().invoke(myscoop.main, ["kernel", "install", *words])


def said(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / "kernel.json").read_text())
    return found


def test_the_file_starts_this_myscoop_with_the_options(tmp_path: Path) -> None:
    answer = install("--prefix", str(tmp_path), "--name", "Mine", "-n", "4", "--multi", "2")
    place = tmp_path / "share" / "jupyter" / "kernels" / "mine"
    assert answer.exit_code == 0 and answer.output.splitlines()[0] == str(place)
    found = said(place)
    words = found["argv"]
    assert words[0] == sys.executable and "myscoop" in words[words.index("-n") - 1]
    assert words[-7:] == ["-n", "4", "--multi", "2", spec.PROGRAM, "-f", "{connection_file}"]
    assert found["interrupt_mode"] == "message" and found["language"] == "python"
    assert "mine -n 4 --multi 2" in found["display_name"]
    assert [path.name for path in place.iterdir()] == ["kernel.json"]


def test_a_title_of_ones_own(tmp_path: Path) -> None:
    install("--prefix", str(tmp_path), "--display-name", "All of it")
    assert said(tmp_path / "share/jupyter/kernels/scoopmpi")["display_name"] == "All of it"


def test_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jupyter_core")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "own"))
    own, environment = tmp_path / "own" / "kernels" / "x", Path(sys.prefix, *spec._BELOW, "x")
    assert spec.directory("x", None, user=True) == own
    monkeypatch.setattr(spec, "_own_environment", lambda: True)
    assert spec.directory("x", None, user=False) == environment
    monkeypatch.setattr(spec, "_own_environment", lambda: False)
    assert spec.directory("x", None, user=False) == own
    assert install("--user").output.splitlines()[0] == str(own.parent / "scoopmpi")
    assert spec.directory("x", str(tmp_path), user=False).is_relative_to(tmp_path)


@pytest.mark.parametrize(
    ("words", "expected"),
    (
        (["--checkpoint", "x"], "a kernel cannot have --checkpoint"),
        (["--restarts", "1", "--checkpoint", "x"], "a kernel cannot have"),
        (["-i"], "the notebook is the prompt"),
        (["--dry-run"], "a kernel cannot have --dry-run"),
        (["--explain"], "myscoop --explain kernel"),
        (["--as", "slurm:2x2"], "a kernel cannot have --as"),
        (["--output", "x"], "belongs into the cells"),
        (["--debug-task", "3"], "no terminal"),
        (["--stop-before", "60"], "ends with its front end"),
        (["-n", "many"], "'many'"),
        (["--multy", "2"], "--multi"),
        (["squares.py"], "squares.py is no option of myscoop"),
        (["--name", "a b"], "cannot be the name of a kernel"),
        (["--user", "--sys-prefix"], "one of --user, --sys-prefix and --prefix"),
        (["--hybrid", "2", "--threads", "2"], "how many workers on each host?"),
    ),
)
def test_what_a_kernel_cannot_have_is_refused_when_it_is_installed(
    tmp_path: Path, words: list[str], expected: str
) -> None:
    answer = install(*(() if "--user" in words else ("--prefix", str(tmp_path))), *words)
    assert answer.exit_code != 0 and expected in answer.output
    assert not (tmp_path / "share").exists()


def test_every_option_that_is_refused_is_one() -> None:
    assert command.REFUSED.keys() <= {param.name for param in myscoop.main.params}


def test_options_stand_behind_install(tmp_path: Path) -> None:
    words = ["-n", "3", "kernel", "install", "--prefix", str(tmp_path)]
    answer = CliRunner().invoke(myscoop.main, words)
    assert answer.exit_code == 2 and "stand behind install" in answer.output


def test_a_name_that_another_kernel_has(tmp_path: Path) -> None:
    place = tmp_path / "share" / "jupyter" / "kernels" / "ir"
    place.mkdir(parents=True)
    for text in ('{"argv": ["R"], "display_name": "R 4"}', "no json", '{"argv": []}'):
        (place / "kernel.json").write_text(text)
        answer = install("--prefix", str(tmp_path), "--name", "ir")
        assert answer.exit_code == 1 and "the name is taken" in answer.output
        assert (place / "kernel.json").read_text() == text
    assert install("--prefix", str(tmp_path), "--name", "ir", "--replace").exit_code == 0
    assert install("--prefix", str(tmp_path), "--name", "ir", "-n", "7").exit_code == 0
    assert "7" in said(place)["argv"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "share").write_text("a file")
    answer = install("--prefix", str(tmp_path))
    assert answer.exit_code == 1 and "--user" in answer.output


def test_without_ipykernel_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda _: None)
    answer = install("--prefix", str(tmp_path))
    assert answer.exit_code == 1 and "pip install 'scoopmpi[notebook]'" in answer.output


def test_a_report_that_no_start_could_make_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = dict.fromkeys(("ipykernel",), command.find_spec("ipykernel"))
    monkeypatch.setattr(command, "find_spec", there.get)
    answer = install("--prefix", str(tmp_path), "--report", "run.html")
    assert answer.exit_code != 0 and "pip install 'scoopmpi[report]'" in answer.output
    assert not (tmp_path / "share").exists()


def test_a_program_of_that_name_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_kernel(("kernel", "-f", "x")) and is_kernel((spec.PROGRAM, "-f", "x"))
    assert not is_kernel(()) and not is_kernel(("squares",))
    (tmp_path / "kernel.py").write_text("")
    monkeypatch.chdir(tmp_path)
    assert not is_kernel(("kernel", "-f", "x")) and is_kernel((spec.PROGRAM, "-f", "x"))


def test_what_is_no_connection_file_is_a_word_of_the_command() -> None:
    assert own_commands.meant(("kernel", "install")) and own_commands.meant(("kernel", "isntall"))
    assert own_commands.meant(("kernel",)) and not own_commands.meant(("kernel", "-f", "x.json"))
    answer = CliRunner().invoke(myscoop.main, ["kernel", "isntall"])
    assert answer.exit_code == 2 and "'isntall'" in answer.output


def test_the_help_has_an_example() -> None:
    ctx = click.Context(command.install, info_name="myscoop kernel install")
    assert "myscoop kernel install --name many" in command.install.get_help(ctx)
