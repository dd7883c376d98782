"""What tasks print in files of their own: each byte in its task's file, whoever writes it."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoopmpi.wire.messages import Run
from scoopmpi.worker.task_files import BatchFiles, TaskFiles

pytestmark = pytest.mark.timeout(60)


NESTED = f"nested/rank-3.{os.getpid()}.out"


def run(job: int, start: int, stop: int) -> Run:
    return Run(job, start, stop, 1.0, 0, 0, None, True, b"")


@pytest.fixture
def files(tmp_path: Path) -> Iterator[TaskFiles]:
    """Those of a worker; descriptors are what they were at the end."""
    kept = os.dup(1), os.dup(2)
    made = TaskFiles(str(tmp_path / "out"), 3)
    yield made
    made.close()
    for number, copy in zip((1, 2), kept, strict=True):
        os.dup2(copy, number)
        os.close(copy)


def said(directory: Path) -> dict[str, str]:
    found = {}
    for path in sorted(directory.rglob("*.out")):
        found[str(path.relative_to(directory))] = path.read_text()
    return found


def test_each_task_that_prints_has_a_file(files: TaskFiles, tmp_path: Path) -> None:
    batch = files.of_batch(run(4, 10, 14))
    batch.enter()
    for task in range(10, 14):
        if task % 2:
            os.write(1, b"out\n")
            subprocess.run(["sh", "-c", f"echo {task} >&2"], check=True)
        batch.ended(task, "lib.<locals>.fit/../x")
    batch.leave()
    files.close()
    name = "4-lib._locals_.fit_.._x"
    assert said(tmp_path / "out") == {
        f"{name}/11.out": "out\n11\n", f"{name}/13.out": "out\n13\n",
    }  # fmt: skip


def test_a_second_attempt_has_a_number(files: TaskFiles, tmp_path: Path) -> None:
    for attempt in (b"a", b"b", b"c"):
        batch = files.of_batch(run(1, 0, 1))
        batch.enter()
        os.write(1, attempt)
        batch.ended(0, "f")
        batch.leave()
    assert said(tmp_path / "out" / "1-f") == {"0.out": "a", "0.2.out": "b", "0.3.out": "c"}


def test_a_process_that_outlives_its_task_writes_into_its_file(
    files: TaskFiles, tmp_path: Path
) -> None:
    batch = files.of_batch(run(1, 0, 3))
    batch.enter()
    reader, writer = os.pipe()
    child = subprocess.Popen(["sh", "-c", "read x; echo late"], stdin=reader)
    batch.ended(0, "f")
    batch.ended(1, "f")
    os.write(1, b"two\n")
    os.write(writer, b"\n")
    child.wait(10)
    batch.ended(2, "f")
    batch.leave()
    os.close(reader), os.close(writer)
    assert said(tmp_path / "out" / "1-f") == {"0.out": "late\n", "2.out": "two\n"}


@pytest.mark.parametrize("seed", range(20))
def test_tasks_that_wait_and_tasks_in_their_place_never_mix(
    seed: int, files: TaskFiles, tmp_path: Path
) -> None:
    """The invariant: what is written between `enter` and `pause` or `leave` is that batch's."""
    chance = random.Random(seed)
    waiting: list[tuple[BatchFiles, str]] = []
    expected: dict[str, str] = {}
    started = 0
    current: tuple[BatchFiles, str] | None = None
    while started < 30 or current or waiting:
        if current is None:
            if waiting and (started >= 30 or chance.random() < 0.5):
                current = waiting.pop(chance.randrange(len(waiting)))
            else:
                current = files.of_batch(run(started, 0, 1)), f"{started}-f/0.out"
                started += 1
            current[0].enter()
        batch, name = current
        for _ in range(chance.randint(0, 2)):
            text = f"{started} {chance.random()}\n"
            expected[name] = expected.get(name, "") + text
            os.write(chance.choice([1, 2]), text.encode())
        if chance.random() < 0.5:
            batch.pause()
            waiting.append(current)
            if chance.random() < 0.3:
                os.write(1, b"nested\n")
                expected[NESTED] = expected.get(NESTED, "") + "nested\n"
        else:
            batch.ended(0, "f")
            batch.leave()
        current = None
    files.close()
    assert said(tmp_path / "out") == expected


def test_a_running_task_has_its_name_when_the_worker_leaves(
    files: TaskFiles, tmp_path: Path
) -> None:
    batch = files.of_batch(run(2, 5, 7))
    batch.enter()
    batch.ended(5, "f")
    os.write(1, b"begun")
    assert said(tmp_path / "out") == {f"rank-3.{os.getpid()}.out": "begun"}
    files.close()
    assert said(tmp_path / "out") == {"2-f/6.out": "begun"}


def test_a_silent_task_costs_little(files: TaskFiles) -> None:
    batch = files.of_batch(run(1, 0, 10_000))
    batch.enter()
    began = time.thread_time()
    for task in range(10_000):
        batch.ended(task, "f")
    assert time.thread_time() - began < 2
    batch.leave()


def test_jobs_that_share_a_directory_leave_each_other_alone(
    files: TaskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    other = TaskFiles(str(tmp_path / "out"), 3)
    both = [made.of_batch(run(1, 0, 1)) for made in (files, other)]
    for batch, text in zip(both, (b"a", b"b"), strict=True):
        batch.enter()
        os.write(1, text)
        batch.pause()
    for batch in both:
        batch.enter()
        batch.ended(0, "f")
        batch.leave()
    other.close()
    assert said(tmp_path / "out" / "1-f") == {"0.out": "a", "0.2.out": "b"}


def test_a_file_system_without_links_will_do(
    files: TaskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", no_links)
    test_a_second_attempt_has_a_number(files, tmp_path)
