"""`myscoop checkpoint show`, `drop` and `export`, on files of programs in memory."""

from __future__ import annotations

import csv
import pickle
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from click.testing import CliRunner, Result

from scoopmpi import futures
from scoopmpi.checkpoint.selection import chosen
from scoopmpi.launch import checkpoint_command, own_commands
from tests.checkpoint.test_record import SEEDS, ran, running, square

pytestmark = pytest.mark.timeout(60)


def asked(*words: Any) -> Result:
    return CliRunner().invoke(checkpoint_command.commands, list(map(str, words)))


def shown(*words: Any) -> list[list[str]]:
    answer = asked("show", *words)
    assert answer.exit_code == 0, answer.output
    return [line.split() for line in answer.output.splitlines()]


class Point:
    def __init__(self, x: int) -> None:
        self.x = x


def fails(x: Any, scale: float = 1.0) -> Any:
    ran[x] += 1
    if x in (3, 5):
        raise ValueError(f"no room\nfor {x}")
    return [x * scale]


def program(place: Path, seed: int = 1, factor: int = 2) -> Path:
    """A map of numbers, one of arrays, one in which some fail, and calls."""
    path = place / "run.ckpt"
    with running(path, seed):
        assert len(list(futures.map(square, range(40)))) == 40
        list(futures.map(lambda x, factor=factor: numpy.arange(3) * x * factor, range(6)))
        for x in range(10):
            futures.submit(fails, x, scale=0.5).exception()
        values = futures.map(fails, range(10))
        for _ in range(10):
            try:
                next(values)
            except (ValueError, StopIteration):
                pass
        ranks = current()
        ranks.executor.finish()
    return path


def current() -> Any:
    from tests.checkpoint.test_record import Scene

    return Scene.ranks


def test_failures_and_values_are_shown_with_their_arguments(tmp_path: Path) -> None:
    path = program(tmp_path)
    lines = shown(path)
    assert ["1", "tests.checkpoint.test_record.square", "40", "of", "40"] in [x[:5] for x in lines]
    text = asked("show", path, "--failed").output
    assert "  3: fails(3, scale=0.5) raised ValueError: no room\n" in text
    assert "  3: fails(3) raised ValueError: no room\n" in text
    assert "  4: " not in text
    text = asked("show", path, "--values", 2).output
    assert "  1: square(1) = 1\n" in text and "  2: square" not in text
    assert "array([0, 2, 4])" in text


def test_earlier_versions_are_shown_as_such_and_dropped(tmp_path: Path) -> None:
    program(tmp_path)
    path = program(tmp_path, 2, factor=3)
    marked = [line for line in shown(path) if line[:1] == ["2"]]
    assert [line.count("(earlier") for line in marked] == [0, 1]
    assert asked("drop", path, "--earlier").output == "6 results dropped\n"
    assert len([line for line in shown(path) if line[:1] == ["2"]]) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_dropped_is_computed_again_and_nothing_else(tmp_path: Path, seed: int) -> None:
    path, chance = tmp_path / "run.ckpt", random.Random(seed)
    rows = [[x] if x % 3 else x for x in range(60)]

    def run() -> None:
        with running(path, seed):
            assert list(futures.map(square, range(60))) == [x * x for x in range(60)]
            assert list(futures.map(listed, rows)) == rows
            calls = [futures.submit(square, -x) for x in range(9)]
            assert [call.result() for call in calls] == [x * x for x in range(9)]

    run()
    for _ in range(4):
        first, last = sorted(chance.sample(range(60), 2))
        alone = chance.randrange(60)
        words = [f"1:{first}-{last},{alone}", f"2:{alone}", "calls:3"]
        expected = {*range(first, last + 1), alone}
        assert asked("drop", path, *words).output == f"{len(expected) + 2} results dropped\n"
        run()
        assert ran["listed"] == 1
        del ran["listed"]
        assert ran == dict.fromkeys([*expected, -3], 1)
    run()
    assert not ran


def listed(x: Any) -> Any:
    ran["listed"] += 1
    return x


def test_failed_ones_are_dropped(tmp_path: Path) -> None:
    path = program(tmp_path)
    assert asked("drop", path, "--failed", "calls").output == "2 results dropped\n"
    text = asked("show", path, "--failed").output
    assert "scale=0.5" not in text and "fails(3)" in text


class Disk:
    full = True


def stored(x: int) -> int:
    if Disk.full and x in (3, 5):
        raise OSError("no room")
    return x


@pytest.mark.parametrize("ends_well", [True, False])
def test_a_failure_that_was_tried_again_does_not_come_back(tmp_path: Path, ends_well: bool) -> None:
    path = tmp_path / "run.ckpt"
    for Disk.full in (True, not ends_well):
        with running(path, 1):
            list(futures.map(stored, range(10), return_exceptions=True))
    which = ["1:3,5"] if ends_well else ["--failed"]
    assert asked("drop", path, *which).output == "2 results dropped\n"
    text = asked("show", path, "--failed").output
    assert "8 of 10" in text and "raised" not in text


