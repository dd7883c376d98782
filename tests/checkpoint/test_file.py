"""The file of a checkpoint: what was saved comes back, whatever ends the run, or the disk."""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import numpy
import pytest

from scoopmpi.checkpoint import frames, writer
from scoopmpi.checkpoint.file import CheckpointFile, Saved, ended
from scoopmpi.wire import payload
from tests.support.checkpoints import DIGEST, filled, opened, part, path, python, save, saved_of

__all__ = ["path"]
pytestmark = pytest.mark.timeout(100)


def test_what_was_saved_comes_back_in_another_run(path: Path) -> None:
    filled(path)
    assert path.stat().st_mode & 0o777 == 0o600
    file = CheckpointFile(path)
    squares = [value for saved in saved_of(file, 1) for value in opened(saved)]
    assert squares == [x * x for x in range(1000)]
    (arrays,) = saved_of(file, 2)
    assert (arrays.failed, arrays.plain, arrays.digest) == ((2,), False, DIGEST)
    array, others, _ = opened(arrays)
    array += 1  # a result that came from a worker may be written to as well
    assert array[-1] == 20000.0 and others == [1, "x"]
    assert [saved.start for saved in saved_of(file, 0)] == [5] and saved_of(file, 3) == []
    (arrays_of,) = file.versions("arrays")
    assert (arrays_of.digest, file.is_earlier(arrays_of)) == (b"g", True)
    assert not file.is_earlier(file.function("arrays", b"other"))
    assert file.counts == {0: 1, 1: 1000, 2: 3}
    file.close(ended=False)


def test_what_this_run_saved_is_seen_at_once_and_later_changes_of_values_are_not(
    path: Path,
) -> None:
    file = CheckpointFile(path)
    array = numpy.zeros(50000)
    save(file, 1, "f", b"f", Saved(0, 1, DIGEST, False, (payload.pack(array),), ()))
    array += 1
    assert opened(saved_of(file, 1)[0])[0].sum() == 0
    assert file.places(job=1) == []  # none of an earlier run
    file.close(ended=True)
    file.close(ended=False)
    save(file, 1, "f", b"f", part(1, 2))
    assert saved_of(file, 1) == [] and ended(path) is True


def test_results_larger_than_a_row(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "PIECE", 1 << 17)
    rng = numpy.random.default_rng(1)
    values = [rng.random(size) for size in (10, 16384, 16385, 50000, 0)] + [b"x" * 400000] * 2
    whole = Saved(0, len(values), DIGEST, False, tuple(map(payload.pack, values)), ())
    file = CheckpointFile(path)
    for job in (1, 2):
        save(file, job, "f", b"f", whole)
        save(file, job, "f", b"f", part(7, 9))
    file.close(ended=True)
    file = CheckpointFile(path)
    for job in (1, 2):
        large, small = saved_of(file, job)
        assert opened(small) == [49, 64]
        for value, expected in zip(opened(large), values, strict=True):
            assert numpy.array_equal(value, expected) and type(value) is type(expected)
    file.close(ended=True)


def test_parts_of_other_functions_and_arguments_lie_beside_each_other(path: Path) -> None:
    for run in range(3):
        file = CheckpointFile(path)
        for name in (b"f", b"g"):
            digest = b"%16d" % run
            save(file, 1, "f", name, part(5, 9, [run, name.decode()] * 2, digest))
        file.close(ended=True)
    file = CheckpointFile(path)
    digests = {function.number: function.digest for function in file.versions("f")}
    assert [digests[place.function] for place in file.places(job=1)] == [b"f", b"g"] * 3
    assert [opened(each)[:2] for each in saved_of(file, 1)] == [
        [run, name] for run in range(3) for name in ("f", "g")
    ]
    file.forget(file.places(job=1)[0].part)
    assert len(saved_of(file, 1)) == 5
    file.close(ended=True)


WRITER = """
import sys, time
from scoopmpi.wire import payload
from scoopmpi.checkpoint.file import CheckpointFile, Saved
file = CheckpointFile(sys.argv[1])
first = max([0, *(part.stop for part in file.places(job=1))])
function = file.function("f", b"f")
print("open", flush=True)
for number in range(first, 10**6):
    frame = payload.pack([number, "x" * (number % 5000)])
    file.save(1, function, Saved(number, number + 1, b"d%d" % number, False, (frame,), ()))
    print(number, time.time(), flush=True)
    time.sleep(0.001)
"""


@pytest.mark.ranks
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
            saved = saved_of(file, 1)
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
from scoopmpi.wire import payload
from scoopmpi.checkpoint import writer
from scoopmpi.checkpoint.file import CheckpointFile, Saved
writer.AGAIN = 0.1
def save(number):
    file.save(1, f, Saved(number, number + 1, b"d", True, payload.pack(b"x" * 50000), ()))
file = CheckpointFile(sys.argv[1])
f = file.function("f", b"f")
save(0)
file.flush()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100000, resource.RLIM_INFINITY))
for number in range(1, 21):
    save(number)
    file.flush()
if sys.argv[2] == "room":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
file.close(True)
"""


@pytest.mark.ranks
@pytest.mark.parametrize("again", ["room", "none"])
def test_where_the_disk_is_full_the_program_goes_on_and_is_warned(path: Path, again: str) -> None:
    with python(FULL, path, again) as run:
        _, problem = run.communicate(timeout=40)
    assert run.returncode == 0, problem
    warnings = problem.splitlines()
    assert "cannot be written" in warnings[0] and "goes on" in warnings[0]
    saved = CheckpointFile(path)
    count = len(saved_of(saved, 1))
    saved.close(ended=True)
    if again == "room":
        assert (count, len(warnings)) == (21, 1)
    else:
        assert len(warnings) == 2 and f"{21 - count} results are missing" in warnings[1]
        assert count >= 1


def test_where_the_disk_hangs_the_end_does_not(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer, "DISK_SECONDS", 0.3)
    file = CheckpointFile(path)
    back = threading.Event()
    file._database.on_progress(lambda: back.wait(20) and None)  # type: ignore[func-returns-value]
    save(file, 1, "f", b"f", part(0, 7))
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
        save(file, 1, "f", b"f", part(number, number + 1, b"x" * 60000))
        assert file._writer._bytes < 170000
    assert len(saved_of(file, 1)) == 50
    file.close(ended=True)


def test_a_million_results_cost_the_caller_next_to_nothing(path: Path) -> None:
    file = CheckpointFile(path)
    parts = [part(start, start + 10**4) for start in range(0, 10**6, 10**4)]
    begun = time.thread_time()
    for one in parts:
        save(file, 1, "squares", b"f", one)
    assert time.thread_time() - begun < 0.1  # 0.003 s where nothing else runs
    file.close(ended=True)


def test_a_forked_child_leaves_the_file_alone(path: Path) -> None:
    file = CheckpointFile(path)
    save(file, 1, "f", b"f", part(0, 3))
    child = os.fork()
    if not child:
        try:
            save(file, 1, "f", b"f", part(3, 9))
            file.flush()
            file.close(ended=False)
        finally:
            os._exit(0 if saved_of(file, 1) == [] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(saved_of(file, 1)) == 1
    file.close(ended=True)
    assert ended(path) is True


def test_a_file_that_is_removed_meanwhile_is_told(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = CheckpointFile(path)
    path.unlink()
    save(file, 1, "f", b"f", part(0, 3))
    file.close(ended=True)
    assert "was removed" in caplog.text
