"""What the job runs in front of the words of the sweep: this Python, myscoop, and its options."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable

from ...sweep.options import NAME
from .job_options import STOP_BEFORE
from .words import Given

_MYSCOOP = "myscoop"
_HANDED_OVER = ("PBS_O_WORKDIR", "PBS_JOBID", "PBS_JOBNAME")
"""What scripts for PBS expect, on hosts to which a launcher hands over little."""


def words(given: Given, variables: Iterable[str]) -> list[str]:
    """Return the words of the command, to the word `sweep`.

    given: has options of `job_options`. variables: lists of those that the user gives to the job,
    as -v of qsub has them: A=1,B.
    """
    names = [each.partition("=")[0] for text in variables for each in text.split(",")]
    found = ["--variablesprefix", ",".join([*_HANDED_OVER, *filter(str.isidentifier, names)])]
    threads = given.number("threaded", 1)
    if threads is not None:
        found += ["--threads", str(threads)]
    if given.has("mpiverbose"):
        found.append("--debugmpi")
    margin = given.last(STOP_BEFORE.name)
    if margin is not None:
        found += ["--stop-before", margin]
    return [*_myscoop(), *found, NAME]


def _myscoop() -> list[str]:
    """Return the words that start myscoop where no environment is activated.

    The command itself where it is: with -m, modules in the directory of the job would stand in the
    place of Python's.
    """
    places = (os.path.dirname(os.path.abspath(sys.argv[0])), sysconfig.get_path("scripts"))
    for place in places:
        if os.path.isfile(path := os.path.join(place, _MYSCOOP)):
            return [sys.executable, path]
    return [sys.executable, "-m", f"{__package__.partition('.')[0]}.{_MYSCOOP}"]
