"""What `myscoop checkpoint show` says of a file."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scoopmpi.checkpoint import file_checks, reading
from scoopmpi.checkpoint.file import CheckpointError, CheckpointFile, Saved, ended
from scoopmpi.checkpoint.show import described, ranges
from scoopmpi.wire import payload
from tests.support.checkpoints import save
from tests.support.libraries import ROOT

pytestmark = pytest.mark.timeout(60)


def part(start: int, stop: int, failed: tuple[int, ...] = ()) -> Saved:
    frames = tuple(payload.pack(x) for x in range(start, stop))
    return Saved(start, stop, b"d", False, frames, failed)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "run.ckpt"
    file = CheckpointFile(path, "model.py 500")
    for start in (*range(0, 1000, 100), 1200):
        save(file, 1, "model.fit", b"f", part(start, start + 100, (7,) if start == 300 else ()))
    save(file, 0, "model.once", b"o", part(4, 5))
    file.close(ended=False)
    return path


def test_a_person_sees_what_is_there(path: Path) -> None:
    before = path.read_bytes()
    text = described(path)
    words = [line.split() for line in text.splitlines()]
    assert ["calls", "model.once", "1"] in [line[:3] for line in words]
    (fit,) = [line for line in text.splitlines() if "model.fit" in line]
    assert fit.split()[0] == "1" and "1100" in fit and "0-999, 1200-1299" in fit
    assert fit.split()[-1] == "307"
    assert "model.py 500" in text and "told to end before its time" in text
    assert "1101 tasks of 2 jobs" in text and f"format {file_checks.VERSION}" in text
    assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize("whole", [True, False])
def test_how_the_last_run_ended(tmp_path: Path, whole: bool) -> None:
    path = tmp_path / "run.ckpt"
    file = CheckpointFile(path)
    file.close(whole)
    assert ("came to its end" in described(path)) == whole
    assert "no tasks are saved" in described(path)


@pytest.mark.ranks
def test_while_a_run_writes(path: Path) -> None:
    """In another process: it sees whole commits only."""
    file, stop = CheckpointFile(path, "model.py 600"), threading.Event()

    def write() -> None:
        start = 2000
        while not stop.wait(0.002):
            save(file, 2, "other", b"f", part(start, start + 3))
            start += 3

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(5):
            answer = subprocess.run(
                [sys.executable, "-m", "scoopmpi.myscoop", "checkpoint", "show", str(path)],
                cwd=ROOT, capture_output=True, text=True, timeout=20,
            )  # fmt: skip
            assert answer.returncode == 0, answer.stderr
            assert "still going on" in answer.stdout and "model.py 600" in answer.stdout
    finally:
        stop.set()
        thread.join(10)
        file.close(ended=True)
    assert "came to its end" in described(path)


KILLED = """
import os, sys
from scoopmpi.wire import payload
from scoopmpi.checkpoint import file_checks
from scoopmpi.checkpoint.file import CheckpointFile
file = CheckpointFile(sys.argv[1])
file._writer.guard.acquire()
run = file._database.connection.execute
run("PRAGMA cache_size=1")  # pages get into the file before the commit
run("PRAGMA cache_spill=ON")
run("BEGIN")
run("UPDATE parts SET failed=zeroblob(800)")
os.kill(os.getpid(), 9)
"""


@pytest.mark.ranks
def test_a_run_that_was_killed_while_it_wrote_is_undone(path: Path) -> None:
    before = described(path).splitlines()[6:]
    subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=ROOT, timeout=20, check=False)
    assert path.with_name("run.ckpt-journal").stat().st_size > 512
    assert ended(path) is False
    assert described(path).splitlines()[6:] == before
    file = CheckpointFile(path)
    assert [place.start for place in file.places(job=1)] == [*range(0, 1000, 100), 1200]
    file.close(ended=True)


@pytest.mark.parametrize("content", [None, b"text", b"SQLite format 3\0" + bytes(84)])
def test_what_is_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.ckpt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x\.ckpt"):
        described(path)
    assert path.exists() == (content is not None)


def test_a_damaged_file_is_shown_or_refused(path: Path) -> None:
    whole, chance = path.read_bytes(), random.Random(5)
    refused = 0
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data[: chance.choice([len(data), chance.randrange(len(data))])])
        try:
            assert "checkpoint" in described(path)
        except CheckpointError:
            refused += 1
    assert refused > 10


def test_names_cannot_play_with_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    file = CheckpointFile(path, "a\x1b[2Jb\nc")
    save(file, 1, "\x1b]0;x\x07\r", b"f", part(0, 1))
    file.close(ended=True)
    assert all(letter.isprintable() or letter == "\n" for letter in described(path))


def test_ranges_are_joined_and_not_endless() -> None:
    assert ranges([(0, 5), (5, 6), (8, 9), (20, 22)]) == "0-5, 8, 20-21"
    assert ranges([]) == ""
    many = ranges([(x, x + 1) for x in range(0, 100, 2)])
    assert many.endswith("… 98 (50 ranges)") and len(many) < 80


def test_a_disk_that_has_no_room_for_a_copy_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reading, "CHECKPOINT_READ_SECONDS", 0.0)
    monkeypatch.setattr(reading, "_state", lambda real: None)  # somebody writes all the time
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(CheckpointError, match=r"cannot be copied .*No space left .*try again"):
        described(path)
