"""`wcat` and `wreduce`: files of items become one."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoopmpi.launch.worker_framework import wcat, wreduce
from tests.launch.worker_framework.site import Said, said

Capture = pytest.CaptureFixture[str]
TABLE = "a,   b\n1.3, 5.7\n2.7, 1.4\n3.4, 2.1\n"
PATTERN = "output-[%a%]-[%b%].txt"
FILES = ("output-1.3-5.7.txt", "output-2.7-1.4.txt", "output-3.4-2.1.txt")
"""The table and the files of the framework's documentation."""


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text(TABLE)
    for name in FILES:
        (tmp_path / name).write_text(f"head\n{name}\n\n")
    return tmp_path


def cat(words: str, capfd: Capture) -> Said:
    words = f"-data data.csv -output all {words}"
    return said(wcat.COMMAND, wcat.run, words, capfd)


def test_files_in_the_order_of_the_rows(work: Path, capfd: Capture) -> None:
    assert cat(f"-pattern {PATTERN}", capfd) == Said(0, "", "")
    assert (work / "all").read_text() == "".join(f"head\n{name}\n" for name in FILES)


def test_heads_and_blank_ends(work: Path, capfd: Capture) -> None:
    assert cat(f"-pattern {PATTERN} -skip_first 1", capfd).status == 0
    assert (work / "all").read_text().split() == list(FILES)
    assert cat(f"-pattern {PATTERN} -keep_blank -rm_orig -verbose", capfd).err == (
        "wcat: all: 3 files\n"
    )
    assert (work / "all").read_text() == "".join(f"head\n{name}\n\n" for name in FILES)
    assert not any((work / name).exists() for name in FILES)


def test_files_that_are_missing(work: Path, capfd: Capture) -> None:
    (work / FILES[1]).unlink()
    told = cat(f"-pattern {PATTERN}", capfd)
    assert told == Said(1, "", f"wcat: 1 file is not there: {FILES[1]}\n")
    assert FILES[2] in (work / "all").read_text()
    assert cat(f"-pattern {PATTERN} -quiet", capfd) == Said(1, "", "")


def test_files_of_an_array(work: Path, capfd: Capture) -> None:
    for number in (9, 10, 11):
        (work / f"out_{number}.dat").write_text(f"{number}\n")
    words = "-t 9-11 -pattern out_[%PBS_ARRAYID%].dat -output all"
    assert said(wcat.COMMAND, wcat.run, words, capfd).status == 0
    assert (work / "all").read_text() == "9\n10\n11\n"


def test_a_program_joins_them(work: Path, capfd: Capture) -> None:
    (work / "reductor.sh").write_text('#!/bin/bash\nhead -2 "$2" | tail -1 >> "$1"\n')
    (work / "reductor.sh").chmod(0o755)
    words = f"-data data.csv -pattern {PATTERN} -reductor ./reductor.sh -output all"
    assert said(wreduce.COMMAND, wreduce.run, words, capfd) == Said(0, "", "")
    assert (work / "all").read_text().split() == list(FILES)
    failing = words.replace("./reductor.sh", "false")
    told = said(wreduce.COMMAND, wreduce.run, failing, capfd)
    assert told.status == 2 and told.err.startswith("wreduce: ") and "false" in told.err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("-pattern out", "names no column: put one in as [%a%]"),
        ("-pattern [%c%]", "-pattern [%c%]: there is no column c; there are a, b"),
        ("", "which files? For example: -pattern"),
        (f"-pattern {PATTERN} x", "x: which option is that of?"),
        (f"-pattern {PATTERN} -output none/all", "none/all"),
        (f"-pattern {PATTERN} -skip_first x", "-skip_first x: a whole number from 0 on is meant"),
        (f"-pattern {PATTERN} -data none.csv", "none.csv"),
    ],
)
def test_refused(capfd: Capture, words: str, reason: str) -> None:
    told = cat(words, capfd)
    assert (told.status, told.out) == (2, "") and reason in told.err
    assert told.err.startswith("wcat: ") and "Traceback" not in told.err
