"""Options that `wsub` and `wresume` have alike, and what later jobs are told of them. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from ...sweep.options import PARAMETERS
from .words import Given, Option, read

STOP_BEFORE = Option(
    "stop-before", "Begin no item that the end of the job, less these seconds, would cut; auto.",
    "SECONDS", dash="--",
)  # fmt: skip
OF_JOB = (
    Option("threaded", "Cores for each item; the job has as many workers as that leaves room for.",
           "N"),
    Option("mpiverbose", "Let the MPI launcher show what it does."),
    Option("master", "Nothing: who deals out the items takes no core from them."),
    Option("sleep", "Nothing: who deals out the items does not spin.", "MICROSECONDS"),
    Option("dryrun", "Show the job script, the command that would submit it, and the first items."),
    Option("verbose", "Say on stderr what is done."),
    Option("quiet", "Say nothing but errors, and the number of the job."),
)  # fmt: skip
"""Options of `wsub` and `wresume` alike."""
_KEPT = ("threaded", "mpiverbose", STOP_BEFORE.name)
"""Of these, what a job that goes on has as well."""
_OF_SWEEP = (
    "--item-timeout", "--retries", "--halt", "--stop-on-failure", "--output-dir", "--results",
    "--joblog", "--reduce", "--reductor", "--delimiter",
)  # fmt: skip
"""Those of `myscoop sweep` that neither qsub nor sbatch has."""
SWEEPS = tuple(
    Option(param.opts[0][2:], param.help or "", param.metavar or "", takes=param.nargs, dash="--")
    for param in PARAMETERS
    if param.opts[0] in _OF_SWEEP
)


def remarks(given: Given) -> Iterator[str]:
    """Return what is to be said of options that do nothing here."""
    for option in OF_JOB:
        if option.help.startswith("Nothing") and given.has(option.name):
            yield f"-{option.name} is left out. {option.help}"


def sweeps_words(given: Given) -> list[str]:
    """Return the words of the sweep that a command line has by their own names."""
    return [
        word
        for option in SWEEPS
        for values in given.values.get(option.name, ())
        for word in (f"--{option.name}", *values)
    ]


def record(given: Given, rest: Sequence[str]) -> str:
    """Return what later jobs of the sweep are told of this one: `before` understands it.

    given: has the options of OF_JOB. rest: options of qsub or sbatch.
    """
    own = [word for name in _KEPT for word in (f"-{name}", *given.all(name)) if given.has(name)]
    return shlex.join([*own, "--", *rest])


def before(recorded: str) -> Given:
    """Return what an earlier job was asked for; recorded: empty where nobody has recorded it."""
    return read(shlex.split(recorded), (*OF_JOB, STOP_BEFORE))
