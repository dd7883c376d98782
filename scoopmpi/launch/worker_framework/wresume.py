"""`wresume -jobid 445948`: another job, which goes on where that one was.

What the first one was asked for is in its log; the batch file is as it was then.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...sweep.asked import SweepOptions
from ...sweep.log import about
from ...sweep.log.history import History
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
from .batch_file import PBS, BatchFile
from .command_line import CommandLine
from .job_script import JobScript
from .submission import Submission
from .submitting import chosen
from .words import Given, Option, Refused

_OTHERS = ("batch", "data")
"""What another job would be of: those of the earlier one stay."""
COMMAND = CommandLine(
    "wresume",
    "(-jobid JOBID | -l LOG) [OPTIONS] [OPTIONS OF qsub OR sbatch]",
    "Submit a job that goes on where an earlier one has ended: with the items that are not done, "
    "into the same log. It is asked for as that one was, but for what is given here.",
    (
        Option("jobid", "The number of the earlier job; its log is in this directory.", "JOBID"),
        Option("l", "The log of the earlier job; anything else behind -l is for qsub.", "LOG"),
        Option("retry", "Run those again that have failed."),
        Option("enable_prolog", "Run the prolog again."),
        Option("prolog", "Run this one, instead of the former.", "FILE"),
        Option("disable_epilog", "Do not run the epilog."),
        Option("epilog", "Run this one, instead of the former.", "FILE"),
        Option("disable_options", "Forget which options the earlier job was submitted with."),
        *job_options.OF_JOB,
        job_options.STOP_BEFORE,
        *job_options.SWEEPS,
        *(Option(name, "", "VALUE") for name in ("N", "C", "t", *_OTHERS)),
    ),
    (
        "wresume -jobid 445948",
        "wresume -l run.pbs.log445948 -retry",
        "wresume -l walltime=1:30:00 -jobid 445948",
    ),
    "All other options go to qsub or sbatch, and win over those of the earlier job.",
)  # fmt: skip


def main() -> None:
    """Run the command."""
    COMMAND.main(run)


def run(given: Given) -> int:
    """Submit a job that goes on with another's log; return the exit status."""
    path, resources = _log(given)
    for name in filter(given.has, _OTHERS):
        raise Refused(
            f"-{name} {given.last(name)}: the job goes on with those of the earlier one; with "
            f"others say wsub -batch FILE -data FILE -log {path}"
        )
    told = logs.told_by(path)
    said = logs.last_run(path, told)
    directory = str(said.get("directory") or os.getcwd())
    if not given.has("quiet"):
        for remark in _remarks(given, path, told):
            COMMAND.say(remark)
    asked, texts = _asked(given, said, path, directory)
    file = _NO_SCRIPT if asked.batch is None else _batch_file(asked.batch, path)
    before = job_options.before(asked.submitted or "")
    old = () if given.has("disable_options") else before.rest
    new = [*given.rest, *(word for each in resources for word in ("-l", each))]
    whose = {each.whose for each in file.directives}
    system = chosen(whose, [*old, *new], os.environ.get("PATH"))
    options_for_job.refuse_wrong(new, system.whose)
    rest = options_for_job.merged(old, new, system.whose)
    rest = [*_name(rest, file, path, system.whose), *rest]
    checked = checking.checked(asked, None if asked.batch is None else file.text)
    submission.tell_what_is_left(COMMAND, checked, path, given)
    given = replace(given, values={**before.values, **given.values})
    there = replace(_in_job(asked, texts), submitted=job_options.record(given, rest))
    command = job_command.words(given, options_for_job.variables(file, rest, system.whose))
    script = JobScript(
        system.whose, file.for_job, directory, command, as_words(there), texts, os.environ
    )
    return Submission(system, rest, script, checked).deliver(COMMAND, given)


_NO_SCRIPT = BatchFile("", b"", ())
"""Of a sweep that runs a command, not a script."""


def _remarks(given: Given, path: str, told: History) -> Iterator[str]:
    if not told.is_over:
        yield (
            f"{path}: {about.where(told.runs[-1])} has not said that it has ended; a job that "
            "begins while it still runs ends at once"
        )
    yield from job_options.remarks(given)
    for name in ("N", "C", "t"):
        if given.has(name):
            yield f"-{name} {given.last(name)} is left out: it is as for the earlier job"


def _batch_file(path: str, log: str) -> BatchFile:
    try:
        return batch_file.read(path)
    except FileNotFoundError:
        raise Refused(
            f"{path} is not there any more, the batch file as it was for the earlier job: "
            f"wsub -batch FILE -data FILE -log {log} goes on; of a file that was edited all "
            "items run again"
        ) from None


def _log(given: Given) -> tuple[str, list[str]]:
    """Return the log, and what else stands behind -l: resources for qsub."""
    words = given.all("l")
    found = [word for word in words if os.path.isfile(word) or "=" not in word]
    job = given.last("jobid")
    if job is not None:
        return logs.of_job(job), words
    if len(found) != 1:
        several = f": {' or '.join(found)}?" if found else ""
        raise Refused(f"which job{several}? For example: wresume -jobid 445948, or -l LOG")
    return found[0], [word for word in words if word != found[0]]


def _asked(
    given: Given, said: Mapping[str, Any], path: str, directory: str
) -> tuple[SweepOptions, dict[str, bytes]]:
    """Return what the sweep is asked for now, and texts of files that come with the job."""
    words = said.get("words")
    if not isinstance(words, list):
        raise Refused(f"{path} does not say what the sweep was asked for: submit it by wsub")
    old = asked_of_sweep.parsed(list(map(str, words)), directory)
    texts = {}
    if (prolog := given.last("prolog")) is not None:
        texts[job_script.PROLOG] = batch_file.text_of(prolog)
    if (epilog := given.last("epilog")) is not None:
        texts[job_script.EPILOG] = batch_file.text_of(epilog)
    dropped = given.has("disable_epilog") and epilog is None
    again = replace(
        old, log=os.path.abspath(path), retry=given.has("retry"),
        prolog=prolog or old.prolog, enable_prolog=given.has("enable_prolog") or prolog is not None,
        epilog=None if dropped else epilog or old.epilog,
    )  # fmt: skip
    if again.enable_prolog and again.prolog is None:
        raise Refused("-enable_prolog: the earlier job had no prolog; -prolog FILE is a new one")
    options = as_words(replace(again, words=()))
    new = job_options.sweeps_words(given)
    return asked_of_sweep.parsed([*options, *new, "--", *again.words], os.getcwd()), texts


def _in_job(asked: SweepOptions, texts: Mapping[str, bytes]) -> SweepOptions:
    """Return the same with the files that come with the job under their names there."""
    new = {
        name: word
        for name, word in (("prolog", job_script.PROLOG), ("epilog", job_script.EPILOG))
        if word in texts
    }
    return replace(asked, **new)  # type: ignore[arg-type]


def _name(rest: Sequence[str], file: BatchFile, path: str, whose: str) -> list[str]:
    names = ("-N",) if whose == PBS else ("-J", "--job-name")
    given = options_for_job.values(rest, *names) or file.job_name
    return [] if given else [names[-1], logs.name_of_job(path)]


if __name__ == "__main__":
    main()
