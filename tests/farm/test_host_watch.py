"""Hosts that fall silent: what rank 0 decides, and what it reads of its connections. No MPI."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from scoopmpi.farm import host_watch
from scoopmpi.farm.host_watch import HostWatch, limit, named
from scoopmpi.farm.members import Members
from scoopmpi.process import connections, daemon
from scoopmpi.process.connections import Connections
from scoopmpi.wire.errors import WorkerLost
from scoopmpi.wire.messages import Joined
from tests.support.libraries import ROOT

HOSTS = {1: ("east", ()), 2: ("west", ("10.0.0.2",)), 3: ("west", ("10.0.0.2",)),
         4: ("north", ("10.0.0.3", "fd00::3"))}  # fmt: skip


class Scene:
    """Four workers on three hosts; `ages` is what the kernel has to say."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.members = Members(len(HOSTS), lambda stream, data: None)
        for worker, (host, addresses) in HOSTS.items():
            self.members.joined(worker, Joined(host, 1, "", frozenset(), addresses))
        self.ages = {"10.0.0.2": 0.0, "10.0.0.3": 0.0, "10.9.9.9": 5000.0}
        self.lost: list[WorkerLost] = []
        self.lookout = HostWatch(self.members, self.lost.append, seconds, silences=self._read)

    def _read(self, addresses: Collection[str], probe: float) -> dict[str, float]:
        assert 0 < probe <= 10
        return {address: age for address, age in self.ages.items() if address in addresses}

    def after(self, seconds: float, *silent: str) -> bool:
        """Look every ten seconds; these addresses do not answer meanwhile, the others do."""
        for _ in range(round(seconds / 10)):
            for address in self.ages:
                self.ages[address] = self.ages[address] + 10 if address in silent else 0.0
            if self.lookout.look():
                return True
        return False


