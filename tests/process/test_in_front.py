"""Whether a terminal is for a job, or for what its user does meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scoopmpi.process.lifeline import ToCommand
from tests.support.libraries import ROOT

IN_THE_BACKGROUND = """
import fcntl, os, pty, signal, termios
from scoopmpi.process.lifeline import ToCommand
os.setsid()
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
said = [ToCommand().in_front()]
other = os.fork()
if not other:
    signal.pause()
os.setpgid(other, other)
os.tcsetpgrp(theirs, other)
said.append(ToCommand().in_front())
os.tcsetpgrp(theirs, os.getpgrp())
said.append(ToCommand().in_front())
os.kill(other, signal.SIGKILL)
os.waitpid(other, 0)
print(said)
"""


@pytest.mark.ranks
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can tell")
def test_a_job_in_the_background_has_no_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_BACKGROUND], cwd=ROOT, capture_output=True, text=True,
        timeout=30, start_new_session=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "[True, False, True]\n"), done.stderr


def test_where_nobody_can_tell_it_is_in_front() -> None:
    command = ToCommand()
    command._pid = 2**30  # there is no such process
    assert os.getpid() != command._pid and command.in_front()
