"""The words that a launcher hands to each rank of a farm, and the shell lines in front of them."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence


def own_words(options: Sequence[str], program: Sequence[str]) -> list[str]:
    """The words of `python -m scoopmpi` in a rank: its options, and the program's words."""
    dashes = bool(program) and program[0].startswith("-") and program[0] != "-"
    return [*options, *(("--",) if dashes else ()), *program]


def words(python: Sequence[str], own: Sequence[str], setup: Sequence[str]) -> list[str]:
    """What a rank executes: the interpreter and its options first; a shell does the setup before.

    own: see `own_words`. setup: lines for that shell.
    """
    found = [*python, "-m", "scoopmpi", *own]
    if not setup:
        return found
    shell = shutil.which("bash") or "/bin/sh"  # prologues of clusters are written for bash
    return [shell, "-c", " && ".join([*setup, 'exec "$@"']), "prolog", *found]


def sourcing(script: str) -> str:
    """The shell line that runs a script in the rank's own shell, so that what it sets stays."""
    return f". {shlex.quote(os.path.abspath(script))}"


def loading(modules: str) -> str:
    """The shell line that loads environment modules, a list with commas."""
    names = " ".join(shlex.quote(name) for name in modules.replace(",", " ").split())
    defined = 'command -v module >/dev/null || . "$MODULESHOME/init/bash"'
    return f"{{ {defined}; }} && module load {names}"
