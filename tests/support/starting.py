"""Start commands and ranks as a user would: in a session of their own, within a time limit."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from scoopmpi.launch.commandline import launcher
from scoopmpi.launch.flavours.ranks import Ranks
from scoopmpi.launch.hosts.allocation import Host
from tests.support.libraries import ROOT, Library
from tests.support.patience import slowness

SESSIONS = tempfile.TemporaryDirectory(prefix="ompi.tests.")
NUMBERS = itertools.count()
CROWDED = re.compile(r"^\w+: \d+ (worker|rank)s share .*\n", re.MULTILINE)
"""What a command says where it is to start more workers than there are cores, as tests often have
it: that depends on the machine, and is shown in `tests/launch/test_crowded.py`."""
MYSCOOP = [sys.executable, "-m", "scoopmpi.myscoop", "--sched=local"]


def start(
    library: Library, words: list[str], cwd: Path = ROOT, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would, with a library's environment; never longer than `timeout`.

    timeout: in seconds, of a machine that is the tests' own.
    """
    timeout *= slowness()
    with subprocess.Popen(
        words, cwd=cwd, env=own_session(words, library.env), text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            out, err = process.communicate()
            pytest.fail(f"{words} took more than {timeout:.0f} s\n{out[-2000:]}\n{err[-2000:]}")
    err = CROWDED.sub("", err)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def start_ranks(
    library: Library, ranks: int, program: list[str], cwd: Path = ROOT, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a Python program on so many ranks of this machine, by the library's own mpirun."""
    command, env = mpirun(library, ranks, program)
    return start(Library(library.name, env), command, cwd, timeout)


def mpirun(library: Library, ranks: int, program: list[str]) -> tuple[list[str], dict[str, str]]:
    """The words that start a Python program on so many ranks, and their environment."""
    found = launcher.find(library.env)
    wanted = Ranks(
        (Host("localhost", ranks),), [sys.executable, *program], library.env,
        library=found.library, root=os.geteuid() == 0,
    )  # fmt: skip
    command = found.flavour.command_line(found.mpirun, wanted)
    return list(command.argv), own_session(command.argv, {**library.env, **command.env})


def own_session(words: Sequence[str], env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment; for a bare mpirun with a fresh directory for Open MPI 5.

    `launch.beside.session` says why; tests that kill launchers leave more behind than users.
    """
    bare = Path(words[0]).name == "mpirun"
    fresh = {"PRTE_MCA_prte_local_tmpdir_base": f"{SESSIONS.name}/{next(NUMBERS)}"} if bare else {}
    return {**env, **fresh}
