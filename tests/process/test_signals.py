"""Signals: one meaning for each process; unheard in workers, obeyed by all that a task forks."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from scoopmpi.process.signals import STOPPING, TABLE, TAKEN, WARNINGS, Meaning

PROGRAM = """
import os, signal, sys, time
from scoopmpi.process.signals import leave_to_rank_0

leave_to_rank_0()
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


def test_rank_0_alone_knows_what_ends_a_job() -> None:
    assert STOPPING == (
        signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2,
    )  # fmt: skip
    for number in STOPPING:
        row = TABLE[number]
        assert row.command is Meaning.HANDED_ON and number in TAKEN
        assert row.worker in (Meaning.UNHEARD, Meaning.IGNORED)
        assert row.supervisor is Meaning.IGNORED
        assert row.child is Meaning.USUAL
    assert set(TAKEN) - set(STOPPING) == {signal.SIGQUIT}
    assert set(WARNINGS) < set(STOPPING)
