"""Sweeps on real ranks, from their words to their exit status; several checks in each start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support.libraries import Library, survives
from tests.support.starting import MYSCOOP, own_session, start

pytestmark = pytest.mark.timeout(180)
NOTED = 'echo $a >> ran; echo "out $a"; test ! -e "bad.$a"'


def sweep(library: Library, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return start(library, [*MYSCOOP, "sweep", "-n", "2", *words], cwd)


def numbers(path: Path) -> list[int]:
    return sorted(map(int, path.read_text().split()))


def done(log: Path) -> Counter[int]:
    lines = [line.split() for line in log.read_text().splitlines() if " completed by " in line]
    return Counter(int(words[0]) for words in lines)


def test_a_sweep_goes_on_where_it_was(first_library: Library, tmp_path: Path) -> None:
    table, ran = tmp_path / "t.csv", tmp_path / "ran"
    table.write_text("a,b\n1,x\n2,x\n3,x\n4,x\n")
    (tmp_path / "bad.3").touch()
    (tmp_path / "first").write_text("echo prolog\n")
    (tmp_path / "last").write_text("#!/bin/sh\nsort -n ran | tr '\\n' ' '\n")
    for number in range(1, 6):
        (tmp_path / f"made.{number}").write_text(f"of {number}\n")
    words = ["--log", "run.log", "--prolog", "first", "--epilog", "last", "--data", "t.csv"]
    words += ["--reduce", "made.$a", "all", "sh", "-c", NOTED]

    found = sweep(first_library, tmp_path, *words)
    assert found.stdout == "prolog\nout 1\nout 2\nout 3\nout 4\n1 2 3 4 "
    assert "sweep: 1 of 4 items failed: 3 (--retry runs them again)\n" in found.stderr
    assert found.returncode == 1
    assert (tmp_path / "all").read_text() == "of 1\nof 2\nof 4\n"

    ran.unlink()
    table.write_text("a,b\n1,x\n2,changed\n3,x\n4,x\n5,x\n")
    found = sweep(first_library, tmp_path, *words)
    assert found.stdout == "out 2\nout 5\n2 5 "
    assert "sweep: 2 of 5 are done, 1 has failed" in found.stderr
    assert found.returncode == 1, "3 has failed still"
    assert (tmp_path / "all").read_text() == "of 1\nof 2\nof 4\nof 5\n"

    ran.unlink()
    (tmp_path / "bad.3").unlink()
    found = sweep(first_library, tmp_path, "--retry", "--enable-prolog", *words)
    assert (found.stdout, found.returncode) == ("prolog\nout 3\n3 ", 0)
    assert (tmp_path / "all").read_text() == "of 1\nof 2\nof 3\nof 4\nof 5\n"


def test_where_the_prolog_fails_nothing_runs(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "first").write_text("exit 7\n")
    (tmp_path / "last").write_text("echo epilog\n")
    found = sweep(
        first_library, tmp_path, "--prolog", "first", "--epilog", "last", "-t", "1-3", "echo", "x"
    )
    assert (found.stdout, found.returncode) == ("", 1)
    assert "sweep: the prolog has failed, its exit status is 7: 3 items are left" in found.stderr


def test_soon_lets_what_runs_end(first_library: Library, tmp_path: Path) -> None:
    command = (
        "echo $PBS_ARRAYID >> ran; test $PBS_ARRAYID != 5 || exit 4; sleep 0.3; echo $PBS_ARRAYID"
    )
    found = sweep(
        first_library, tmp_path, "--stop-on-failure", "--log", "run.log", "-t", "1-100", "sh", "-c",
        command,
    )  # fmt: skip
    assert found.returncode == 1
    assert "sweep: ended by --halt soon,fail=1: 1 of 100 items failed: 5" in found.stderr
    begun = numbers(tmp_path / "ran")
    assert 5 in begun and max(begun) <= 7, "one may wait at each worker, no other begins"
    assert numbers_of(found.stdout) == [each for each in begun if each != 5]
    assert sorted(done(tmp_path / "run.log")) == [each for each in begun if each != 5]


def numbers_of(text: str) -> list[int]:
    return sorted(map(int, text.split()))


def test_now_ends_what_runs_and_success_is_success(first_library: Library, tmp_path: Path) -> None:
    command = "echo $$ >> pids; test $PBS_ARRAYID = 2 || exec sleep 100"
    begun = time.monotonic()
    found = sweep(
        first_library, tmp_path, "--halt", "now,success=1", "--log", "run.log", "-t", "1-9", "sh",
        "-c", command,
    )  # fmt: skip
    assert found.returncode == 0
    assert time.monotonic() - begun < 60
    assert sorted(done(tmp_path / "run.log")) == [2]
    until = time.monotonic() + 20
    for pid in numbers(tmp_path / "pids"):
        while os.path.exists(f"/proc/{pid}/cmdline") and time.monotonic() < until:
            time.sleep(0.05)
        assert not os.path.exists(f"/proc/{pid}/cmdline")


def test_nobody_reads_any_more(first_library: Library, tmp_path: Path) -> None:
    words = " ".join([*MYSCOOP, "sweep", "-n", "2", "-t", "1-5000", "echo", "'$PBS_ARRAYID'"])
    found = start(first_library, ["bash", "-c", f"{words} | head -n 2; exit ${{PIPESTATUS[0]}}"],
                  tmp_path)  # fmt: skip
    assert (found.stdout, found.returncode) == ("1\n2\n", 128 + signal.SIGPIPE)
    assert "sweep:" not in found.stderr and "Traceback" not in found.stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_next_run_goes_on_after(
    first_library: Library, tmp_path: Path, number: signal.Signals
) -> None:
    """SIGKILL is for rank 0, which notes its number in the prolog; others go to the command."""
    (tmp_path / "first").write_text("echo $PPID > rank0\n")
    words = ["--log", "run.log", "--prolog", "first", "-t", "1-40"]
    words += ["sh", "-c", "sleep 0.1; echo $PBS_ARRAYID >> ran"]
    command = [*MYSCOOP, "sweep", "-n", "2", *words]
    with subprocess.Popen(
        command, cwd=tmp_path, env=own_session(command, first_library.env), start_new_session=True,
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        until = time.monotonic() + 60
        while not (tmp_path / "run.log").exists() or len(done(tmp_path / "run.log")) < 4:
            assert time.monotonic() < until and process.poll() is None, "the items do not run"
            time.sleep(0.02)
        if number == signal.SIGKILL:
            os.kill(int((tmp_path / "rank0").read_text()), number)
        else:
            process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    assert process.returncode != 0
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert "items are left (run it again, and it goes on from run.log)" in said
        assert "Traceback" not in said and "--checkpoint" not in said
    before = done(tmp_path / "run.log")
    assert len(before) >= 4
    (tmp_path / "ran").unlink()
    found = sweep(first_library, tmp_path, *words)
    assert found.returncode == 0, found.stderr
    assert f"sweep: {len(before)} of 40 are done" in found.stderr
    assert numbers(tmp_path / "ran") == [each for each in range(1, 41) if each not in before]
    assert done(tmp_path / "run.log") == Counter(range(1, 41)), "none twice as done, none missing"


def test_the_batch_job_ends_and_another_goes_on(first_library: Library, tmp_path: Path) -> None:
    words = ["--log", "run.log", "-t", "1-100", "sh", "-c", "sleep 0.4; echo $PBS_ARRAYID >> ran"]
    found = sweep(first_library, tmp_path, "--walltime", "8", "--stop-before", "3", *words)
    if "100 items are left" in found.stderr:
        pytest.skip("the start took all of the time")
    assert found.returncode == 75, found.stderr
    assert "items are left (run it again, and it goes on from run.log)" in found.stderr
    assert "--checkpoint" not in found.stderr
    assert sorted(done(tmp_path / "run.log")) == numbers(tmp_path / "ran"), "none was cut"


def test_a_worker_that_is_killed(first_library: Library, tmp_path: Path) -> None:
    """Its item runs again; one that kills every worker is lost, and has its number."""
    if not survives(first_library):
        pytest.skip("the job ends with its first lost rank")
    command = (
        "test $PBS_ARRAYID != 5 -o -e again || { touch again; kill -9 $PPID; }; "
        "test $PBS_ARRAYID != 9 || kill -9 $PPID; echo $PBS_ARRAYID"
    )
    found = sweep(
        first_library,
        tmp_path,
        "--log",
        "run.log",
        "--retries",
        "1",
        "-t",
        "1-20",
        "sh",
        "-c",
        command,
    )
    assert found.returncode == 1, found.stderr
    assert numbers_of(found.stdout) == [each for each in range(1, 21) if each != 9]
    assert done(tmp_path / "run.log") == Counter(numbers_of(found.stdout))
    assert "\n9 failed by " in (tmp_path / "run.log").read_text()
    assert "sweep: 1 of 20 items failed: 9" in found.stderr


HOSTS = """
import socket, sys, time
from scoopmpi.process import identity
from scoopmpi.sweep import options
from scoopmpi.sweep.conducting.conductor import conduct

