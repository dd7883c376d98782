"""`wsub -batch run.pbs -data data.csv`: a job that runs the batch file once for each row.

What the words mean is as the worker framework documents it. Everything that can be wrong with the
files is found here, before the job waits in a queue.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace

from ...sweep.asked import SweepOptions
from ...sweep.options import as_words
from . import (
    asked_of_sweep,
    batch_file,
    checking,
    job_command,
    job_options,
    job_script,
    logs,
    options_for_job,
    submission,
)
from .batch_file import PBS, SLURM, BatchFile
from .command_line import CommandLine
from .job_script import JobScript
from .submission import Submission
from .submitting import BatchSystem, chosen
from .words import Given, Option, Refused

_NODES = re.compile(r"\d+(-\d+)?k?")
"""What -N of sbatch takes, nodes; no name of a job of PBS begins with a digit."""
_TIME = re.compile(r"\d+(:\d\d){1,2}")
"""What -t of sbatch takes, a time limit, and is no range of numbers."""
_NAME = re.compile(r"[^A-Za-z0-9_.+-]")
"""What a name of a job of PBS may not have."""

COMMAND = CommandLine(
    "wsub",
    "-batch FILE (-data FILE[,FILE] | -t RANGE) [OPTIONS] [OPTIONS OF qsub OR sbatch]",
    "Submit a job that runs the batch file once for each row of a table, or number of a range. Its "
    "columns are variables there, its #PBS or #SBATCH lines are for the job.",
    (
        Option("batch", "The batch file.", "FILE"),
        Option("data", "Tables (CSV) with names of variables in the first line; several stand side "
               "by side.", "FILE[,FILE]"),
        Option("t", "Numbers, $PBS_ARRAYID in the batch file: 1-100, 1-10,15.", "RANGE",
               ("array",)),
        Option("prolog", "A script that runs once, before all items.", "FILE"),
        Option("epilog", "A script that runs once, when all items have ended.", "FILE"),
        Option("log", "What is noted of the items. Default: JOBNAME.logJOBID.", "FILE"),
        Option("retry", "Where there is such a log: run those again that have failed."),
        Option("N", "The name of the job. Default: the batch file's.", "NAME"),
        Option("C", "What lines for the batch system begin with. Default: #PBS.", "PREFIX"),
        *job_options.OF_JOB,
        Option("allow_loose_quotes", "Quotes may stand within values of a table."),
        Option("escape_char", "What escapes a quote in a table.", "CHARACTER"),
        job_options.STOP_BEFORE,
        *job_options.SWEEPS,
    ),
    (
        "wsub -batch weather.pbs -data data.csv",
        "wsub -batch test_set.pbs -t 1-100 -l nodes=2:ppn=8 -l walltime=04:00:00",
        "wsub -prolog pre.sh -batch test_set.pbs -epilog post.sh -t 1-100",
        "wsub -batch weather.slurm -data data.csv --ntasks=16 --item-timeout 20:00",
    ),
    "All other options go to qsub or sbatch, and win over the lines of the batch file. The number "
    "of the job is on stdout. Afterwards: wsummarize LOG, wresume -jobid JOBID.",
)  # fmt: skip


def main() -> None:
    """Run the command."""
    COMMAND.main(run)


def run(given: Given) -> int:
    """Submit the job that is asked for; return the exit status."""
    path = given.last("batch")
    if path is None:
        raise Refused("which batch file? For example: wsub -batch run.pbs -data data.csv")
    prefix = given.last("C") or ""
    file = batch_file.read(path, prefix if prefix.startswith("#") else batch_file.PREFIX)
    if not given.has("quiet"):
        for remark in (*(f"{path}: {each}" for each in file.changed), *job_options.remarks(given)):
            COMMAND.say(remark)
    whose = {each.whose for each in file.directives}
    system = chosen(whose, given.rest, os.environ.get("PATH"))
    options_for_job.refuse_wrong(given.rest, system.whose)
    rest = [*_named(given, file, system), *given.rest]
    texts = dict(_texts(given, file))
    asked = asked_of_sweep.parsed(_words(given, path), os.getcwd())
    checked = checking.checked(asked, file.text)
    if asked.log is not None and os.path.exists(asked.log):
        logs.refuse_other_numbers(asked.log, checked.source)
        submission.tell_what_is_left(COMMAND, checked, asked.log, given)
    words = _in_job(asked, texts, job_options.record(given, rest))
    command = job_command.words(given, options_for_job.variables(file, rest, system.whose))
    script = JobScript(system.whose, file.for_job, os.getcwd(), command, words, texts, os.environ)
    return Submission(system, rest, script, checked).deliver(COMMAND, given)


def _words(given: Given, batch: str) -> list[str]:
    """Return the words of the sweep that are asked for, with files as they are here."""
    data = asked_of_sweep.tables(given.all("data"))
    if not data and not given.has("t"):
        raise Refused("which items? -data FILE for a table, or -t 1-100 for numbers")
    numbers = given.last("t") or ""
    if _TIME.fullmatch(numbers):
        raise Refused(f"-t {numbers}: the numbers of items are meant; sbatch has --time={numbers}")
    found = [word for path in data for word in ("--data", path)]
    found += ["--beside"] if len(data) > 1 else []
    for name, option in _VALUES.items():
        value = given.last(name)
        found += [] if value is None else [option, value]
    found += [word for name, word in _FLAGS.items() if given.has(name)]
    return [*found, "--batch", batch, "--substitute", *job_options.sweeps_words(given)]


_VALUES = {
    "t": "--array", "prolog": "--prolog", "epilog": "--epilog", "log": "--log",
    "escape_char": "--escape",
}  # fmt: skip
_FLAGS = {"allow_loose_quotes": "--loose-quotes", "retry": "--retry"}
"""What options are called by the sweep."""


def _texts(given: Given, file: BatchFile) -> Iterator[tuple[str, bytes]]:
    yield job_script.BATCH, file.text
    for name, word in (("prolog", job_script.PROLOG), ("epilog", job_script.EPILOG)):
        path = given.last(name)
        if path is not None:
            yield word, batch_file.text_of(path)


def _in_job(asked: SweepOptions, texts: dict[str, bytes], record: str) -> list[str]:
    """Return the words of the sweep in the job, where files are those that its script makes."""
    there = replace(
        asked, batch=job_script.BATCH, log=asked.log or job_script.LOG,
        prolog=job_script.PROLOG if job_script.PROLOG in texts else None,
        epilog=job_script.EPILOG if job_script.EPILOG in texts else None,
        submitted=record,
    )  # fmt: skip
    return as_words(there)


def _named(given: Given, file: BatchFile, system: BatchSystem) -> list[str]:
    """Return the options that give the job its name: the batch file's, where nobody gives one."""
    name = given.last("N")
    names = ("-N",) if system.whose == PBS else ("-J", "--job-name")
    constraint = given.last("C") or ""
    found = ["-C", constraint] if constraint and system.whose == SLURM else []
    if constraint and system.whose == PBS and constraint[0] != "#":
        raise Refused(f"-C {constraint}: what directives begin with is a comment: -C '#MY'")
    if name is not None and system.whose == SLURM and _NODES.fullmatch(name):
        found += ["-N", name]
        name = None
    if name is None and not options_for_job.values(given.rest, *names) and not file.job_name:
        name = _NAME.sub("_", os.path.basename(file.path))
        name = name if name[0].isalpha() else f"w{name}"
    return found if name is None else [*found, names[-1], name]


if __name__ == "__main__":
    main()
