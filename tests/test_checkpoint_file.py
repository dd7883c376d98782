"""The file of a checkpoint: what was saved comes back, or the file is refused; nothing else."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoopmpi import payload
from scoopmpi.checkpoint import admission, frames, writer
from scoopmpi.checkpoint.file import CheckpointError, CheckpointFile, Saved, ended

from .conftest import ROOT

pytestmark = pytest.mark.timeout(100)
DIGEST = b"d" * 16


def part(start: int, stop: int, values: Any = None, digest: bytes = DIGEST) -> Saved:
    """Outcomes of tasks in one frame."""
    values = [x * x for x in range(start, stop)] if values is None else values
    return Saved(start, stop, digest, True, payload.pack(values), ())


def opened(saved: Saved) -> list[Any]:
    return (
        payload.unpack(saved.outcomes)
        if saved.plain
        else [payload.unpack(x) for x in saved.outcomes]
    )


def filled(path: Path) -> Path:
    """A file with jobs of all kinds."""
    file = CheckpointFile(path, "a program")
    for start in range(0, 1000, 50):
        file.save(1, "squares", b"f", part(start, start + 50))
    values = (payload.pack(numpy.arange(20000.0)), payload.pack([1, "x"]), payload.pack("no"))
    file.save(2, "arrays", b"g", Saved(0, 3, DIGEST, False, values, (2,)))
    file.save(0, "submitted calls", b"", Saved(5, 6, DIGEST, False, (payload.pack(6),), ()))
    file.save_constant("table", payload.pack([1, 2]))
    file.close(ended=True)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.ckpt"


def test_what_was_saved_comes_back_in_another_run(path: Path) -> None:
    filled(path)
    assert path.stat().st_mode & 0o777 == 0o600
    file = CheckpointFile(path)
    squares = [value for saved in file.saved(1) for value in opened(saved)]
    assert squares == [x * x for x in range(1000)]
    (arrays,) = file.saved(2)
    assert (arrays.failed, arrays.plain, arrays.digest) == ((2,), False, DIGEST)
    array, others, _ = opened(arrays)
    array += 1  # a result that came from a worker may be written to as well
    assert array[-1] == 20000.0 and others == [1, "x"]
    assert [saved.start for saved in file.saved(0)] == [5] and file.saved(3) == []
    assert file.saved_function(2) == ("arrays", b"g") and file.saved_function(9) is None
    assert {name: payload.unpack(x) for name, x in file.constants().items()} == {"table": [1, 2]}
    file.close(ended=False)


def test_what_this_run_saved_is_seen_at_once_and_later_changes_of_values_are_not(
    path: Path,
) -> None:
    file = CheckpointFile(path)
    array = numpy.zeros(50000)
    file.save(1, "f", b"f", Saved(0, 1, DIGEST, False, (payload.pack(array),), ()))
    array += 1
    assert opened(file.saved(1)[0])[0].sum() == 0
    assert file.saved_function(1) == ("f", b"f")
    file.save_constant("a", payload.pack(1))
    file.save_constant("b", payload.pack(2))
    file.save_constant("a", payload.pack(3))
    assert [payload.unpack(x) for x in file.constants().values()] == [3, 2]
    file.close(ended=True)
    file.close(ended=False)
    file.save(1, "f", b"f", part(1, 2))
    assert file.saved(1) == [] and ended(path) is True


def test_results_larger_than_a_row(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "PIECE", 1 << 17)
    rng = numpy.random.default_rng(1)
    values = [rng.random(size) for size in (10, 16384, 16385, 50000, 0)] + [b"x" * 400000] * 2
    whole = Saved(0, len(values), DIGEST, False, tuple(map(payload.pack, values)), ())
    file = CheckpointFile(path)
    for job in (1, 2):
        file.save(job, "f", b"f", whole)
        file.save(job, "f", b"f", part(7, 9))
    file.close(ended=True)
    file = CheckpointFile(path)
    for job in (1, 2):
        large, small = file.saved(job)
        assert opened(small) == [49, 64]
        for value, expected in zip(opened(large), values, strict=True):
            assert numpy.array_equal(value, expected) and type(value) is type(expected)
    file.close(ended=True)


def test_the_last_word_counts_where_parts_overlap_or_functions_change(path: Path) -> None:
    chance = random.Random(3)
    expected: dict[int, tuple[int, int]] = {}  # start: stop and a number of the part
    file = CheckpointFile(path)
    for number in range(300):
        start = chance.randrange(100)
        stop = start + chance.randrange(1, 12)
        file.save(1, "f", b"f", part(start, stop, number))
        expected = {a: (b, n) for a, (b, n) in expected.items() if b <= start or a >= stop}
        expected[start] = stop, number
        if chance.random() < 0.1:
            gone = chance.choice(sorted(expected))
            file.forget(1, [gone])
            del expected[gone]
    for _ in range(2):
        found = {x.start: (x.stop, payload.unpack(x.outcomes)) for x in file.saved(1)}
        assert found == expected and list(found) == sorted(found)
        file.close(ended=True)
        file = CheckpointFile(path)
    file.save(1, "g", b"g", part(50, 51))
    assert [saved.start for saved in file.saved(1)] == [50]
    file.close(ended=True)


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
        path, f"PRAGMA application_id={admission.APPLICATION}", "PRAGMA user_version=1"
    ),
    "newer": lambda path: stamped(path, 60, (2).to_bytes(4, "big")),
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


def python(code: str, *words: Any, **options: Any) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, text=True, **{**pipes, **options})


def test_a_second_run_is_refused_as_long_as_the_first_lives(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "PATIENCE", 0.2)
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


WRITER = """
import sys, time
from scoopmpi import payload
from scoopmpi.checkpoint.file import CheckpointFile, Saved
file = CheckpointFile(sys.argv[1])
first = max([0, *(part.stop for part in file.saved(1))])
print("open", flush=True)
for number in range(first, 10**6):
    frame = payload.pack([number, "x" * (number % 5000)])
    file.save(1, "f", b"f", Saved(number, number + 1, b"d%d" % number, False, (frame,), ()))
    print(number, time.time(), flush=True)
    time.sleep(0.001)
