"""Jobs that end before their time, for real, and go on from their checkpoint."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scoopmpi.checkpoint.file import CheckpointFile
from tests.support.libraries import Library, survives
from tests.support.starting import MYSCOOP, start, start_ranks

pytestmark = pytest.mark.timeout(120)
KEPT = ["--checkpoint", "run.ckpt"]
PROGRAM = """
import os, sys, time
from scoopmpi import futures

LOG = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def slow(x):
    os.write(LOG, b"%d\\n" % x)
    time.sleep(0.02)
    if x == 50 and os.path.exists("deadly"):
        if os.path.exists("once"):
            os.unlink("deadly")
        os.kill(os.getpid(), 9)
    if x == 7:
        raise ValueError("no", x)
    return x * x

def safely(x):
    try:
        return slow(x)
    except ValueError as error:
        return error

if __name__ == "__main__":
    calls = [futures.submit(slow, x) for x in range(10)]
    print([repr(call.exception() or call.result()) for call in calls], flush=True)
    total = 0
    for value in futures.map(slow, range(10, int(sys.argv[1]))):
        total += value
        print("value", value, flush=True)
    print("total", total)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "prog.py").write_text(PROGRAM)
    return tmp_path


def ran(place: Path) -> int:
    """How many tasks have begun since the last call."""
    log = place / "log"
    count = len(log.read_text().split()) if log.exists() else 0
    log.unlink(missing_ok=True)
    return count


def total(stdout: str) -> list[str]:
    return re.findall(r"^total \d+$", stdout, re.MULTILINE)


EXPECTED = [f"total {sum(x * x for x in range(10, 150))}"]
ENDING = [
    pytest.param(signal.SIGTERM, id="SIGTERM"),
    *(
        pytest.param(number, id=number.name, marks=pytest.mark.first)
        for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
    ),
]
"""How each reaches a program past each library's launcher is in `test_stopping`."""


