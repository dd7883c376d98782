"""The script of the job that `wsub` submits: directives, the batch file, and one line of sweep.

The batch file, a prolog and an epilog stand in it as they were at the submission, and become files
beside the log when the job begins (`JOBNAME.sh445948`): who edits them while the job waits changes
nothing. Pure.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .batch_file import PBS

IN_JOB = "\0"
"""Begins a word that stands for a file called after the job: `IN_JOB + "log"` is JOBNAME.logJOBID.
No word of a command line has a zero byte."""
BATCH, PROLOG, EPILOG, LOG = (IN_JOB + ending for ending in ("sh", "pro", "epi", "log"))
"""Endings that the framework gives to such files."""
FOUND_BY = {
    "PATH": True, "LD_LIBRARY_PATH": True, "PYTHONPATH": True, "PYTHONHOME": False,
    "MPI4PY_LIBMPI": False,
}  # fmt: skip
"""Variables by which this Python and its MPI were found here: the job finds the same. True of lists
of places: those of the job come behind."""
_MARK = "END_OF_FILE"

_NAMES = """\
directory={directory}
job=${{PBS_JOBID:-$SLURM_JOB_ID}}
job=${{job%%[!0-9]*}}
name=${{PBS_JOBNAME:-$SLURM_JOB_NAME}}
files=$directory/${{name##*/}}
# Slurm's sbatch reads #PBS lines, but sets no variables of PBS
export PBS_O_WORKDIR="${{PBS_O_WORKDIR:-$directory}}"
"""


@dataclass(frozen=True, slots=True)
class JobScript:
    """What the script of a job is made of.

    whose: PBS or SLURM. directives: lines for the batch system. directory: where it is submitted.
    texts: of the files that it makes, by the words that stand for them. command: what runs the
    sweep, before its words. words: the sweep's. env: the environment at the submission.
    """

    whose: str
    directives: Sequence[str]
    directory: str
    command: Sequence[str]
    words: Sequence[str]
    texts: Mapping[str, bytes] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> bytes:
        """Return the script, for any shell that is like sh."""
        return b"\n".join(self._parts()) + b"\n"

    def _parts(self) -> Iterator[bytes]:
        yield b"#!/bin/sh"
        yield from map(os.fsencode, self.directives)
        yield b""
        yield os.fsencode(_NAMES.format(directory=shlex.quote(self.directory)).rstrip("\n"))
        if self.whose == PBS:  # it begins in the home directory, Slurm where it was told to
            yield b'cd "$directory" || exit'
        for name, join in FOUND_BY.items():
            if self.env.get(name):
                behind = f"${{{name}:+:${name}}}" if join else ""
                yield os.fsencode(f"export {name}={shlex.quote(self.env[name])}{behind}")
        for word, text in self.texts.items():
            mark = _mark(text)
            yield f"cat >{_quoted(word)} <<'{mark}' || exit".encode()
            yield text.removesuffix(b"\n")
            yield mark.encode()
        yield os.fsencode("exec " + " ".join(map(_quoted, (*self.command, *self.words))))


def _quoted(word: str) -> str:
    if word.startswith(IN_JOB):
        return f'"$files.{word[1:]}$job"'
    return shlex.quote(word)


def _mark(text: bytes) -> str:
    """Return a line that ends a text and is none of it."""
    lines, mark = set(text.split(b"\n")), _MARK
    while mark.encode() in lines:
        mark += "_"
    return mark
