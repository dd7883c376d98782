"""From a `Launch` and an allocation to the launcher's command line, step by step.

Joins the program, the hosts and the launcher of the MPI library; what each of them means is
decided in its own module. Knows nothing of the farm, and starts nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace

from ...process.asking import asking
from ...program import finding
from ..flavours.command_line import CommandLine
from ..flavours.ranks import Ranks
from ..hosts import placement, thishost
from ..hosts.allocation import Allocation, AllocationError
from . import daemons, directories, executables, launcher, lengths, rank_command, variables
from .launch import Launch

PROBLEMS = (AllocationError, launcher.LaunchError, finding.ProgramNotFound)
"""What stops a launch; the messages are for the user."""


def command_line(launch: Launch, allocation: Allocation, env: Mapping[str, str]) -> CommandLine:
    """Return the command line that runs a program on the hosts of an allocation.

    env: the environment of the caller. Raises LaunchError or ProgramNotFound, whose messages are
    for the user.
    """
    launch = with_program(launch)
    found = launcher_for(launch, env, allocation.manager)
    composed = composed_by(found, launch, ranks_for(launch, allocation, found.library, env), env)
    return replace(composed, notes=(*allocation.warnings, *composed.notes))


def with_program(launch: Launch) -> Launch:
    """Return the same where its program is there; one without a farm as a launcher wants it.

    Raises LaunchError or ProgramNotFound.
    """
    if not launch.words or launch.words[0] == "-":
        return launch
    if not launch.has_farm:
        return replace(launch, words=executables.words_of(launch.words, launch.python))
    finding.find_or_shell(launch.words)
    return launch


def launcher_for(launch: Launch, env: Mapping[str, str], manager: str) -> launcher.Launcher:
    """Return the launcher of mpi4py's library; for a program without Python, else that on PATH.

    manager: who gave the hosts. Raises LaunchError.
    """
    env = directories.with_home(env)
    python, *flags = launch.python
    try:
        return launcher.find(env, python, launch.asked.flavour, manager, flags)
    except launcher.LaunchError:
        if launch.has_farm:
            raise
    return launcher.on_path(env, launch.asked.flavour)


def ranks_for(
    launch: Launch, allocation: Allocation, library: str, env: Mapping[str, str]
) -> Ranks:
    """Return the ranks on the hosts of an allocation; one more than workers for a farm.

    library: what the MPI library says of itself.
    """
    farm = launch.has_farm
    placed = placement.with_rank_0(allocation) if farm else allocation
    pin, _ = placement.pinning(allocation, launch.binding, farm)
    draws = draws_bar(launch, placed.hosts[0].name) if placed.hosts else False
    return Ranks(
        hosts=placed.hosts,
        program=rank_command.of_rank(launch) if farm else rank_command.of_program(launch),
        env={name: value for name, value in env.items() if name not in variables.TOLD},
        variables=variables.of_ranks(launch, allocation, placed.slots, pin, env, draws),
        manager=allocation.manager,
        library=library,
        pinning=None if farm else pin,
        threads=allocation.threads,
        root=os.geteuid() == 0,
        survive=farm,
        stale=allocation.stale,
        asked=replace(launch.asked, agent=launch.asked.agent or allocation.agent),
    )


def draws_bar(launch: Launch, first: str) -> bool:
    """True where the command draws what rank 0 says of its jobs, as rank 0 has no terminal.

    first: the host of rank 0. On this one it has the command's own, where there are such lines.
    """
    return launch.terminal and (sys.platform != "linux" or not thishost.is_this(first))


def composed_by(
    found: launcher.Launcher, launch: Launch, ranks: Ranks, env: Mapping[str, str]
) -> CommandLine:
    """Return the flavour's command line, with what the launcher itself needs of its environment.

    Raises LaunchError where the launcher or the system cannot take it.
    """
    asked, notes = launch.asked, ranks.notes
    own = {} if asked.temporary is None else {"TMPDIR": asked.temporary}
    env = {**env, **own}
    if "Open MPI" in found.library:
        needed, said = directories.needed(env, found.mpirun, asking(env))
        own, notes = own | needed, (*notes, *said)
    own_words = rank_command.own_words(launch) if launch.has_farm else None
    short = rank_command.of_rank_without_words(launch)
    ranks, moved = lengths.fitting(found.flavour, ranks, short, own_words)
    if launch.has_farm:
        ranks = replace(ranks, daemons=daemons.of_a_farm(launch.python[0], found.mpirun, env))
    composed = found.flavour.command_line(found.mpirun, ranks)
    stale = tuple(
        name for name in variables.TOLD if name in env and name not in ranks.variables
    )  # fmt: skip
    composed = replace(
        composed,
        env={**own, **moved, **composed.env}, unset=(*composed.unset, *stale, *ranks.stale),
        notes=(*composed.notes, *notes), program=len(ranks.program),
        first=ranks.hosts[0].name, alone=len(ranks.hosts) == 1,
    )  # fmt: skip
    lengths.check(composed.argv, composed.environment(env))
    return composed
