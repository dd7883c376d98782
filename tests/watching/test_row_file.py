"""A table that grows in a file: whole lines, in order, whatever the disk does."""

from __future__ import annotations

import csv
import errno
import logging
import os
import random
from pathlib import Path

import pytest

from scoopmpi.watching import grown_file, row_file
from scoopmpi.watching.row_file import RowFile

pytestmark = pytest.mark.timeout(30)


def opened(path: Path) -> RowFile:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    return RowFile(str(path), "task log", fd)


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_rows_stand_in_the_file_as_they_were_given(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    file = opened(path)
    odd = [["a,b", 'a "word"', ""], ["ü", "\udcff", "=1"], [1, None, 0.5]]
    for row in odd:
        file.add(row)
    file.close()
    assert rows_of(path) == [["a,b", 'a "word"', ""], ["ü", "\\udcff", "=1"], ["1", "", "0.5"]]


class SmallDisk:
    """A disk that takes so many bytes, a piece at a time, until there is room."""

    def __init__(self, room: int, seed: int) -> None:
        self.room, self.chance = room, random.Random(seed)
        self.write = os.write

    def __call__(self, fd: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        size = min(self.room, self.chance.randint(1, 50), len(data))
        self.room -= size
        return self.write(fd, data[:size])


@pytest.mark.parametrize("seed", range(20))
def test_a_full_disk_leaves_whole_lines_and_the_rest_comes_later(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(grown_file, "GATHER", 3600)  # the test has each turn itself
    path, disk = tmp_path / "rows", SmallDisk(0, seed)
    file = opened(path)
    monkeypatch.setattr(os, "write", disk)
    given = 0
    for _ in range(30):
        for _ in range(disk.chance.randint(0, 9)):
            file.add([given, "x" * disk.chance.randint(0, 30)])
            given += 1
        disk.room = disk.chance.choice([0, 3, 40, 400])
        file._write()
        numbers = [int(row[0]) for row in rows_of(path)]
        assert numbers == list(range(len(numbers))) and not path.read_text()[-1:].strip("\n")
    disk.room = 1 << 20
    file.close()
    assert [int(row[0]) for row in rows_of(path)] == list(range(given))
    warnings = [line for line in caplog.messages if "No space left" in line]
    assert len(warnings) == 1 and str(path) in warnings[0]


def test_what_is_missing_at_the_end_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(row_file, "MOST_ROWS", 5)
    file = opened(tmp_path / "rows")
    monkeypatch.setattr(os, "write", SmallDisk(0, 1))
    for number in range(8):
        file.add([number])
    with caplog.at_level(logging.WARNING, "scoopmpi"):
        file.close()
    assert any("8 lines are missing at its end" in line for line in caplog.messages)
