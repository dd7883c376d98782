"""`myscoop sweep …` on the command line: options of `myscoop` may stand among those of the sweep.

They are put in front of the word `sweep`; an option that both have is the sweep's behind that word.
What is wrong with the sweep's own words is answered before there are ranks. The sweep's options are
loaded for sweeps alone: 10 ms of each start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import click

from ..program.finding import READY_PROGRAMS, ProgramNotFound, find
from ..program.ready_programs import Answer

_Options = Mapping[str, click.Option]
SWEEP = "sweep"
_END = "--"
"""The word behind which there are no options."""


def in_front(args: Sequence[str], params: Iterable[click.Parameter]) -> list[str]:
    """Return the words of a command line with what is not the sweep's put before `sweep`.

    params: those of the command. The words are unchanged where the program is another one.
    """
    if SWEEP not in args:
        return list(args)
    ours = _by_word(params)
    begin = sum(map(len, _leading(args, ours)))
    front, words = args[:begin], args[begin:]
    if not _is_sweep(words):
        return list(args)
    from ..sweep import options  # late, as below

    own = _by_word(options.PARAMETERS)
    moved: list[str] = []
    kept: list[str] = []
    for option in _leading(words[1:], {**ours, **own}):
        name = _name(option[0], {**ours, **own})
        (moved if name in ours and name not in own else kept).extend(option)
    command = words[1 + len(moved) + len(kept) :]
    return [*front, *moved, SWEEP, *kept, *command]


def taken(
    words: Sequence[str], incomplete: str, params: Iterable[click.Parameter]
) -> list[str]:  # fmt: skip
    """Return the options that begin so and may stand behind these words, for a shell to complete.

    params: those of the command. There are none where the sweep's command has begun.
    """
    if not _is_sweep(words):
        return []
    from ..sweep import options

    known = {**_by_word(params), **_by_word(options.PARAMETERS)}
    if sum(map(len, _leading(words[1:], known))) < len(words) - 1:
        return []
    return [
        name for name, option in known.items()
        if name.startswith(incomplete) and not option.hidden
    ]  # fmt: skip


def answer_to(words: Sequence[str]) -> Answer | None:
    """Return what to print instead of starting ranks for a sweep; None for any other program."""
    if not _is_sweep(words):
        return None
    from ..sweep import options

    return options.answer(words[1:])


def _is_sweep(words: Sequence[str]) -> bool:
    """True where the program of a command line is ours, not one of the user's of that name."""
    if not words or words[0] != SWEEP:
        return False
    try:
        return find(SWEEP).module == f"{READY_PROGRAMS}.{SWEEP}"
    except ProgramNotFound:
        return False


def _by_word(params: Iterable[click.Parameter]) -> dict[str, click.Option]:
    found = [param for param in params if isinstance(param, click.Option)]
    return {word: param for param in found for word in (*param.opts, *param.secondary_opts)}


def _leading(words: Sequence[str], known: _Options) -> list[Sequence[str]]:
    """Return the options that stand at the beginning, each with its values."""
    found: list[Sequence[str]] = []
    place = 0
    while place < len(words) and words[place].startswith("-") and words[place] not in ("-", _END):
        count = 1 + _values_behind(words[place], known)
        found.append(words[place : place + count])
        place += count
    return found


def _values_behind(word: str, known: _Options) -> int:
    """Return how many of the next words are values of an option."""
    name = _name(word, known)
    param = known.get(name)
    if param is None or param.is_flag or param.count:
        return 0
    return param.nargs - (len(word) > len(name))  # --name=value, -n4


def _name(word: str, known: _Options) -> str:
    """Return the option that a word names: `--data` of `--data=x`, `-n` of `-n4`."""
    name = word.partition("=")[0]
    return name if name in known or name.startswith("--") else word[:2]
