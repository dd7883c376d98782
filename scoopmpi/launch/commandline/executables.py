"""Turn any program into the words that each rank executes: launchers know files and PATH only."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from .launcher import LaunchError


def words_of(words: Sequence[str], python: Sequence[str] = (sys.executable,)) -> tuple[str, ...]:
    """Return the program and its arguments; a Python file that is not executable is run by Python.

    python: the interpreter, and its own options.
    A name without a directory is one on PATH, or else a file here. Raises LaunchError.
    """
    name, *arguments = words
    here = os.path.join(os.curdir, name) if os.sep not in name else name
    if name.endswith(".py") and os.path.isfile(here) and not os.access(here, os.X_OK):
        return (*python, here if name.startswith("-") else name, *arguments)
    if os.sep not in name and not name.startswith("-") and shutil.which(name):
        return tuple(words)
    if os.path.isdir(here):
        raise LaunchError(f"{name} is a directory, not a program")
    if not os.path.exists(here):
        places = os.getcwd() if os.sep in name else f"{os.getcwd()} and on PATH"
        raise LaunchError(f"there is no program {name}: looked in {places}")
    if not os.access(here, os.X_OK):
        raise LaunchError(f"{name} is not executable; if it is a program: chmod +x {here}")
    return (here, *arguments)
