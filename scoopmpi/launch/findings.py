"""Find out what a launch consists of (`--explain`), and which batch systems and MPIs are known.

Takes the same steps as a launch, but goes on where one fails. How it reads is in `explanation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..process.asking import asking
from ..program.scoop_options import Options
from . import detection, explanation, flavours, managers
from .cli.request import Request
from .commandline import composing, variables
from .commandline.launch import Launch
from .commandline.launcher import Launcher
from .explanation import Findings
from .flavours.ranks import LauncherOptions, LaunchError
from .hosts.allocation import LOCAL, Allocation, AllocationError


def of(launch: Launch, request: Request, env: Mapping[str, str]) -> Findings:
    """Return all that a launch consists of; what fails is noted, and the rest goes on without it.

    env: the environment in which managers look around.
    """
    failed: dict[str, str] = {}
    found = Findings(env, launch.has_farm, launch.binding, rehearsed=request.job, failed=failed)
    given = placed = None
    try:
        given = detection.allocation(request, env)
        placed = detection.placed(given, request, launch.has_farm)
    except AllocationError as problem:
        failed["hosts" if given is None else "workers"] = str(problem)
    try:
        launch = composing.with_program(launch)
    except composing.PROBLEMS as problem:
        failed["program"] = str(problem)
    launch = launch if launch.words else replace(launch, words=["PROGRAM"])
    found = replace(found, given=given, placed=placed or given)
    try:
        launcher = composing.launcher_for(launch, env, given.manager if given else LOCAL)
    except LaunchError as problem:
        failed["library"] = str(problem)
        return found
    found = replace(
        found, library=launcher.library, flavour=launcher.flavour.TITLE, mpirun=launcher.mpirun
    )
    return found if placed is None else _with_command_line(found, launch, placed, launcher)


def _with_command_line(
    found: Findings, launch: Launch, placed: Allocation, launcher: Launcher
) -> Findings:
    env = found.env
    ranks = composing.ranks_for(launch, placed, launcher.library, env)
    threads = {
        name: ranks.variables.get(name) or f"{env[name]} (yours)" for name in variables.THREADS
    }
    found = replace(found, ranks=ranks, threads=threads)
    try:
        composed = composing.composed_by(launcher, launch, ranks, env)
    except composing.PROBLEMS as problem:
        return replace(found, failed={**found.failed, "command": str(problem)})
    return replace(found, composed=composed)


def known_managers(env: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of a table of batch systems, with a star at the one that is here."""
    here = managers.present(env, asking(env))[0]
    rows = [(name == here, name, _also(name, managers.ALIASES)) for name in managers.NAMES]
    return explanation.known("Batch systems (--sched NAME)", rows, f"* is here: {here}")


def known_flavours(
    asked: LauncherOptions, env: Mapping[str, str], farm: bool
) -> Iterator[str]:  # fmt: skip
    """Yield the lines of a table of MPI libraries, with a star at the one that is here.

    farm: for a program of the farm, whose library is mpi4py's.
    """
    launch = Launch((), Options() if farm else None, asked)
    here = None
    try:
        found = composing.launcher_for(launch, env, managers.present(env, asking(env))[0])
        here, said = found.flavour, f"* is here: {found.library} ({found.mpirun})"
    except LaunchError as problem:
        said = f"none is here: {problem}"
    rows = [
        (each is here, each.NAME, f"{each.TITLE:<20}{_also(each.NAME, flavours.ALIASES)}")
        for each in flavours.FLAVOURS
    ]
    return explanation.known("MPI (--setmpi NAME)", rows, said)


def _also(name: str, others: Mapping[str, str]) -> str:
    meant = ", ".join(other for other in others if others[other] == name)
    return f"also {meant}" if meant else ""
