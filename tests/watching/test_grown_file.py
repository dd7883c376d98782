"""A file that is whole after each write: what stands behind its lines, whatever the disk does."""

from __future__ import annotations

import errno
import os
import random
import time
from pathlib import Path

import pytest

from scoopmpi.watching import grown_file
from scoopmpi.watching.grown_file import GrownFile

pytestmark = pytest.mark.timeout(30)


class Numbers(GrownFile):
    """Lines of numbers, and an end with a remark in front of it."""

    end = b"end\n"

    def __init__(self, path: Path, fd: int) -> None:
        self.given: list[bytes] = []
        self.remark = b""
        super().__init__(str(path), "numbers", fd)

    def _taken(self) -> bytes:
        given, self.given = self.given, []
        return b"".join(given)

    def _to_stand_behind(self) -> bytes:
        return self.remark + self.end


class FullDisk:
    """A disk that gives no more blocks from a size on; what a file has may be written anew."""

    def __init__(self, size: int, seed: int) -> None:
        self.size, self.chance = size, random.Random(seed)
        self.write = os.write

    def __call__(self, fd: int, data: bytes) -> int:
        place = os.lseek(fd, 0, os.SEEK_CUR)
        room = max(self.size, os.fstat(fd).st_size) - place
        if room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.write(fd, data[: min(room, self.chance.randint(1, 60))])


def opened(path: Path, monkeypatch: pytest.MonkeyPatch) -> Numbers:
    monkeypatch.setattr(grown_file, "GATHER", 3600)  # the test has each turn itself
    return Numbers(path, os.open(path, os.O_RDWR | os.O_CREAT))


def test_the_file_is_whole_after_each_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "numbers"
    file = opened(path, monkeypatch)
    file.given, file.remark = [b"1\n", b"2\n"], b"a long remark\n"
    file._write()
    assert path.read_bytes() == b"1\n2\na long remark\nend\n"
    file.remark = b"b\n"
    file._write()
    assert path.read_bytes() == b"1\n2\nb\nend\n"
    file.given, file.remark = [b"3\n"], b""
    file._write()
    assert path.read_bytes() == b"1\n2\n3\nend\n"
    file.given = [b"4\n"]
    file.close()
    assert path.read_bytes() == b"1\n2\n3\n4\nend\n"


@pytest.mark.parametrize("seed", range(40))
def test_a_full_disk_leaves_a_whole_file_and_the_rest_comes_later(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, disk = tmp_path / "numbers", FullDisk(0, seed)
    chance, given = disk.chance, 0
    file = opened(path, monkeypatch)
    disk.size = 20
    monkeypatch.setattr(os, "write", disk)
    before = 0
    for turn in range(30):
        for _ in range(chance.randint(0, 5)):
            file.given.append(b"%d %s\n" % (given, b"x" * chance.randint(0, 20)))
            given += 1
        file.remark = b"remark\n" * chance.randint(0, 3)
        disk.size += chance.choice([0, 0, 10, 100])
        file._write()
        lines = path.read_bytes().decode().splitlines(keepends=True)
        assert lines[-1] == "end\n", turn
        numbers = [int(line.split()[0]) for line in lines if line[0].isdigit()]
        assert numbers == list(range(len(numbers))) and len(numbers) >= before
        before = len(numbers)
    disk.size = 1 << 20
    file.remark = b""
    file.close()
    lines = path.read_text().splitlines()
    assert [int(line.split()[0]) for line in lines[:-1]] == list(range(given))


def test_a_long_rest_is_written_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Numbers):
        """It needs longer than a disk is waited for."""

        def __init__(self, path: Path, fd: int) -> None:
            self.made = 0
            super().__init__(path, fd)

        def _missing(self) -> int:
            return self.made

        def _taken(self) -> bytes:
            for self.made in range(10):
                time.sleep(0.05)
            self.made = 0
            return super()._taken()

    monkeypatch.setattr(grown_file, "DISK_SECONDS", 0.12)
    path = tmp_path / "slow"
    file = Slow(path, os.open(path, os.O_RDWR | os.O_CREAT))
    file.given += [b"1\n", b"2\n"]
    file.close()
    assert path.read_bytes() == b"1\n2\nend\n"
