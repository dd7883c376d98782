"""Buffers in memory that other processes map: with real processes, and when they die."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scoopmpi.constants import hostmemory
from scoopmpi.constants.hostmemory import NotShared, Published, Where, attach, publish
from scoopmpi.process.identity import memory_domain

MB = 1 << 20


def missing() -> str | None:
    """Why this system has no such memory."""
    try:
        publish([b"x"])
    except NotShared as reason:
        return str(reason)
    return None


pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")


class Other:
    """A second Python; it evaluates lines and answers with what they give."""

    CODE = (
        "import mmap, os, sys\nimport numpy as np\nfrom scoopmpi.constants.hostmemory import *\n"
        "from scoopmpi.process.identity import memory_domain\n"
        "for line in sys.stdin:\n"
        "    try: answer = eval(line)\n"
        "    except BaseException as error: answer = f'{type(error).__name__}: {error}'\n"
        "    print(repr(answer), flush=True)\n"
    )

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.CODE],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, line: str) -> Any:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(line + "\n")
        stdin.flush()
        return eval(stdout.readline(), {"Where": Where})

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)


@pytest.fixture
def other() -> Iterator[Other]:
    found = Other()
    yield found
    found.kill()


def private_and_shared(pid: int, mapping: str) -> tuple[int, int]:
    """Bytes of a mapping that belong to a process alone, and that it shares, as Linux counts."""
    sizes = {"Private": 0, "Shared": 0}
    inside = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if "-" in line.split(" ")[0]:
            inside = mapping in line
        elif inside and line.startswith(("Private_", "Shared_")):
            name, kilobytes = line.split(":")
            sizes[name.split("_")[0]] += int(kilobytes.split()[0]) << 10
    return sizes["Private"], sizes["Shared"]


def test_what_is_published_is_what_is_attached() -> None:
    sent = [b"some bytes", bytearray(b""), np.arange(1000), np.asfortranarray(np.ones((2, 3)))]
    with_it = publish(sent)
    for views in (with_it.views, attach(with_it.where)):
        assert [bytes(view) for view in views[:2]] == [b"some bytes", b""]
        assert (np.frombuffer(views[2], int) == np.arange(1000)).all()
        assert views[3].nbytes == 48


def test_buffers_are_aligned() -> None:
    views = publish([b"abc", b"", np.arange(9), bytes(65), b"end"]).views
    for view in views:
        address = np.frombuffer(view, np.uint8).ctypes.data if view.nbytes else 0
        assert address % hostmemory.ALIGNMENT == 0


def test_more_than_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostmemory, "PIECE", 1000)
    data = os.urandom(12345)
    there = publish([data])
    assert bytes(attach(there.where)[0]) == data


def test_the_publishers_array_may_change_afterwards() -> None:
    array = np.zeros(1000)
    there = publish([array])
    array[:] = 1
    assert not np.frombuffer(there.views[0]).any()


@pytest.mark.ranks
def test_another_process_sees_the_same_memory(other: Other) -> None:
    there = publish([np.full(64 * MB // 8, 3.5)])
    assert other.ask(f"(v := attach({there.where!r})) and float(np.frombuffer(v[0]).sum())")
    assert np.frombuffer(there.views[0])[::512].sum()
    for pid in (os.getpid(), other.process.pid):
        private, common = private_and_shared(pid, "memfd:scoopmpi")
        assert private < MB
        assert common >= 64 * MB


@pytest.mark.ranks
def test_nobody_can_write(other: Other) -> None:
    there = publish([np.zeros(1000)])
    lines = [
        "v[0].__setitem__(0, 1)",
        "np.frombuffer(v[0]).__setitem__(0, 1)",
        "np.frombuffer(v[0]).setflags(write=True)",
        f"os.write(os.open('/proc/{os.getpid()}/fd/{there.where.fd}', os.O_RDWR), b'x')",
        f"os.truncate('/proc/{os.getpid()}/fd/{there.where.fd}', 1)",
        f"mmap.mmap(os.open('/proc/{os.getpid()}/fd/{there.where.fd}', os.O_RDWR), 64)",
    ]
    assert other.ask(f"bool(v := attach({there.where!r}))") is True
    answers = [other.ask(line) for line in lines]
    assert [answer.split(":")[0] for answer in answers] == [
        "TypeError", "ValueError", "ValueError", *["PermissionError"] * 3,
    ]  # fmt: skip
    assert bytes(there.views[0]) == bytes(8000)


@pytest.mark.ranks
@pytest.mark.parametrize("how", ["killed", "closed"])
def test_who_has_attached_keeps_the_memory(other: Other, how: str) -> None:
    where = other.ask("(p := publish([np.arange(100_000)])).where")
    (view,) = attach(where)
    if how == "killed":
        other.process.send_signal(signal.SIGKILL)
        other.process.wait(timeout=20)
    else:
        assert other.ask("p.close()") is None
    assert np.frombuffer(view, int).sum() == 99_999 * 50_000
    with pytest.raises(NotShared, match=f"memory of process {where.pid} cannot be opened"):
        attach(where)


@pytest.mark.ranks
def test_nothing_remains_of_the_killed(other: Other) -> None:
    before = set(os.listdir("/dev/shm"))
    other.ask(f"(p := publish([bytes({200 * MB})])).where")
    held = shared_memory_of_system()
    other.kill()
    assert {name for name in set(os.listdir("/dev/shm")) - before if "scoop" in name} == set()
    deadline = time.monotonic() + 20
    while shared_memory_of_system() > held - 150 * MB:  # others may use some meanwhile
        assert time.monotonic() < deadline
        time.sleep(0.05)


def shared_memory_of_system() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("Shmem:"))


def test_nothing_stays_open_when_it_is_collected() -> None:
    gc.collect()  # what other tests have left would be closed by the one below
    before = len(os.listdir("/proc/self/fd"))
    there = publish([bytes(100)])
    views = [*there.views, *attach(there.where)]
    assert len(os.listdir("/proc/self/fd")) > before
    del there, views
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("change", ["pid", "fd", "size", "token", "pipe", "file"])
def test_another_file_is_not_taken_for_it(change: str, tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    there, another = publish([bytes(100)]), publish([bytes(100)])
    reader, writer = os.pipe()
    with open(tmp_path / "file", "wb+") as file:
        file.truncate(192)
        wrong = {
            "pid": there.where._replace(pid=2**22 + 1),
            "fd": there.where._replace(fd=another.where.fd),
            "size": there.where._replace(sizes=(10_000,)),
            "token": there.where._replace(token=bytes(16)),
            "pipe": there.where._replace(fd=reader),
            "file": there.where._replace(fd=file.fileno()),
        }[change]
        with pytest.raises(NotShared, match=f"memory of process {wrong.pid} cannot be opened"):
            attach(wrong)
    os.close(reader)
    os.close(writer)
    there.close(), another.close()
    del there, another
    assert len(os.listdir("/proc/self/fd")) == before


def test_no_such_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    with pytest.raises(NotShared, match="no memfd_create"):
        publish([b"x"])


def test_no_room_left_closes_what_was_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(NotShared, match="No space left"):
        publish([b"x"])
    assert len(os.listdir("/proc/self/fd")) == before


def test_too_many_open_files_is_said() -> None:
    kept: list[Published] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")), hard))
    try:
        with pytest.raises(NotShared, match="Too many open files"):
            kept.extend(publish([b"x"]) for _ in range(100))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        kept.clear()


@pytest.mark.ranks
def test_processes_that_can_attach_have_the_same_domain(other: Other) -> None:
    assert other.ask("memory_domain()") == memory_domain()
