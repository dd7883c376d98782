"""Help where a launcher cannot hand on a command line; refuse one too long for the system.

What a launcher hands on is said by its flavour, as found by trying: `mpirun` of Open MPI 4 and 5
cannot start ranks whose words have more than 128 KiB, see `process.words`; Intel's crashes where
there are a thousand. That of MPICH 5 hands on whatever the system takes. None hands on a `:`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...process import words
from ..flavours.flavour import Flavour
from ..flavours.ranks import NEXT_PROGRAM, LaunchError, Ranks

_SPARE = 4096
"""Bytes that the system wants besides words and variables: the path, and numbers of its own."""
_POINTER = 8
"""Bytes that each word and variable costs besides its own."""


def fitting(
    flavour: Flavour, ranks: Ranks, short: Sequence[str], own: Sequence[str] | None
) -> tuple[Ranks, dict[str, str]]:
    """Return ranks whose words a launcher can hand on, and the variables that it must hand on too.

    flavour: the launcher's. short: the words that start a rank of the farm. own: those that it may
    find in variables, None where it is no rank of a farm; then LaunchError says what is too long.
    """
    size, count = words.size(ranks.program), len(ranks.program)
    most_bytes, most_words = flavour.MOST_BYTES, flavour.MOST_WORDS
    short_enough = size <= (most_bytes or size) and count <= (most_words or count)
    if short_enough and (own is None or NEXT_PROGRAM not in own):
        return ranks, {}
    if own is None:
        limit = f"{most_words} words" if most_bytes is None else f"{most_bytes} bytes"
        raise LaunchError(
            f"the program's {count} words have {size} bytes, and this launcher hands on {limit}: "
            "put what is long into a file that the program reads"
        )
    variables = words.as_variables(own)
    asked = replace(ranks.asked, prefixes=(*ranks.asked.prefixes, words.PREFIX))
    env = {**ranks.env, **variables}
    return replace(ranks, program=short, env=env, asked=asked), variables


def check(argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Raise LaunchError where the system would refuse so many words and variables."""
    everything = [*argv, *(f"{name}={value}" for name, value in env.items())]
    size = words.size(everything) + _POINTER * len(everything)
    most = os.sysconf("SC_ARG_MAX")
    if size + _SPARE > most > 0:
        raise LaunchError(
            f"command line and environment have {size} bytes, and the system hands on {most} "
            "(getconf ARG_MAX): put what is long into a file that the program reads"
        )
