"""Command lines that are too long: for Open MPI, which is helped, and for the system.

Found by trying: `mpirun` of Open MPI 4 and 5 cannot start ranks whose words have more than 128 KiB,
see `process.words`. Others hand on whatever the system takes (MPICH: 0.9 MB of words).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..process import words
from .flavours.command import LaunchError, Ranks

_SPARE = 4096
"""Bytes that the system wants besides words and variables: the path, and numbers of its own."""
_POINTER = 8
"""Bytes that each word and variable costs besides its own."""


def for_openmpi(
    ranks: Ranks, short: Sequence[str], own: Sequence[str] | None
) -> tuple[Ranks, dict[str, str]]:
    """Ranks whose words are short enough, and the variables that the launcher has to hand on.

    short: the words that start a rank of the farm. own: those that it may find in variables, None
    where it is no rank of a farm; then LaunchError says what is too long.
    """
    size = words.size(ranks.program)
    if size <= words.MOST_BYTES:
        return ranks, {}
    if own is None:
        raise LaunchError(
            f"the program's words have {size} bytes, and Open MPI hands on {words.MOST_BYTES}: "
            "put what is long into a file that the program reads"
        )
    variables = words.as_variables(own)
    prefixes = (*ranks.prefixes, words.PREFIX)
    env = {**ranks.env, **variables}
    return replace(ranks, program=short, env=env, prefixes=prefixes), variables


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
