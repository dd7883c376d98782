"""What each rank of a farm executes: `python -m scoopmpi` with its words, and shell lines before.

Words only: the launcher hands them on, nothing is started here.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Sequence

from ...process import named_files
from ...process.launcher_variables import LAUNCHERS
from ...program.scoop_options import for_ranks
from .launch import Launch


def of_rank(launch: Launch) -> list[str]:
    """Return the words of a rank of a farm."""
    return _in_shell(launch, own_words(launch))


def of_rank_without_words(launch: Launch) -> list[str]:
    """Return the same for a rank that finds its own words in variables (`process.words`)."""
    return _in_shell(launch, ())


def of_program(launch: Launch) -> Sequence[str]:
    """Return the words of a rank without a farm; a shell where each is to have its own file."""
    if launch.output is None:
        return launch.words
    ranks = [launcher.rank for launcher in LAUNCHERS if launcher.rank is not None]
    rank = ""
    for name in reversed(ranks):
        rank = f"${{{name}:-{rank}}}"
    values = {"rank": f'"{rank}"', "host": '"$(uname -n)"'}
    parts = named_files.pieces(launch.output)
    file = "".join(shlex.quote(plain) if plain else values.get(name, "") for plain, name in parts)
    lines = f'file={file} && mkdir -p "${{file%/*}}" && exec >>"$file" 2>&1 && exec "$@"'
    return ["/bin/sh", "-c", lines, "output", *launch.words]


def own_words(launch: Launch) -> list[str]:
    """Return the words behind `python -m scoopmpi`: its options, and the program's words."""
    program = launch.words
    dashes = bool(program) and program[0].startswith("-") and program[0] != "-"
    options = () if launch.farm is None else for_ranks(launch.farm)
    return [*options, *(("--",) if dashes else ()), *program]


def _in_shell(launch: Launch, own: Sequence[str]) -> list[str]:
    """Return the interpreter's words, behind a shell where something is to be set up before."""
    found = [*launch.python, "-m", "scoopmpi", *own]
    lines = list(_setup(launch))
    if not lines:
        return found
    shell = shutil.which("bash") or "/bin/sh"  # prologues of clusters are written for bash
    return [shell, "-c", " && ".join([*lines, 'exec "$@"']), "prolog", *found]


def _setup(launch: Launch) -> Iterator[str]:
    """Yield the shell lines; what a script sets stays, as the rank's own shell reads it."""
    names = " ".join(launch.loaded).replace(",", " ").split()
    if names:
        defined = 'command -v module >/dev/null || . "$MODULESHOME/init/bash"'
        yield f"{{ {defined}; }} && module load {' '.join(map(shlex.quote, names))}"
    if launch.prolog is not None:
        yield f". {shlex.quote(os.path.abspath(launch.prolog))}"
