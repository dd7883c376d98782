"""Signals in workers: unheard there, obeyed by all that a task forks."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys, time
from scoopmpi.process.signals import leave_to_rank_0

leave_to_rank_0([signal.SIGTERM, signal.SIGUSR1])
os.kill(os.getpid(), signal.SIGTERM)
for _ in range(300):
    child = os.fork()
    if not child:
        time.sleep(20)
        os._exit(0)
    os.kill(child, signal.SIGTERM)  # at once: the child may not have run a line yet
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
os.kill(os.getpid(), signal.SIGUSR1)
assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
print("alive")
"""


@pytest.mark.ranks
def test_a_forked_process_never_misses_its_end() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60
    )
    assert (answer.returncode, answer.stdout) == (0, "alive\n"), answer.stderr
