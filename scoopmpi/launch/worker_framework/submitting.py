"""Hand a job script to qsub or sbatch: which of them, and what it answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Sequence
from typing import NamedTuple

from .batch_file import PBS, SLURM
from .words import Refused

_COMMANDS = {PBS: "qsub", SLURM: "sbatch"}


class BatchSystem(NamedTuple):
    """Who takes the job. whose: PBS or SLURM. command: with its path."""

    whose: str
    command: str

    @property
    def name(self) -> str:
        """Return the name of the command, as users type it."""
        return _COMMANDS[self.whose]


def chosen(directives: Collection[str], words: Sequence[str], path: str | None) -> BatchSystem:
    """Return who takes a job.

    directives: whose the batch file has, PBS or SLURM or both. words: options that are handed on.
    path: where commands are looked for. Raises Refused where there is none that can.
    """
    found = {whose: shutil.which(name, path=path) for whose, name in _COMMANDS.items()}
    if _is_of_grid_engine(found[PBS]):
        found[PBS] = None
    there = [whose for whose, command in found.items() if command is not None]
    if not there and shutil.which("qsub", path=path):
        raise Refused(
            "the qsub here is Grid Engine's, which reads no #PBS lines: put myscoop sweep --data "
            "FILE --batch FILE into a job script of its own (jobscripts/squares.sge)"
        )
    if not there:
        raise Refused(
            "neither qsub nor sbatch is on PATH: submit from a login node of the cluster. Without "
            "a batch system: myscoop sweep --data FILE --batch FILE"
        )
    if set(directives) == {SLURM} and SLURM not in there:
        raise Refused("the batch file has #SBATCH lines, and there is only qsub, which reads #PBS")
    # sbatch reads #PBS lines, too; a qsub beside it is a wrapper, or Slurm's own.
    fitting = [whose for whose in there if whose in directives] or there
    if len(fitting) > 1:
        fitting = [SLURM if any(word.startswith("--") for word in words) else PBS]
    return BatchSystem(fitting[0], str(found[fitting[0]]))


def _is_of_grid_engine(qsub: str | None) -> bool:
    """Return whether this qsub is another batch system's, which has its qconf beside it."""
    return qsub is not None and os.path.exists(os.path.join(os.path.dirname(qsub), "qconf"))


class Answer(NamedTuple):
    """What qsub or sbatch has answered. job: the number, as it prints it."""

    status: int
    job: str


def submit(system: BatchSystem, options: Sequence[str], script: bytes, directory: str) -> Answer:
    """Hand over a job script, from a directory; what is wrong with it the command says itself."""
    own = () if system.whose == PBS else ("--parsable",)
    with tempfile.NamedTemporaryFile(prefix="wsub.", suffix=".sh") as file:
        file.write(script)  # both keep a copy
        file.flush()
        words = [system.command, *own, *options, file.name]
        done = subprocess.run(words, cwd=directory, stdout=subprocess.PIPE, check=False)
    text = done.stdout.decode(errors="replace").strip()
    return Answer(done.returncode, text if system.whose == PBS else text.partition(";")[0])