@pytest.mark.parametrize("number", ENDING)
def test_a_job_that_is_told_to_end_leaves_a_complete_file(
    library: Library, place: Path, number: signal.Signals
) -> None:
    words = [*MYSCOOP, "-n", "2", *KEPT, "prog.py", "150"]
    with subprocess.Popen(
        words, cwd=place, env=library.env, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as job:  # fmt: skip
        assert job.stdout is not None
        seen = [job.stdout.readline() for _ in range(21)]
        begun = time.monotonic()
        job.send_signal(number)
        rest, problem = job.communicate(timeout=30)
        seconds = time.monotonic() - begun
    values = "".join([*seen, rest]).count("value")
    assert job.returncode != 0 and seconds < 5, problem
    done = ran(place)
    answer = start(library, words, cwd=place)
    assert (answer.returncode, total(answer.stdout)) == (0, EXPECTED), answer.stderr
    assert ran(place) <= 150 - 10 - values + 1  # a call has failed and is tried again
    assert done >= values


def test_a_second_run_computes_nothing(library: Library, place: Path) -> None:
    words = [*MYSCOOP, "-n", "2", *KEPT, "prog.py", "40"]
    first, second = start(library, words, cwd=place), start(library, words, cwd=place)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert first.stdout == second.stdout and "ValueError('no', 7)" in first.stdout
    assert ran(place) == 40 + 1  # the failure is tried again
    assert (place / "run.ckpt").stat().st_mode & 0o777 == 0o600


def test_a_crashed_job_starts_again(library: Library, place: Path) -> None:
    """Where the MPI survives a lost worker there is nothing to restart: so rank 0 is killed."""
    (place / "once").touch()
    (place / "deadly").touch()
    text = PROGRAM
    if survives(library):
        text = PROGRAM.replace("os.kill(os.getpid(), 9)", "os.kill(int(open('pid').read()), 9)")
        text = text.replace("calls = [", "open('pid', 'w').write(str(os.getpid())); calls = [")
    (place / "prog.py").write_text(text)
    words = [*MYSCOOP, "-n", "2", *KEPT, "--restarts", "2", "prog.py", "150"]
    answer = start(library, words, cwd=place)
    assert (answer.returncode, total(answer.stdout)) == (0, EXPECTED), answer.stderr
    assert answer.stderr.count("goes on from its checkpoint (restart 1 of 2)") == 1
    assert ran(place) < 180  # 202 without a file


def test_it_is_not_started_for_ever_nor_for_the_programs_own_end(
    first_library: Library, place: Path
) -> None:
    (place / "dies.py").write_text(
        "import os, sys\nif __name__ == '__main__':\n"
        "    print('here', flush=True)\n"
        "    os.kill(os.getpid(), 9) if sys.argv[1] == 'crash' else sys.exit(3)\n"
    )
    words = [*MYSCOOP, "-n", "1", *KEPT, "--restarts", "2", "dies.py"]
    answer = start(first_library, [*words, "crash"], cwd=place)
    assert answer.returncode != 0 and answer.stdout.count("here") == 3
    answer = start(first_library, [*words, "exit"], cwd=place)
    assert (answer.returncode, answer.stdout.count("here")) == (3, 1)


def test_kill_9_of_rank_0_at_any_moment(first_library: Library, place: Path) -> None:
    """What was given out more than a second before is there, and no file is ever damaged."""
    (place / "prog.py").write_text(
        PROGRAM.replace("calls = [", "open('pid', 'w').write(str(os.getpid())); calls = [")
    )
    words = [*MYSCOOP, "-n", "2", *KEPT, "prog.py", "400"]
    kept = 0
    for delay in (0.0, 0.3, 0.7, 1.5):
        with subprocess.Popen(
            words, cwd=place, env=first_library.env, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as job:  # fmt: skip
            assert job.stdout is not None
            moments = [time.monotonic() for _ in range(1 + kept) if job.stdout.readline()]
            end = time.monotonic() + delay
            while time.monotonic() < end and job.stdout.readline():
                moments.append(time.monotonic())
            killed = time.monotonic()
            os.kill(int((place / "pid").read_text()), signal.SIGKILL)
            job.communicate(timeout=30)
        old = sum(moment < killed - 1 for moment in moments)
        file = CheckpointFile(place / "run.ckpt")
        saved = file.counts.get(1, 0)
        file.close(ended=False)
        assert saved >= max(kept, old - 1)  # the first line is of the calls
        kept = saved
        ran(place)
    assert kept > 50
    answer = start(first_library, words, cwd=place)
    expected = [f"total {sum(x * x for x in range(10, 400))}"]
    assert (answer.returncode, total(answer.stdout)) == (0, expected), answer.stderr
    assert ran(place) <= 390 - kept + 1


def test_a_file_that_is_no_checkpoint_ends_the_job_and_stays(
    first_library: Library, place: Path
) -> None:
    (place / "run.ckpt").write_text("my thesis")
    answer = start(first_library, [*MYSCOOP, "-n", "2", *KEPT, "prog.py", "20"], cwd=place)
    assert (answer.returncode, ran(place)) == (2, 0)
    assert "run.ckpt" in answer.stderr and "Traceback" not in answer.stderr
    assert (place / "run.ckpt").read_text() == "my thesis"


EXECUTORS = """
import sys
from mpi4py import MPI
from scoopmpi import MPICommExecutor

def square(x):
    print("ran", flush=True)
    return x * x

if __name__ == "__main__":
    with MPICommExecutor(MPI.COMM_WORLD, checkpoint="part.ckpt") as farm:
        if farm is not None:
            assert list(farm.map(square, range(5))) == [0, 1, 4, 9, 16]
            assert farm.submit(square, 7).result() == 49
"""


def test_executors_keep_theirs(first_library: Library, place: Path) -> None:
    (place / "mpi.py").write_text(EXECUTORS)
    counts = []
    for _ in range(2):
        answer = start_ranks(first_library, 3, ["mpi.py"], cwd=place)
        assert answer.returncode == 0, answer.stderr
        counts.append(answer.stdout.count("ran"))
    assert counts == [6, 0]
    (place / "own.py").write_text(
        "from scoopmpi import MPIExecutor\n"
        "if __name__ == '__main__':\n"
        "    for again in (1, 2):\n"
        "        with MPIExecutor(checkpoint='own.ckpt') as farm:\n"
        "            print(list(farm.map(abs, [-1, -2])), farm.submit(abs, -3).result())\n"
    )
    answer = start(first_library, [*MYSCOOP, "-n", "1", "own.py"], cwd=place)
    assert (answer.returncode, answer.stdout) == (0, "[1, 2] 3\n" * 2), answer.stderr
    shown = subprocess.run(
        [sys.executable, "-m", "scoopmpi.myscoop", "checkpoint", "show", "own.ckpt"],
        cwd=place, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert "abs" in shown.stdout
