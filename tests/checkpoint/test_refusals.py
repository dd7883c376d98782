"""Files that are no good checkpoints: refused and left as they were, or nothing wrong comes out."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoopmpi.checkpoint import file_checks
from scoopmpi.checkpoint.file import CheckpointError, CheckpointFile, ended
from scoopmpi.checkpoint.show import described
from scoopmpi.process import file_locks
from tests.support.checkpoints import DIGEST, filled, opened, part, path, python, save, saved_of

__all__ = ["path"]
pytestmark = pytest.mark.timeout(100)


OLD = Path(__file__).with_name("samples") / "version-0.1.ckpt"
"""Made by scoopmpi 0.1: 50 squares and a submitted call."""


def other_database(path: Path, *words: str) -> None:
    connection = sqlite3.connect(path)
    for word in (*words, "CREATE TABLE mine (x)"):
        connection.execute(word)
    connection.commit()
    connection.close()


def stamped(path: Path, place: int, data: bytes) -> None:
    filled(path)
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(data)


def cut(path: Path, size: int) -> None:
    filled(path)
    os.truncate(path, size if size > 0 else path.stat().st_size + size)


def beside(path: Path, suffix: str, mode: int) -> None:
    filled(path)
    other = path.with_name(path.name + suffix)
    other.write_bytes(b"planted")
    other.chmod(mode)


REFUSED: dict[str, Callable[[Path], Any]] = {
    "text": lambda path: path.write_text("my thesis"),
    "one byte": lambda path: path.write_bytes(b"S"),
    "another program's": other_database,
    "another program's with a log": lambda path: other_database(path, "PRAGMA journal_mode=WAL"),
    "ours with other tables": lambda path: other_database(
        path,
        f"PRAGMA application_id={file_checks.APPLICATION}",
        f"PRAGMA user_version={file_checks.VERSION}",
    ),
    "newer": lambda path: stamped(path, 60, (file_checks.VERSION + 1).to_bytes(4, "big")),
    "of version 0.1": lambda path: path.write_bytes(OLD.read_bytes()) and path.chmod(0o600),
    "older than all": lambda path: stamped(path, 60, bytes(4)),
    "log": lambda path: stamped(path, 18, b"\2\2"),
    "cut in its head": lambda path: cut(path, 50),
    "cut by a page": lambda path: cut(path, -4096),
    "cut in a page": lambda path: cut(path, -100),
    "cut to a page": lambda path: cut(path, 4096),
    "zeros": lambda path: stamped(path, 4096, bytes(8192)),
    "writable by the group": lambda path: filled(path).chmod(0o620),
    "writable by all": lambda path: filled(path).chmod(0o602),
    "a directory": lambda path: path.mkdir(),
    "a pipe": lambda path: os.mkfifo(path),
    "somebody's journal": lambda path: beside(path, "-journal", 0o666),
    "a log beside it": lambda path: beside(path, "-wal", 0o600),
    "no directory": lambda path: None,
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_good_checkpoint_is_refused_and_left_as_it_was(path: Path, kind: str) -> None:
    REFUSED[kind](path)
    if kind == "no directory":
        path = path.parent / "nowhere" / "run.ckpt"
    before = contents(path)
    with pytest.raises(CheckpointError, match=r"run\.ckpt.*; ."):
        CheckpointFile(path)
    assert contents(path) == before


def contents(path: Path) -> Any:
    if not path.is_file():
        return path.exists() and path.lstat().st_mode
    return [(x.name, x.read_bytes(), x.stat().st_mode) for x in sorted(path.parent.iterdir())]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["file", "link", "target", "journal"])
def test_what_another_user_owns_is_refused(path: Path, what: str) -> None:
    target = filled(path.with_name("target"))
    if what == "journal":
        beside(path, "-journal", 0o600)
        os.chown(f"{path}-journal", 1234, -1)
    else:
        path.symlink_to(target)
        os.lchown(path if what == "link" else target, 1234, -1)
    with pytest.raises(CheckpointError, match="another user"):
        CheckpointFile(target if what == "file" else path)


def test_an_empty_file_and_a_link_of_ones_own_are_taken(path: Path) -> None:
    path.touch(0o600)
    CheckpointFile(path).close(ended=True)
    link = path.with_name("link")
    link.symlink_to(path)
    CheckpointFile(link).close(ended=False)
    assert ended(path) is ended(link) is False


HOLDER = """
import sys, time
from scoopmpi.checkpoint.file import CheckpointFile
file = CheckpointFile(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.mark.ranks
def test_a_second_run_is_refused_as_long_as_the_first_lives(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_locks, "FILE_FREE_SECONDS", 0.2)
    with python(HOLDER, path) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "open\n"
        with pytest.raises(CheckpointError, match="another run is using it"):
            CheckpointFile(path)
        assert ended(path) is None
        holder.kill()
    file = CheckpointFile(path)  # in this process too, and the lock outlives the attempt
    with pytest.raises(CheckpointError, match="another run is using it"):
        CheckpointFile(path)
    with python(HOLDER, path) as second:
        assert "another run is using it" in second.communicate(timeout=20)[1]
    file.close(ended=True)


def test_a_file_of_version_0_1_says_what_to_do(path: Path) -> None:
    path.write_bytes(OLD.read_bytes())
    path.chmod(0o600)
    for use in (CheckpointFile, described):
        with pytest.raises(CheckpointError, match=r"0\.1 wrote it .*that version, or give another"):
            use(path)


class Real:
    """A good file, and what is in it; it has a short repr."""

    def __init__(self, path: Path) -> None:
        self.path, self.whole = path, filled(path).read_bytes()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Real:
    return Real(tmp_path_factory.mktemp("fuzz") / "run.ckpt")


@given(
    flips=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(1, 255)), max_size=4),
    kept=st.none() | st.integers(0, 1 << 20),
)
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_file_gives_what_was_saved_or_nothing(
    real: Real, flips: list[tuple[int, int]], kept: int | None
) -> None:
    path, whole = real.path, real.whole
    data = bytearray(whole if kept is None else whole[: kept % len(whole)])
    for place, bits in flips if data else ():
        data[place % len(data)] ^= bits
    path.write_bytes(data)
    try:
        file = CheckpointFile(path)
    except CheckpointError:
        assert path.read_bytes() == data
        return
    for saved in saved_of(file, 1):
        assert opened(saved) == [x * x for x in range(saved.start, saved.stop)]
        assert (saved.digest, saved.failed) == (DIGEST, ())
    for saved in saved_of(file, 2):
        array, others, _ = opened(saved)
        assert numpy.array_equal(array, numpy.arange(20000.0)) and others == [1, "x"]
        assert saved.failed == (2,)
    assert [opened(saved) for saved in saved_of(file, 0)] in ([], [[6]])
    save(file, 1, "squares", b"f", part(0, 1000))
    assert all(opened(x) == [n * n for n in range(x.start, x.stop)] for x in saved_of(file, 1))
    file.close(ended=True)
    assert ended(path) in (True, None)
