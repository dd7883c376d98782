"""The end of a job by a signal, as terminals and batch systems send it, with real ranks.

The program's clean-up has the time that it needs, each signal arrives once, the exit status is
128 and the signal or what the program says, and one line tells what to do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.libraries import Library
from tests.support.starting import MYSCOOP

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.skipif(sys.platform != "linux", reason="the line to rank 0 is Linux's"),
]
CLEAN_UP = 1.6
"""Seconds: Open MPI 5 would kill the ranks within one."""
PROGRAM = f"""
import signal, sys, time
from scoopmpi import futures

def nap(x):
    time.sleep(0.05)
    return x

def own(number, frame):
    print("handler", flush=True)
    sys.exit(7)

def many(call=None):
    for value in futures.map(nap, range(10**6)):
        if value == 4:
            print("begun", flush=True)

def main(what):
    if what == "own":
        signal.signal(signal.SIGTERM, own)
    try:
        if what == "callback":
            call = futures.submit(nap, 0)
            call.add_done_callback(many)
            call.result()
        many()
    except KeyboardInterrupt:
        print("KeyboardInterrupt", flush=True)
        if what == "caught":
            sys.exit(3)
        raise
    finally:
        print("clean-up", flush=True)
        time.sleep({CLEAN_UP})
        print("cleaned", flush=True)

if __name__ == "__main__":
    main(sys.argv[1])
"""


@contextmanager
def running(
    library: Library, directory: Path, what: str, *options: str
) -> Iterator[subprocess.Popen[str]]:
    """The program in a job of two workers, when it has begun."""
    (directory / "stops.py").write_text(PROGRAM)
    process = subprocess.Popen(
        [*MYSCOOP, "-n", "2", *options, "stops.py", what], cwd=directory, env=library.env,
        text=True, start_new_session=True, preexec_fn=_hear,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield process
    finally:
        for pid in family(process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait(10)


def _hear() -> None:
    """A shell may have started the tests deaf, in its background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def rank_0(pid: int) -> int:
    """Its process, by what the launchers tell it."""
    for each in family(pid):
        words = Path(f"/proc/{each}/cmdline").read_bytes().split(b"\0")
        env = Path(f"/proc/{each}/environ").read_bytes().split(b"\0")
        told = {b"OMPI_COMM_WORLD_RANK=0", b"PMI_RANK=0"} & {*env}
        if told and b"stops.py" in words and b"-m" in words:
            return each
    raise AssertionError("there is no rank 0")


def send(process: subprocess.Popen[str], number: int, to: str) -> None:
    """As a person, as a batch system to one process, or to all of the job at once."""
    whom = {
        "the command": lambda: [process.pid],
        "all of the job": lambda: family(process.pid),
        "rank 0": lambda: [rank_0(process.pid)],
    }[to]()
    for pid in whom:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def ended(process: subprocess.Popen[str]) -> tuple[int, list[str], str]:
    out, err = process.communicate(timeout=40)
    return process.returncode, out.split(), err


@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("SIGTERM", "the command"),
        ("SIGTERM", "all of the job"),
        ("SIGTERM", "rank 0"),
        ("SIGINT", "the command"),
        ("SIGUSR1", "all of the job"),
    ],
)
def test_the_program_cleans_up_and_the_status_is_the_signals(
    library: Library, tmp_path: Path, name: str, to: str
) -> None:
    number = signal.Signals[name]
    with running(library, tmp_path, "plain") as process:
        send(process, number, to)
        status, out, err = ended(process)
    interrupted = ["KeyboardInterrupt"] if number == signal.SIGINT else []
    assert (status, out) == (128 + number, [*interrupted, "clean-up", "cleaned"]), err
    assert err.count(f"scoopmpi: stopped by {name}; ") == 1
    assert len(err.splitlines()) == 1 or number == signal.SIGINT
    assert "scoopmpi/" not in err, "a traceback ends where the program was"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_callback_that_waits_for_tasks_is_interrupted(
    first_library: Library, tmp_path: Path, name: str
) -> None:
    number = signal.Signals[name]
    with running(first_library, tmp_path, "callback") as process:
        send(process, number, "the command")
        status, out, err = ended(process)
    assert (status, out[-2:]) == (128 + number, ["clean-up", "cleaned"]), err
    assert err.count(f"scoopmpi: stopped by {name}; ") == 1


@pytest.mark.parametrize(
    "options",
    [(), pytest.param(("--checkpoint", "c.ckpt", "--restarts", "2"), marks=pytest.mark.first)],
)
@pytest.mark.parametrize("to", ["the command", "all of the job"])
def test_a_handler_of_the_programs_own_runs_once_and_its_status_counts(
    library: Library, tmp_path: Path, options: tuple[str, ...], to: str
) -> None:
    with running(library, tmp_path, "own", *options) as process:
        send(process, signal.SIGTERM, to)
        status, out, err = ended(process)
    assert (status, out, err) == (7, ["handler", "clean-up", "cleaned"], "")


@pytest.mark.parametrize("to", ["all of the job", "rank 0"])
def test_the_checkpoint_is_whole_and_nothing_starts_again(
    library: Library, tmp_path: Path, to: str
) -> None:
    with running(
        library, tmp_path, "plain", "--checkpoint", "c.ckpt", "--restarts", "2"
    ) as process:
        send(process, signal.SIGTERM, to)
        status, out, err = ended(process)
    assert (status, out) == (143, ["clean-up", "cleaned"]), err
    assert f" tasks are in {tmp_path / 'c.ckpt'}: run again" in err
    assert "restart" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.ckpt", "stops.py"]


def test_a_program_that_catches_ctrl_c_says_its_own_status(
    library: Library, tmp_path: Path
) -> None:
    with running(library, tmp_path, "caught") as process:
        send(process, signal.SIGINT, "the command")
        status, out, err = ended(process)
    assert (status, out) == (3, ["KeyboardInterrupt", "clean-up", "cleaned"])
    assert err == ""


def test_a_second_ctrl_c_ends_the_clean_up(first_library: Library, tmp_path: Path) -> None:
    with running(first_library, tmp_path, "plain") as process:
        send(process, signal.SIGINT, "the command")
        assert process.stdout is not None
        while process.stdout.readline() != "clean-up\n":
            pass
        begun = time.monotonic()
        send(process, signal.SIGINT, "the command")
        status, out, _ = ended(process)
    assert (status, out) == (130, [])
    assert time.monotonic() - begun < CLEAN_UP + 5


@pytest.mark.parametrize("name", ["SIGQUIT", "SIGKILL"])
def test_nobody_is_left_of_a_job_whose_command_is_ended_at_once(
    library: Library, tmp_path: Path, name: str
) -> None:
    with running(library, tmp_path, "plain") as process:
        members = family(process.pid)
        send(process, signal.Signals[name], "the command")
        process.wait(20)
        deadline = time.monotonic() + 20
        while left := [pid for pid in members if alive(pid)]:
            assert time.monotonic() < deadline, f"{left} outlive the command"
            time.sleep(0.1)
    assert process.returncode in (128 + signal.SIGQUIT, -signal.SIGKILL)


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_job_whose_launcher_is_killed_is_no_success(library: Library, tmp_path: Path) -> None:
    with running(library, tmp_path, "plain") as process:
        os.kill(family(process.pid)[1], signal.SIGKILL)
        status, _, err = ended(process)
    assert status not in (0, None), err
