"""Options of qsub and sbatch that are handed on: told apart, and merged. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from .batch_file import PBS, SLURM, BatchFile
from .words import Refused

_ARRAY = {PBS: "-J", SLURM: "-a"}
"""By whose it is: the option that would make a job of each number."""
_SHELL, _LIKE_SH = "-S", ("sh", "bash", "dash", "ksh", "zsh")
_RESOURCES, _VARIABLES = "-l", "-v"
_PLACES = frozenset(("nodes", "select", "procs", "ncpus", "place"))
"""Resources of PBS of which one stands for the others: how many cores, and where."""


def told_apart(words: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Return each option with its words: `-l`, ("-l", "nodes=2"); a value stands behind or in it.

    Raises Refused for a word that is no option's: qsub would take it for the job script.
    """
    flag, taken = "", tuple[str, ...]()
    for word in words:
        if word.startswith("-") and word != "-":
            if flag:
                yield flag, taken
            flag = word.partition("=")[0] if word.startswith("--") else word[:2]
            taken = (word,)
        elif len(taken) == 1 and _open(taken[0]):
            taken = (*taken, word)
        else:
            raise Refused(f"{word}: which option is that of? The script is -batch FILE")
    if flag:
        yield flag, taken


def _open(word: str) -> bool:
    """True where a value may stand behind an option: not `-lnodes=2`, not `--time=5`."""
    return "=" not in word if word.startswith("--") else len(word) == 2


def refuse_wrong(words: Sequence[str], whose: str) -> None:
    """Refuse options that make a job of each number, or have it run by a shell unlike sh."""
    for array in values(words, _ARRAY[whose]):
        raise Refused(f"{_ARRAY[whose]} {array} makes a job of each number; -t {array} makes items")
    for shell in values(words, _SHELL) if whose == PBS else ():
        if os.path.basename(shell) not in _LIKE_SH:
            raise Refused(
                f"{_SHELL} {shell} cannot read the job script, which is sh's. Items are run by "
                f"what the first line of the batch file names: #!{shell}"
            )


def values(words: Sequence[str], *names: str) -> list[str]:
    """Return the values of an option of qsub or sbatch, as often as it is there."""
    return [_value(taken) for flag, taken in told_apart(words) if flag in names]


def _value(taken: Sequence[str]) -> str:
    if len(taken) > 1:
        return taken[1]
    return taken[0].partition("=")[2] if taken[0].startswith("--") else taken[0][2:]


def variables(file: BatchFile, words: Sequence[str], whose: str) -> list[str]:
    """Return the lists of variables, `A=1,B`, that the job is given; with sbatch -v is another."""
    return [*file.variables, *values(words, _VARIABLES)] if whose == PBS else []


def merged(old: Sequence[str], new: Sequence[str], whose: str) -> list[str]:
    """Return options of a former submission with those that are new, which win.

    With sbatch the last of two wins. With qsub each resource of -l is one of its own:
    `-l walltime=1:30:00` leaves the nodes as they were.
    """
    if whose != PBS:
        return [*old, *new]
    added = list(told_apart(new))
    given = {flag for flag, _ in added}
    wins = {_name(each) for flag, taken in added if flag == _RESOURCES for each in _each(taken)}
    if wins & _PLACES:
        wins |= _PLACES
    kept: list[str] = []
    for flag, taken in told_apart(old):
        if flag == _RESOURCES:
            stay = [each for each in _each(taken) if _name(each) not in wins]
            kept += [_RESOURCES, ",".join(stay)] if stay else []
        elif flag not in given:
            kept += taken
    return [*kept, *new]


def _each(taken: Sequence[str]) -> list[str]:
    return _value(taken).split(",")


def _name(resource: str) -> str:
    return resource.partition("=")[0].strip()
