"""The directories of items: how they are called, made, and told to the command."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scoopmpi.sweep.running.directory import Directory
from scoopmpi.sweep.running.not_started import NotStarted

from .test_runner import Given, run, script

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "value", "found"),
    [
        ("run-$a", "1.5", "run-1.5"),
        ("run-${a}x/deep", "1", "run-1x/deep"),
        ("out/$a", "x/y", "out/x/y"),
        ("out/$a", "/x", "out/x"),
        ("$a", "cases/1", "cases/1"),
        ("$a", "b/../c", "c"),
        ("fixed", "", "fixed"),
        ("run-$a", "", "run-"),
        ("../$a/..", "x", ".."),
    ],
)
def test_where_an_item_runs(start: Path, pattern: str, value: str, found: str) -> None:
    path = Directory(pattern).entered({"a": value})
    assert path is not None and Path(path).resolve() == (start / found).resolve()
    assert Path(path).is_dir()


@pytest.mark.parametrize(
    ("pattern", "value", "said"),
    [
        ("run-$a", "x/../../y", "leads out of the directories that 'run-$a' names"),
        ("out/$a", "..", "'out/..' leads out"),
        ("$a", "", "its directory has no name"),
        ("file/$a", "x", "file/x': Not a directory"),
        ("$a", "file", "file': File exists"),
        ("$a", "x\0y", "null byte"),
        ("$a", "x" * 300, "File name too long"),
    ],
)
def test_where_none_can_run(start: Path, pattern: str, value: str, said: str) -> None:
    (start / "file").touch()
    with pytest.raises(NotStarted, match="director") as problem:
        Directory(pattern).entered({"a": value})
    assert said in str(problem.value)
    assert [path.name for path in start.iterdir()] == ["file"]


def test_many_workers_make_the_same_directories_at_once(start: Path) -> None:
    def made(_: int) -> str | None:
        return Directory("a/b/$x/c").entered({"x": "d"})

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(made, range(64))) == {str(start / "a/b/d/c")}


def test_an_item_finds_where_it_is_and_where_the_sweep_was_started(start: Path) -> None:
    ended = run('pwd; echo "$PWD"; echo "$OLDPWD"', {"a": "1"}, chdir="run-$a")
    assert ended.out.decode().split() == [f"{start}/run-1", f"{start}/run-1", f"{start}"]


def test_a_program_comes_from_its_directory_or_from_where_the_sweep_was_started(
    start: Path,
) -> None:
    script(start / "simulate", "#!/bin/sh\necho ours in ${PWD##*/}\n")
    ended = run(Given("./simulate"), {"a": "1"}, chdir="run-$a")
    assert ended.out == b"ours in run-1\n"
    script(start / "run-1" / "simulate", "#!/bin/sh\necho its own\n")
    assert run(Given("./simulate"), {"a": "1"}, chdir="run-$a").out == b"its own\n"
    ended = run(Given("./nothing"), {"a": "1"}, chdir="run-$a")
    assert (ended.status, ended.why) == (127, f"'{start}/./nothing' is not found: no such file")


def test_a_directory_that_cannot_be_is_said_of_the_item(start: Path) -> None:
    (start / "file").touch()
    ended = run("true", chdir="file/x")
    assert (ended.status, ended.well) == (126, False)
    assert ended.why == f"it cannot run in the directory '{start}/file/x': Not a directory"
