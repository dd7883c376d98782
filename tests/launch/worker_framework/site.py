"""A user's directory with the documentation's files, and stand-ins for qsub and sbatch on PATH.

They keep what they are given: their words, the script, the directory. What the real ones do with
it is in `tests/cluster/test_slurm_wsub.py`, and in recorded environments in `test_jobs`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from scoopmpi.launch.worker_framework.command_line import CommandLine

QSUB = """#!/bin/sh
PATH={path}
pwd >'{place}/directory'
printf '%s\\n' "$@" >'{place}/words'
for script; do :; done
cat "$script" >'{place}/script' 2>/dev/null
echo {answer}
exit {status}
"""
WEATHER = """\
#!/bin/bash

#PBS -l nodes=1:ppn=8
#PBS -l walltime=04:00:00

cd $PBS_O_WORKDIR
./weather -t $temperature -p $pressure -v $volume
"""
DATA = "temperature, pressure, volume\n293, 1.0e5, 107\n294, 1.0e5, 106\n295, 1.0e5, 105\n"
ANSWERS = {"qsub": "445948.master", "sbatch": "445948;cluster"}


class Submitted(NamedTuple):
    """What qsub or sbatch was given. words: without the script's name."""

    words: list[str]
    script: str
    directory: str


class Site(NamedTuple):
    """The directory in which a user is, and where commands are."""

    work: Path
    bin: Path

    def has(self, *names: str, status: int = 0) -> None:
        """Put qsub, sbatch or both on PATH."""
        for name in names:
            text = QSUB.format(path=os.defpath, place=self.bin, answer=ANSWERS[name], status=status)
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)

    def submitted(self) -> Submitted | None:
        """Return what was submitted last, None where nothing was."""
        if not (self.bin / "words").exists():
            return None
        words, script, where = ((self.bin / name).read_text() for name in Submitted._fields)
        return Submitted(words.splitlines()[:-1], script, where.strip())


class Said(NamedTuple):
    """How a command has ended, and what it has said."""

    status: int
    out: str
    err: str


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    found = Site(tmp_path / "work dir", tmp_path / "bin")
    found.work.mkdir()
    found.bin.mkdir()
    (found.work / "weather.pbs").write_text(WEATHER)
    (found.work / "data.csv").write_text(DATA)
    monkeypatch.chdir(found.work)
    monkeypatch.setenv("PATH", str(found.bin))
    for name in ("LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "MPI4PY_LIBMPI"):
        monkeypatch.delenv(name, raising=False)
    found.has("qsub")
    return found


def said(command: CommandLine, run: object, words: str, capfd: pytest.CaptureFixture[str]) -> Said:
    """Run a command in this process."""
    status = command.status(words.split(), run)  # type: ignore[arg-type]
    out, err = capfd.readouterr()
    return Said(status, out, err)
