"""The process above a worker: what it says of its death, and how both end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from scoopmpi.process import supervisor


@pytest.mark.parametrize(
    ("code", "what", "words"),
    [
        (-9, "model.f", "was killed by SIGKILL (by hand, or by the kernel for want of memory)"),
        (-11, "model.f", "was killed by SIGSEGV while running model.f; the job ends"),
        (-40, "model.f", "was killed by signal 40 while"),
        (5, "", "ended with exit status 5 before its first task; the job ends"),
    ],
)
def test_sentence(code: int, what: str, words: str) -> None:
    said = supervisor.sentence(3, "n1", code, what)
    assert said.startswith("scoopmpi: worker 3 on n1 ")
    assert words in said
    assert ("while running model.f" in said) is bool(what)


def child(code: str) -> subprocess.CompletedProcess[str]:
    """A process that goes on under a supervisor as worker 7 and does what `code` says."""
    lines = (
        "import os, sys\nfrom scoopmpi.process.supervisor import under_supervisor\n"
        "tell = under_supervisor(7)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", lines + code], capture_output=True, text=True, timeout=20
    )


@pytest.mark.ranks
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("tell('sums.add'); os.kill(os.getpid(), 9)", "killed by SIGKILL"),
        ("tell('sums.add'); os._exit(5)", "ended with exit status 5 while running sums.add"),
        ("tell('é' * 500); os._exit(5)", "exit status 5 while running " + "é" * 100 + ";"),
        ("sys.exit(5)", "exit status 5 before its first task"),
    ],
)
def test_a_death_is_told_and_ends_the_job(code: str, words: str) -> None:
    ended = child(code)
    assert ended.returncode == -signal.SIGKILL
    assert ended.stderr.startswith("scoopmpi: worker 7 on ")
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.ranks
def test_a_clean_end_is_silent() -> None:
    ended = child("tell('sums.add'); print('done')")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


@pytest.mark.ranks
@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG")
def test_the_worker_dies_with_its_supervisor() -> None:
    process = subprocess.Popen(
        [
            sys.executable, "-c",
            "import time; from scoopmpi.process.supervisor import *; under_supervisor(7);"
            "print('up', flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"up\n"
        os.kill(process.pid, signal.SIGKILL)
        # the pipe ends only when both processes have gone
        assert process.communicate(timeout=20)[0] == b""
    finally:
        process.kill()
        process.communicate(timeout=20)
