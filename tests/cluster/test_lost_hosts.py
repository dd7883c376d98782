"""A host, a daemon of the launcher or the network between hosts is lost: the job ends, and says so.

Whatever the library, the exit status is not 0 where results are missing, within seconds, and no
results are missing where it is 0.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.libraries import survives

from .hosts import Host, cut
from .jobs import PROGRAMS, WAITS, await_that
from .test_hosts import Pair, begun, two

__all__ = ["two"]
pytestmark = pytest.mark.timeout(180)

DAEMONS = ("prted", "orted", "hydra_pmi_proxy", "hydra_bstrap_proxy")
HOST_SECONDS = 4
END_SECONDS = 40
"""For the end of a job; seconds on a quiet machine."""
FIREWALL = "failed to report back"


@contextlib.contextmanager
def running(two: Pair, *words: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A program whose workers have all begun a task, on both hosts; stderr goes to a file."""
    env = two.job("east east west west", **more).env
    with (
        (two.directory / "stderr").open("w") as stderr,
        subprocess.Popen(
            two.words(*words), env=env, text=True, stdin=subprocess.DEVNULL,
            start_new_session=True, stdout=subprocess.PIPE, stderr=stderr,
        ) as process,
    ):  # fmt: skip
        try:
            await_that(
                lambda: len(list(two.directory.glob("*.begun"))) == 4 or process.poll() is not None,
                lambda: f"tasks have begun on {begun(two.directory)} of {two.running()} only",
                40,
            )
            if process.poll() is not None:
                pytest.fail(f"it has ended with {process.returncode}: {ended(two, process)}")
            yield process
        finally:
            process.kill()


def ended(two: Pair, process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it has written to stdout and stderr, from now to its end."""
    out, _ = process.communicate(timeout=END_SECONDS)
    return out, (two.directory / "stderr").read_text(errors="replace")


def send(host: Host, number: signal.Signals, which: Callable[[str], bool] = bool) -> None:
    """To the processes of the job there whose command lines are such."""
    found = [str(process) for process, words in host.processes().items() if which(words)]
    subprocess.run(host.words("kill", f"-{number.value}", *found), timeout=20, check=False)


def two_libraries_are_enough(two: Pair) -> None:
    if not two.library.name.startswith(("openmpi-5", "mpich")):  # UCX looks after itself a little
        pytest.skip("what the kernel answers is the same with all")


def is_daemon(words: str) -> bool:
    return os.path.basename(words.split()[0]) in DAEMONS


def lose_daemon(host: Host) -> None:
    send(host, signal.SIGKILL, is_daemon)


def lose_host(host: Host) -> None:
    """With all that ssh has started there, as if the power were gone."""
    send(host, signal.SIGKILL)


@pytest.mark.parametrize("lose", [lose_daemon, lose_host])
def test_a_lost_host_is_no_success(two: Pair, lose: Callable[[Host], None]) -> None:
    with running(two, str(WAITS), str(two.directory)) as process:
        lose(two.hosts[1])
        out, err = ended(two, process)
    assert process.returncode not in (0, 124), err
    if not two.library.name.startswith("mpich"):  # its words for that name none
        assert "west" in out + err
    two.await_nothing()


def test_the_daemon_beside_rank_0_is_lost(two: Pair) -> None:
    """MPI_Abort of MPICH would spin for ever then, and its launcher wait for that."""
    if two.library.name.startswith("openmpi"):
        pytest.skip("there the launcher itself is beside rank 0")
    with running(two, str(WAITS), str(two.directory)) as process:
        lose_daemon(two.hosts[0])
        _, err = ended(two, process)
    assert process.returncode not in (0, 124), err
    assert "the launcher has died before the program has ended" in err
    two.await_nothing()


def test_a_daemon_that_is_lost_while_ranks_start_is_no_success(two: Pair) -> None:
    words = two.words(str(WAITS), str(two.directory))
    env = two.job("east east west west").env
    with subprocess.Popen(
        words, env=env, text=True, stdin=subprocess.DEVNULL, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            west = two.hosts[1]
            await_that(lambda: any(map(is_daemon, west.processes().values())), lambda: "none", 30)
            lose_daemon(west)
            out, _ = process.communicate(timeout=END_SECONDS)
        finally:
            process.kill()
    assert process.returncode not in (0, 124), out
    two.await_nothing()


def test_a_host_that_is_cut_off_is_named_and_the_program_ends_in_good_order(two: Pair) -> None:
    words = [str(PROGRAMS / "cleans.py"), str(two.directory)]
    with running(two, *words, SCOOPMPI_HOST_SECONDS=str(HOST_SECONDS)) as process:
        time.sleep(1.5)  # for a first look at the connections
        with cut(two.hosts):
            _, err = ended(two, process)
    assert process.returncode not in (0, 124), err
    assert re.search(r"WARNING: nothing has come from host west \(workers 3, 4\) for [234] s", err)
    if not two.library.name.startswith("openmpi"):  # whose launcher loses its patience meanwhile
        assert (two.directory / "cleaned").read_text() == "WorkerLost"
        assert process.returncode == 7, err


def test_a_host_that_is_stopped_for_a_while_is_not_lost(two: Pair) -> None:
    two_libraries_are_enough(two)
    words = [str(WAITS), str(two.directory)]
    with running(two, *words, SCOOPMPI_HOST_SECONDS=str(HOST_SECONDS)) as process:
        send(two.hosts[1], signal.SIGSTOP)
        time.sleep(2 * HOST_SECONDS)
        send(two.hosts[1], signal.SIGCONT)
        (two.directory / "enough").touch()
        _, err = ended(two, process)
    assert process.returncode == 0, err
    assert "nothing has come" not in err
    two.await_nothing()


def test_a_network_that_comes_back_is_no_loss(two: Pair) -> None:
    two_libraries_are_enough(two)
    words = [str(WAITS), str(two.directory)]
    with running(two, *words, SCOOPMPI_HOST_SECONDS="16") as process:
        time.sleep(3)
        with cut(two.hosts):
            time.sleep(11)
        await_that(
            lambda: "answers again" in (two.directory / "stderr").read_text(), lambda: "silent", 30
        )
        (two.directory / "enough").touch()
        _, err = ended(two, process)
    assert process.returncode == 0, err
    assert "nothing has come from host west" in err and "host west answers again" in err


@pytest.mark.parametrize("where", ["the first host", "both hosts"])
def test_the_program_has_its_time_when_a_batch_system_ends_the_job(two: Pair, where: str) -> None:
    """SIGTERM to all processes of the job, as PBS sends it, and Slurm to all nodes."""
    with running(two, str(PROGRAMS / "cleans.py"), str(two.directory)) as process:
        for host in two.hosts[1:] if where == "both hosts" else ():
            send(host, signal.SIGTERM)
        send(two.hosts[0], signal.SIGTERM)
        out, err = ended(two, process)
    assert out == "cleaned after SystemExit(143)\n", err
    assert (two.directory / "cleaned").read_text() == "SystemExit"
    assert process.returncode == 7, err
    two.await_nothing()


@pytest.mark.parametrize("seconds", ["0.002", "0.06"])
def test_a_worker_that_dies_in_the_end_of_mpi_holds_up_nothing(two: Pair, seconds: str) -> None:
    answer = two.run(str(PROGRAMS / "dies.py"), seconds)
    assert answer.stdout.startswith("780\n"), answer.stderr
    if survives(two.library):
        assert answer.returncode == 0, answer.stderr
    two.await_nothing()
