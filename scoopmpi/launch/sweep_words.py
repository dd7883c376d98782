"""`myscoop sweep …` on the command line: options of `myscoop` may stand among those of the sweep.

They are put in front of the word `sweep`; where both have an option of that name behind the word,
it is the sweep's. What is wrong with the sweep's own words is answered before there are ranks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import click

from ..program.finding import READY_PROGRAMS, ProgramNotFound, find
from ..program.ready_programs import Answer
from ..sweep import options


def in_front(args: Sequence[str], params: Iterable[click.Parameter]) -> list[str]:
    """Return the words of a command line with what is not the sweep's put before `sweep`.

    params: those of the command. Unchanged where the program is another.
    """
    ours, own = _by_word(params), _by_word(options.PARAMETERS)
    front, words = _split(args, ours, {})[0], list(args)
    behind = words[len(front) :]
    if not _meant(behind):
        return words
    mine, moved, rest = _parted(behind[1:], own, ours)
    return [*front, *moved, options.NAME, *mine, *rest]


def _by_word(params: Iterable[click.Parameter]) -> dict[str, click.Option]:
    found = [param for param in params if isinstance(param, click.Option)]
    return {word: param for param in found for word in (*param.opts, *param.secondary_opts)}


def _split(
    args: Sequence[str], first: Mapping[str, click.Option], second: Mapping[str, click.Option]
) -> tuple[list[str], list[str]]:
    """Return the options that stand at the beginning, and those among them of `second` alone."""
    taken: list[str] = []
    moved: list[str] = []
    place = 0
    while place < len(args) and args[place].startswith("-") and args[place] not in ("-", "--"):
        word = args[place].partition("=")[0]
        param = first.get(word) or second.get(word)
        count = 1
        if param is not None and not param.is_flag and not param.count and "=" not in args[place]:
            count += param.nargs
        part = list(args[place : place + count])
        (moved if word not in first and word in second else taken).extend(part)
        place += count
    return taken, moved


def _parted(
    words: Sequence[str], own: Mapping[str, click.Option], ours: Mapping[str, click.Option]
) -> tuple[list[str], list[str], list[str]]:
    mine, moved = _split(words, own, ours)
    return mine, moved, list(words[len(mine) + len(moved) :])


def _meant(words: Sequence[str]) -> bool:
    """True where the program of a command line is our sweep, not one of the user's."""
    if not words or words[0] != options.NAME:
        return False
    try:
        return find(options.NAME).module == f"{READY_PROGRAMS}.{options.NAME}"
    except ProgramNotFound:
        return False


def answer_to(words: Sequence[str]) -> Answer | None:
    """Return what to print instead of starting ranks for a sweep; None for any other program."""
    if not _meant(words):
        return None
    return options.answer(words[1:])