"""


def test_kill_9_at_any_moment_loses_at_most_the_last_second(tmp_path: Path) -> None:
    chance = random.Random(7)
    files = [tmp_path / f"{number}.ckpt" for number in range(4)]
    kept = [0] * len(files)
    for _ in range(6):
        runs = [python(WRITER, path) for path in files]
        for run in runs:
            assert run.stdout is not None and run.stdout.readline() == "open\n"
        killed = [0.0] * len(runs)
        begun = time.time()
        for delay in sorted(chance.uniform(0, 2) for _ in runs):
            place = chance.choice([place for place, moment in enumerate(killed) if not moment])
            time.sleep(max(0.0, begun + delay - time.time()))
            killed[place] = time.time()
            runs[place].kill()
        for place, (run, moment) in enumerate(zip(runs, killed, strict=True)):
            lines = [line.split() for line in run.communicate(timeout=20)[0].splitlines(True)]
            old = [int(line[0]) for line in lines if len(line) == 2 and is_old(line[1], moment)]
            assert ended(files[place]) is False
            file = CheckpointFile(files[place])
            saved = file.saved(1)
            assert [x.start for x in saved] == list(range(len(saved)))
            assert len(saved) >= max([kept[place], *(number + 1 for number in old)])
            for number, one in enumerate(saved):
                assert opened(one) == [[number, "x" * (number % 5000)]]
                assert one.digest == b"d%d" % number
            kept[place] = len(saved)
            file.close(ended=False)
    assert min(kept) > 100


def is_old(text: str, moment: float) -> bool:
    return text.count(".") == 1 and float(text) < moment - 1


FULL = """
import logging, resource, signal, sys
logging.basicConfig(format="%(message)s")
from scoopmpi import payload
from scoopmpi.checkpoint import writer
from scoopmpi.checkpoint.file import CheckpointFile, Saved
writer.AGAIN = 0.1
def save(number):
    file.save(1, "f", b"f", Saved(number, number + 1, b"d", True, payload.pack(b"x" * 50000), ()))