socket.gethostname = lambda: f"n{identity.this.rank}"
late = float(sys.argv.pop(1))
if identity.this.rank not in (0, 2):
    time.sleep(late)

if __name__ == "__main__":
    sys.exit(conduct(options.parsed(sys.argv[1:])))
"""


@pytest.mark.parametrize("late", [0, 1.5])
def test_a_host_on_which_all_fails_is_left_out(
    first_library: Library, tmp_path: Path, late: float
) -> None:
    """late: seconds by which the others join behind it: it has failed many items by then."""
    (tmp_path / "hosts.py").write_text(HOSTS)
    command = "test $WORKER_RANK != 2 || exit 127; sleep 0.01; echo $PBS_ARRAYID"
    words = [
        *MYSCOOP,
        "-n",
        "3",
        "hosts.py",
        str(late),
        "--log",
        "run.log",
        "-t",
        "1-200",
        "sh",
        "-c",
        command,
    ]
    found = start(first_library, words, tmp_path)
    assert found.returncode == 0, found.stderr
    assert found.stderr.count("sweep: host n2 is left out: ") == 1
    assert numbers_of(found.stdout) == list(range(1, 201))
    assert done(tmp_path / "run.log") == Counter(range(1, 201))


def test_what_no_sweep_can_do_is_said_before_anything_runs(
    first_library: Library, tmp_path: Path
) -> None:
    words = [*MYSCOOP, "-n", "2", "--checkpoint", "c", "sweep", "-t", "1-3", "echo", "x"]
    found = start(first_library, words, tmp_path)
    assert (found.stdout, found.returncode) == ("", 2), found.stderr
    assert "--log FILE" in found.stderr


@pytest.mark.ranks
def test_without_a_launcher_items_run_one_after_the_other(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "scoopmpi.programs.sweep", "--log", "run.log", "-t", "1-4"]
    words += ["sh", "-c", "echo $PBS_ARRAYID; test $PBS_ARRAYID != 3"]
    found = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (found.stdout, found.returncode) == ("1\n2\n3\n4\n", 1)
    assert "sweep: 1 of 4 items failed: 3" in found.stderr
    assert sorted(done(tmp_path / "run.log")) == [1, 2, 4]