@pytest.mark.parametrize(
    ("word", "expected"),
    [("3", {(3, 0), (3, 99)}), ("3:10-12,25", {(3, 10), (3, 12), (3, 25)}), ("calls:7", {(0, 7)}),
     ("calls", {(0, 5)}), ("1: 2 , 4", {(1, 2), (1, 4)})],
)  # fmt: skip
def test_words_that_choose(word: str, expected: set[tuple[int, int]]) -> None:
    found = chosen(word)
    assert all(job == found.job and found.has(task) for job, task in expected)
    assert word in ("3", "calls") or not found.has(11 if word != "3:10-12,25" else 13)


@pytest.mark.parametrize("word", ["", ":", "x", "3:", "3:x", "3:5-2", "3:1,", "-1", "3:1-2-3", "٣"])
def test_words_that_choose_nothing(word: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        chosen(word)


def test_a_table(tmp_path: Path) -> None:
    path, target = program(tmp_path), tmp_path / "out.csv"
    answer = asked("export", path, target)
    (tmp_path / "other").touch()
    assert target.stat().st_mode == (tmp_path / "other").stat().st_mode, "others may read it too"
    assert answer.exit_code == 0, answer.output
    with open(target, newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["map", "function", "task", "arguments", "outcome", "value"]
    squares = [(row["task"], row["arguments"], row["value"]) for row in rows if row["map"] == "1"]
    assert squares == [(str(x), str(x), str(x * x)) for x in range(40)]
    (failed,) = [row for row in rows if row["map"] == "calls" and row["task"] == "3"]
    assert (failed["arguments"], failed["outcome"]) == ("3, scale=0.5", "raised")
    assert failed["value"] == "ValueError: no room\nfor 3"


def test_arrays(tmp_path: Path) -> None:
    path, target = program(tmp_path), tmp_path / "out.npz"
    answer = asked("export", path, target)
    assert answer.exit_code == 0, answer.output
    with numpy.load(target) as arrays:
        assert arrays["map_1"].tolist() == [x * x for x in range(40)]
        assert arrays["map_2"].shape == (6, 3) and arrays["map_2_tasks"].tolist() == [*range(6)]
        assert arrays["calls_fails"].tolist() == [[x * 0.5] for x in range(10) if x not in (3, 5)]


def test_objects(tmp_path: Path) -> None:
    path, target = program(tmp_path), tmp_path / "out.pkl"
    assert asked("export", path, target).exit_code == 0
    jobs = pickle.loads(target.read_bytes())
    first = jobs["map_1"][3]
    assert (first["task"], first["arguments"], first["value"]) == (3, (3,), 9)
    failed = jobs["calls_fails"][3]
    assert failed["keywords"] == {"scale": 0.5} and failed["error"].startswith("ValueError")
    assert "Traceback" in failed["traceback"] and "value" not in failed


def test_classes_that_are_not_to_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.ckpt"
    with running(path, 1):
        list(futures.map(Point, range(3)))
    monkeypatch.delattr(sys.modules[__name__], "Point")
    assert "Point(x=2)>" in asked("show", path, "--values", 3).output
    for suffix in (".csv", ".pkl", ".npz"):
        assert asked("export", path, tmp_path / f"out{suffix}").exit_code == 0
    jobs = pickle.loads((tmp_path / "out.pkl").read_bytes())
    assert "Point(x=2)>" in jobs["map_1"][2]["value"]


BAD: dict[str, Callable[[Path], tuple[Any, ...]]] = {
    "no file": lambda path: ("show", path.with_name("none")),
    "no file to drop from": lambda path: ("drop", path.with_name("none"), "1"),
    "nothing to drop": lambda path: ("drop", path),
    "another word": lambda path: ("drop", path, "1:x"),
    "another suffix": lambda path: ("export", path, "out.txt"),
    "another directory": lambda path: ("export", path, "/nowhere/out.csv"),
    "another command": lambda path: ("shwo", path),
    "no file at all": lambda path: ("show",),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_done_is_told_in_a_line(tmp_path: Path, what: str) -> None:
    path = program(tmp_path)
    before = path.read_bytes()
    answer = asked(*BAD[what](path))
    assert answer.exit_code in (1, 2) and "Traceback" not in answer.output
    assert answer.output.splitlines()[-1].startswith("Error: ")
    assert ".export" not in answer.output
    assert path.read_bytes() == before and not list(tmp_path.glob(".export*"))


@pytest.mark.parametrize(
    "words", [["--help"], ["show", "--help"], ["drop", "-h"], ["export", "-h"]]
)
def test_help(words: list[str]) -> None:
    answer = asked(*words)
    assert answer.exit_code == 0 and "Usage:" in answer.output


def test_a_program_of_that_name_is_still_to_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert own_commands.meant(("checkpoint", "show", "x"))
    assert own_commands.meant(("checkpoint",))
    assert not own_commands.meant(("model", "show"))
    (tmp_path / "checkpoint.py").touch()
    assert own_commands.meant(("checkpoint", "export", "x", "y.csv"))
    assert not own_commands.meant(("checkpoint", "100"))
    assert not own_commands.meant(("checkpoint",))