file = CheckpointFile(sys.argv[1])
save(0)
file.flush()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100000, resource.RLIM_INFINITY))
for number in range(1, 21):
    save(number)
    file.flush()
if sys.argv[2] == "room":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
print(len(file.saved(1)))
file.close(True)
"""


@pytest.mark.parametrize("again", ["room", "none"])
def test_where_the_disk_is_full_the_program_goes_on_and_is_warned(path: Path, again: str) -> None:
    with python(FULL, path, again) as run:
        _, problem = run.communicate(timeout=40)
    assert run.returncode == 0, problem
    warnings = problem.splitlines()
    assert "cannot be written" in warnings[0] and "goes on" in warnings[0]
    saved = CheckpointFile(path)
    count = len(saved.saved(1))
    saved.close(ended=True)
    if again == "room":
        assert (count, len(warnings)) == (21, 1)
    else:
        assert len(warnings) == 2 and f"{21 - count} results are missing" in warnings[1]
        assert count >= 1


def test_where_the_disk_hangs_the_end_does_not(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer, "PATIENCE", 0.3)
    file = CheckpointFile(path)
    back = threading.Event()
    file._database.progress = lambda: back.wait(20) and None  # type: ignore[func-returns-value]
    file.save(1, "f", b"f", part(0, 7))
    begun = time.monotonic()
    file.close(ended=True)
    assert time.monotonic() - begun < 5
    assert "7 results are missing" in caplog.text and "does not answer" in caplog.text
    back.set()
    file._writer._thread.join(20)


def test_who_gives_waits_only_for_a_disk_that_is_far_behind(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "QUEUED", 100000)
    monkeypatch.setattr(writer, "BITE", 50000)
    file = CheckpointFile(path)
    for number in range(50):
        file.save(1, "f", b"f", part(number, number + 1, b"x" * 60000))
        assert file._writer._bytes < 170000
    assert len(file.saved(1)) == 50
    file.close(ended=True)


def test_a_million_results_cost_the_caller_next_to_nothing(path: Path) -> None:
    file = CheckpointFile(path)
    parts = [part(start, start + 10**4) for start in range(0, 10**6, 10**4)]
    begun = time.thread_time()
    for one in parts:
        file.save(1, "squares", b"f", one)
    assert time.thread_time() - begun < 0.1  # 0.003 s where nothing else runs
    file.close(ended=True)


def test_a_forked_child_leaves_the_file_alone(path: Path) -> None:
    file = CheckpointFile(path)
    file.save(1, "f", b"f", part(0, 3))
    child = os.fork()
    if not child:
        try:
            file.save(1, "f", b"f", part(3, 9))
            file.flush()
            file.close(ended=False)
        finally:
            os._exit(0 if file.saved(1) == [] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(file.saved(1)) == 1
    file.close(ended=True)
    assert ended(path) is True


def test_a_file_that_is_removed_meanwhile_is_told(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = CheckpointFile(path)
    path.unlink()
    file.save(1, "f", b"f", part(0, 3))
    file.close(ended=True)
    assert "was removed" in caplog.text


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
    for saved in file.saved(1):
        assert opened(saved) == [x * x for x in range(saved.start, saved.stop)]
        assert (saved.digest, saved.failed) == (DIGEST, ())
    for saved in file.saved(2):
        array, others, _ = opened(saved)
        assert numpy.array_equal(array, numpy.arange(20000.0)) and others == [1, "x"]
        assert saved.failed == (2,)
    assert [opened(saved) for saved in file.saved(0)] in ([], [[6]])
    assert [payload.unpack(x) for x in file.constants().values()] in ([], [[1, 2]])
    file.save(1, "squares", b"f", part(0, 1000))
    assert all(opened(x) == [n * n for n in range(x.start, x.stop)] for x in file.saved(1))
    file.close(ended=True)
    assert ended(path) in (True, None)
