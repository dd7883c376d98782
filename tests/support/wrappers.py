"""The commands as users start them, with a stand-in for mpirun and for the MPI library.

A temporary prefix takes the place of the virtual environment: its `mpirun` answers `--version` as
Open MPI 5 does, and otherwise prints the words and variables that it was given, as its ranks would
have them. With `$MPIRUN_DOES` it does that instead.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.libraries import ROOT

JOBSCRIPTS = ROOT / "jobscripts"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LIBRARY = "Open MPI v5.0.11, package: a stand-in"

STAND_IN = """
import os, sys
from scoopmpi.launch.commandline import launcher
sys.prefix = os.path.dirname(os.path.abspath(__file__))
if "LIBRARY" in os.environ:
    launcher._library = lambda env, *_: env["LIBRARY"]
sys.argv[:] = sys.argv[1:]
if sys.argv[0] == "myscoop":
    from scoopmpi.myscoop import main
elif sys.argv[0] == "mympirun":
    from scoopmpi.mympirun import main
else:
    from scoopmpi.__main__ import main
main()
"""

MPIRUN = """
import json, os, socket, sys
words = sys.argv[1:]
line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
if called := os.environ.pop("SCOOPMPI_LIFELINE", None):  # as rank 0 does
    line.connect("\\0" + called)
    line.recv(99)
status = 0
try:
    if words == ["--version"]:
        print("mpirun (Open MPI)", os.environ.get("V", "5.0.11"))
    elif "MPIRUN_DOES" in os.environ:
        exec(os.environ["MPIRUN_DOES"])
    else:
        seen = dict(os.environ)
        for word, given in zip(words, words[1:]):
            if word == "-x" and "=" in given:
                name, _, seen[name] = given.partition("=")
        ours = ("SCOOPMPI_STDIN", "PRTE_MCA_prte_local_tmpdir_base")  # in no dry run: of one start
        for name in ("_", "SHLVL", "PWD", "OLDPWD", "LC_CTYPE", *ours):
            seen.pop(name, None)
        print(json.dumps([words, seen]))
except SystemExit as leaving:
    status = leaving.code
if called:
    sys.stdout.flush()
    line.send(b"ended %d" % status)
sys.exit(status)
"""


class Prefix(NamedTuple):
    """A directory like a virtual environment's, and the environment of a user who has it."""

    path: Path
    env: dict[str, str]

    def run(self, *words: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=cwd, env=self.env | more, capture_output=True, text=True,
            errors="surrogateescape", timeout=30,
        )  # fmt: skip

    def command(self, name: str) -> str:
        return str(self.path / "bin" / name)

    def myscoop(
        self, *words: str, cwd: Path = JOBSCRIPTS, **more: str
    ) -> subprocess.CompletedProcess[str]:
        return self.run(self.command("myscoop"), *words, cwd=cwd, **more)

    def mympirun(
        self, *words: str, cwd: Path = JOBSCRIPTS, **more: str
    ) -> subprocess.CompletedProcess[str]:
        return self.run(self.command("mympirun"), *words, cwd=cwd, **more)


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    made = tmp_path / "prefix"
    (made / "bin").mkdir(parents=True)
    (made / "standin.py").write_text(STAND_IN)
    (made / "mpirun.py").write_text(MPIRUN)
    commands = {"mpirun": f"-S -E '{made}/mpirun.py'"}
    for name in ("myscoop", "mympirun", "scoop"):
        commands[name] = f"'{made}/standin.py' {name}"
    for name, words in commands.items():
        path = made / "bin" / name
        path.write_text(f"#!/bin/sh\nexec '{sys.executable}' {words} \"$@\"\n")
        path.chmod(0o755)
    return Prefix(made, {"PATH": str(made / "bin"), "LIBRARY": LIBRARY})


class Started(NamedTuple):
    """What mpirun was told: its own options, the words of the program, its ranks' variables."""

    options: str
    inner: list[str]
    env: dict[str, str]


def asked(done: subprocess.CompletedProcess[str], program: list[str]) -> Started:
    """What a command asked of mpirun, divided where the program's words begin."""
    assert done.returncode == 0, done.stderr
    words, env = json.loads(done.stdout)
    if "/bin/sh" in words:  # it gives rank 0 of a foreign program its stdin
        place = words.index("/bin/sh")
        assert "exec <" in words[place + 2]
        del words[place : place + 4]
    size = len(program)
    place = next(n for n in range(len(words)) if words[n : n + size] == program)
    return Started(" ".join(words[:place]), words[place + size :], env)


def started(done: subprocess.CompletedProcess[str]) -> Started:
    """What myscoop asked; `inner` are the words of `python -m scoopmpi`."""
    return asked(done, [sys.executable, "-m", "scoopmpi"])


def of_slots(tmp_path: Path, *counts: int, **more: str) -> dict[str, str]:
    """A Torque job with so many slots on hosts h1, h2 …"""
    nodes = tmp_path / "nodes"
    nodes.write_text("".join(f"h{n}\n" * count for n, count in enumerate(counts, 1)))
    return {
        "PBS_JOBID": "1.s", "PBS_NODEFILE": str(nodes), "PBS_NP": str(sum(counts)), **more,
    }  # fmt: skip