def test_a_silent_host_is_named_first_and_lost_then(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    assert not scene.after(600)
    assert not scene.after(50, "10.0.0.2")
    assert [record.getMessage() for record in caplog.records] == [
        "nothing has come from host west (workers 2, 3) for 30 s, no answer of its kernel either: "
        "it is off, or its network is cut; the job ends if that goes on for 30 s more"
    ]
    assert not scene.lost
    assert scene.after(20, "10.0.0.2")
    [error] = scene.lost
    assert "host west (workers 2, 3) for 60 s" in str(error)
    assert (error.rank, error.host) == (2, "west")


def test_a_host_that_comes_back_is_not_lost(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    for _ in range(3):
        assert not scene.after(50, "10.0.0.3")
        assert not scene.after(20)
    assert [record.getMessage()[:20] for record in caplog.records] == [
        "nothing has come fro", "host north answers a",
    ] * 3  # fmt: skip
    assert not scene.lost


@pytest.mark.parametrize("gone", ["died", "left"])
def test_hosts_without_workers_do_not_matter(gone: str, caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    for worker in (2, 3):
        getattr(scene.members, gone)(worker)
    assert not scene.after(600, "10.0.0.2")
    assert not caplog.records
    assert scene.after(600, "10.0.0.3")


def test_the_launchers_death_is_told_with_the_host_that_went(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    assert not scene.after(20)
    assert not scene.lookout.launcher_died()
    monkeypatch.setattr(host_watch.os, "getppid", lambda: 1)
    del scene.ages["10.0.0.2"]
    assert scene.lookout.launcher_died()
    assert [record.getMessage() for record in caplog.records] == [
        "the launcher has died before the program has ended: host west (workers 2, 3) is lost, or "
        "the launcher's daemon there"
    ]


@pytest.mark.parametrize(
    ("text", "seconds", "warned"),
    [
        ("", 60.0, False), ("5", 5.0, False), ("0.5", 0.5, False), ("0", math.inf, False),
        ("inf", math.inf, False), ("-1", 60.0, True), ("soon", 60.0, True), ("nan", 60.0, True),
    ],
)  # fmt: skip
def test_the_limit_is_the_users(
    text: str, seconds: float, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert limit({"SCOOPMPI_HOST_SECONDS": text}) == seconds
    assert bool(caplog.records) is warned


@pytest.mark.parametrize(
    ("workers", "text"),
    [
        ([3], "worker 3"), ([4, 3], "workers 3, 4"), ([1, 3], "workers 1, 3"),
        ([1, 4, 5, 6, 9, 10], "workers 1, 4 to 6, 9, 10"), (range(65, 129), "workers 65 to 128"),
    ],
)  # fmt: skip
def test_workers_in_few_words(workers: Collection[int], text: str) -> None:
    assert named(list(workers)) == text


@pytest.mark.ranks
def test_a_farm_that_is_stuck_in_mpi_is_ended(tmp_path: Path) -> None:
    program = (
        "from tests.farm.test_host_watch import Scene\n"
        "from scoopmpi.farm import host_watch as lookout\n"
        "import time\n"
        "lookout._STUCK_SECONDS = 0.1\n"
        "scene = Scene(0.3)\n"
        "look = lookout.HostWatch(scene.members, scene.lost.append, 0.3, lambda: True,\n"
        "    lambda addresses, probe: dict.fromkeys(addresses, 99.0))\n"
        "look.start()\n"
        "time.sleep(20)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, timeout=30,
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == -9, ended.stderr


# Connections.


@contextlib.contextmanager
def connected(own: str, peer: str) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection of this machine to itself, from one of its addresses to another."""
    family = socket.AF_INET6 if ":" in peer else socket.AF_INET
    with socket.socket(family) as listener, socket.socket(family) as client:
        listener.bind((peer, 0))
        listener.listen(1)
        client.bind((own, 0))
        client.connect(listener.getsockname())
        served, _ = listener.accept()
        with served:
            yield client, served


@pytest.fixture
def outward(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[socket.socket, socket.socket]]:
    """As if 127.0.0.3 were another host's address."""
    monkeypatch.setattr(connections, "_OWN", "127.0.0.1")
    with connected("127.0.0.2", "127.0.0.3") as ends:
        yield ends


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel is not Linux")


@linux
def test_connections_are_read_and_probed_and_left_as_they_are(
    outward: tuple[socket.socket, socket.socket],
) -> None:
    client, served = outward
    client.sendall(b"x")
    assert served.recv(1) == b"x"
    looks = Connections()
    socket.setdefaulttimeout(1.0)  # a Python socket of the descriptor would stop it blocking
    try:
        assert looks.silences({"127.0.0.3", "10.1.1.1"}, 7.4) == {"127.0.0.3": 0.0}
    finally:
        socket.setdefaulttimeout(None)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 7
    assert not served.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), "nobody asked for it"
    assert os.get_blocking(client.fileno())
    assert {"127.0.0.2", "127.0.0.3"} <= set(connections.own_addresses())
    served.close()
    time.sleep(0.05)
    assert not looks.silences({"127.0.0.3"}, 7), "the other end has closed it"


@linux
def test_an_end_that_reads_nothing_answers_all_the_same(
    outward: tuple[socket.socket, socket.socket],
) -> None:
    """As that of a worker that is stopped: its buffers are full, and the kernel asks ever less."""
    client, _ = outward
    looks = Connections()
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while client.send(bytes(1 << 20)):
            pass
    for _ in range(15):
        assert looks.silences({"127.0.0.3"}, 1) == {"127.0.0.3": 0.0}
        time.sleep(0.2)


@linux
def test_a_connection_in_the_place_of_another_is_read_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "_OWN", "127.0.0.1")
    looks = Connections()
    for address in ("127.0.0.3", "127.0.0.4"):  # the second gets the descriptors of the first
        with connected("127.0.0.2", address) as (client, _):
            assert looks.silences({"127.0.0.3", "127.0.0.4"}, 7) == {address: 0.0}
            assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 7


@linux
def test_what_is_no_connection_is_passed_over() -> None:
    before = len(os.listdir("/proc/self/fd"))
    with socket.socket() as unconnected, socket.socket(type=socket.SOCK_DGRAM) as packets:
        packets.connect(("127.0.0.3", 9))
        left, right = socket.socketpair()
        with left, right, open(os.devnull) as file:
            assert "127.0.0.3" not in Connections().silences({"127.0.0.3"}, 5)
            assert unconnected.fileno() > 0 and file.fileno() > 0
    assert len(os.listdir("/proc/self/fd")) == before


# The launcher's daemon.


def runs(process: int) -> bool:
    """Whether it does; one that has ended may wait for its parent."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@linux
@pytest.mark.parametrize("name", ["prted", "mpiexec.hydra", "mpirun.openmpi", "mpirun_jobs"])
def test_a_launcher_above_is_killed_with_its_children_and_nothing_else(
    name: str, tmp_path: Path
) -> None:
    """The launcher starts a remote shell (`sleep`) and a rank, which kills what is above it."""
    launcher = tmp_path / name
    shutil.copy("/bin/bash", launcher)
    rank = "from scoopmpi.process import daemon; print(daemon.kill(), flush=True)"
    script = f"sleep 60 >&- 2>&- & echo $!; '{sys.executable}' -c '{rank}'; echo goes on"
    ended = subprocess.run(
        ["/bin/sh", "-c", f"'{launcher}' -c \"$0\"; echo above", script], timeout=30,
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    shell = int(ended.stdout.split()[0])
    if name == "mpirun_jobs":
        assert ended.stdout.split()[1:] == ["False", "goes", "on", "above"]
        assert runs(shell)
        os.kill(shell, signal.SIGKILL)
    else:
        assert "True" in ended.stdout and "above" in ended.stdout and "goes" not in ended.stdout
        limit = time.monotonic() + 10
        while runs(shell) and time.monotonic() < limit:
            time.sleep(0.02)
        assert not runs(shell)
    assert not daemon.kill(), "no launcher is above this test"


@pytest.mark.ranks
def test_a_process_that_spins_in_c_has_an_end() -> None:
    """As MPI_Abort of MPICH does where a host is gone. The program may have a handler."""
    program = (
        "import signal\n"
        "from scoopmpi.wire.transport import _end_after\n"
        "signal.signal(signal.SIGALRM, print)\n"
        "_end_after(1)\n"
        "sum(range(10**13))\n"
    )
    started = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=30, check=False)
    assert ended.returncode == -signal.SIGALRM
    assert time.monotonic() - started < 20
