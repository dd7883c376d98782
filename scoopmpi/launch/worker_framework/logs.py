"""The log of a sweep as these commands look for it, and what a run has said at its beginning."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...sweep.items.item import Source
from ...sweep.log import history, lines, reading
from ...sweep.log.history import History
from .words import Refused

_ENDING = re.compile(r"\.log\d*$")


def of_job(job: str) -> str:
    """Return the name of the log here that a job has written; Refused where there is none.

    A job that went on with another's log is in it, not in its name.
    """
    number = re.match(r"\d*", job)
    if not number or not number[0]:
        raise Refused(f"-jobid {job}: a job has a number, as qsub and sbatch print it")
    found = glob.glob(f"*.log{number[0]}") or list(_with(number[0]))
    if not found:
        raise Refused(
            f"-jobid {job}: no file here is called JOBNAME.log{number[0]}, and no log tells of "
            "that job. Go to the directory that it was submitted from, or name the log: -l LOG"
        )
    if len(found) > 1:
        raise Refused(f"-jobid {job}: {', '.join(sorted(found))}; which one? -l LOG")
    return found[0]


def _with(job: str) -> Iterator[str]:
    for path in sorted(glob.glob("*.log[0-9]*")):
        with open(path, "rb") as file:
            if any(said.get("job") == job for said in map(lines.facts, file) if said):
                yield path


def refuse_other_numbers(path: str, source: Source) -> None:
    """Refuse to go on with a log of the framework itself where it numbers the items otherwise.

    It counts them from 1 on, also those of an array. path: of the log.
    """
    if told_by(path).runs:
        return
    if any(item.number != place for place, item in enumerate(source, 1)):
        raise Refused(
            f"{path} is a log of the worker framework itself, in which items have the numbers from "
            "1 on, not those of the array: go on with those that are left, -t RANGE and a new log"
        )


def name_of_job(path: str) -> str:
    """Return the name of the job that a log is of: `run.pbs` of run.pbs.log445948."""
    return _ENDING.sub("", os.path.basename(path)) or "sweep"


def told_by(path: str) -> History:
    """Return what a log tells; Refused where it is none."""
    try:
        return history.read(path)
    except reading.NoLog as problem:
        raise Refused(str(problem)) from None


def last_run(path: str, told: History) -> Mapping[str, Any]:
    """Return what the last run has said at its beginning; Refused where no run has said anything.

    That is so in logs of the worker framework itself.
    """
    if not told.runs:
        raise Refused(
            f"{path} is a log of the worker framework itself: it says which numbers are done, not "
            f"of which table. wsub -batch FILE -data FILE -log {path} goes on from it"
        )
    return told.runs[-1]
