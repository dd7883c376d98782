"""From what the user asked for to the launcher: which words mpirun gets, in which environment.

For all commands: `myscoop`, `mympirun` and `python -m scoopmpi`. Joins the program, the
allocation and the launcher of the MPI library; knows nothing of the farm, and starts nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...process import interpreter
from ...program import finding
from ...program.scoop_options import Options, for_ranks
from .. import managers
from ..flavours.ranks import CommandLine, Ranks
from ..hosts import hostlist, placement
from ..hosts.allocation import Allocation, AllocationError
from ..hosts.asking import asking
from ..managers import local
from . import daemons, directories, executables, launcher, lengths, rank_command
from .rank_command import loading as loading
from .rank_command import sourcing as sourcing

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PROBLEMS = (AllocationError, launcher.LaunchError, finding.ProgramNotFound)
"""What stops a start; the messages are for the user."""
TOLD = ("SCOOPMPI_RANKS", "SCOOPMPI_THREADS", "SCOOPMPI_PIN", "SCOOPMPI_GPUS")
"""What the ranks of a farm are told, and no others must inherit."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start: the program's words, or none for the interactive shell.

    options: words for `python -m scoopmpi` in each rank. flags: words for its `python`, by default
    those of this one. setup: shell lines before it.
    farm: the words are a program for the farm; else they are what each rank executes.
    agent: the remote shell, where it is not the launcher's own choice.
    pin: `compact`, `spread`, or None; pin_asked: in any case.
    all_gpus: for every worker, not a share for each.
    flavour: the MPI that it must be. temporary: a directory for temporary files.
    restarts: how often to start it again from its checkpoint, where it has crashed.
    The others are the user's wishes for the launcher, see `Ranks`.
    """

    words: Sequence[str]
    options: Sequence[str] = ()
    python: str = sys.executable
    flags: Sequence[str] = field(default_factory=interpreter.flags)
    setup: Sequence[str] = ()
    farm: bool = True
    agent: str | None = None
    pin: str | None = "compact"
    pin_asked: bool = False
    all_gpus: bool = False
    flavour: str | None = None
    temporary: str | None = None
    prefixes: tuple[str, ...] = ()
    modules: bool = True
    launcher_words: tuple[str, ...] = ()
    branches: int | None = None
    debug: bool = False
    checkpoint: str | None = None
    restarts: int = 0


def command_for(start: Launch, allocation: Allocation, env: Mapping[str, str]) -> CommandLine:
    """The command line that runs a program on the hosts of an allocation.

    Raises LaunchError or ProgramNotFound, whose messages are for the user.
    """
    start = with_program(start)
    found = launcher_for(start, env, allocation.manager)
    command = command_of(start, found, ranks_for(start, allocation, found.library, env), env)
    return replace(command, notes=(*allocation.warnings, *command.notes))


def with_program(start: Launch) -> Launch:
    """The same when its program is there; one without a farm as a launcher wants to hear it.

    Raises LaunchError or ProgramNotFound.
    """
    if not start.words or start.words[0] == "-":
        return start
    if not start.farm:
        python = (start.python, *start.flags)
        return replace(start, words=executables.words_of(start.words, python))
    finding.find_or_shell(start.words)
    return start


def launcher_for(start: Launch, env: Mapping[str, str], manager: str) -> launcher.Launcher:
    """The launcher of mpi4py's library; for a program without Python, else that on PATH.

    Raises LaunchError.
    """
    env = directories.with_home(env)
    try:
        return launcher.find(env, start.python, start.flavour, manager, start.flags)
    except launcher.LaunchError:
        if start.farm:
            raise
    return launcher.on_path(env, start.flavour)


def ranks_for(start: Launch, allocation: Allocation, library: str, env: Mapping[str, str]) -> Ranks:
    """The ranks on the hosts of an allocation; one more than workers, where there is a farm."""
    placed = placement.with_rank_0(allocation) if start.farm else allocation
    pin, _ = placement.pinning(allocation, start.pin, start.pin_asked, start.farm)
    return Ranks(
        hosts=placed.hosts,
        program=rank_words(start) if start.farm else start.words,
        env={name: value for name, value in env.items() if name not in TOLD},
        variables=_variables(start, allocation, placed.slots, pin, env),
        manager=allocation.manager,
        library=library,
        pinning=None if start.farm else pin,
        threads=allocation.threads,
        agent=start.agent or allocation.agent,
        prefixes=start.prefixes,
        modules=start.modules,
        words=start.launcher_words,
        branches=start.branches,
        debug=start.debug,
        root=os.geteuid() == 0,
        survive=start.farm,
        **(daemons.of_a_farm(start.python, env) if start.farm else {}),
        stale=allocation.stale,
    )


def command_of(
    start: Launch, found: launcher.Launcher, ranks: Ranks, env: Mapping[str, str]
) -> CommandLine:
    """The flavour's command, with what the launcher's own environment needs for the start."""
    own, notes = {} if start.temporary is None else {"TMPDIR": start.temporary}, ranks.notes
    env = {**env, **own}
    if "Open MPI" in found.library:
        needed, said = directories.needed(env, found.mpirun, asking(env))
        own, notes = own | needed, (*notes, *said)
    short = rank_words(replace(start, options=(), words=()))
    own_words = rank_command.own_words(start.options, start.words) if start.farm else None
    ranks, moved = lengths.fitting(found.flavour.NAME, ranks, short, own_words)
    ranks = replace(ranks, agent_is_ours=daemons.shell_is_ours(found.mpirun, env))
    command = found.flavour.command_line(found.mpirun, ranks)
    stale = tuple(name for name in TOLD if name in env and name not in ranks.variables)
    command = replace(
        command,
        env={**own, **moved, **command.env}, unset=(*command.unset, *stale, *ranks.stale),
        notes=(*command.notes, *notes), program=len(ranks.program),
        first=ranks.hosts[0].name, alone=len(ranks.hosts) == 1,
    )  # fmt: skip
    lengths.check(command.argv, environment(command, env))
    return command


def rank_words(start: Launch) -> list[str]:
    """What each rank executes; a shell does the setup first."""
    own = rank_command.own_words(start.options, start.words)
    return rank_command.words((start.python, *start.flags), own, start.setup)


def _variables(
    start: Launch, allocation: Allocation, ranks: int, pin: str | None, env: Mapping[str, str]
) -> dict[str, str]:
    """What the ranks are told, by the words of the command line."""
    threads = str(allocation.threads)
    told = {name: threads for name in THREADS if not by_user(name, env)}
    if (path := _absolute(env.get("PYTHONPATH", ""))) != env.get("PYTHONPATH", ""):
        told["PYTHONPATH"] = path
    if start.temporary is not None:
        told["TMPDIR"] = start.temporary
    if not start.farm:
        return told
    told |= {"SCOOPMPI_RANKS": str(ranks), "SCOOPMPI_THREADS": threads}
    if pin is not None:
        told["SCOOPMPI_PIN"] = pin
    if not start.all_gpus:
        told["SCOOPMPI_GPUS"] = "share"
    return told


def by_user(name: str, env: Mapping[str, str]) -> bool:
    """Whether the user set a number of threads: OpenPBS sets OMP_NUM_THREADS in every job.

    There it is NCPUS, over what the user said at `qsub`; what differs was set in the job.
    """
    by_pbs = name == "OMP_NUM_THREADS" and "PBS_JOBID" in env and env.get(name) == env.get("NCPUS")
    return bool(env.get(name)) and not by_pbs


def _absolute(path: str) -> str:
    """PYTHONPATH entries like `.` mean this directory, on other hosts too."""
    return os.pathsep.join(os.path.abspath(entry) for entry in path.split(os.pathsep) if entry)


# What the options of `python -m scoop` mean.


def with_scoop_options(options: Options) -> Launch:
    """What the options ask to start; paths become absolute, as ranks may be elsewhere."""
    if options.checkpoint is not None:
        options = options._replace(checkpoint=os.path.abspath(options.checkpoint))
    return Launch(
        words=options.words,
        options=for_ranks(options),
        python=_interpreter(options.python),
        setup=() if options.prolog is None else (sourcing(options.prolog),),
        agent=options.ssh_executable or ("rsh" if options.rsh else None),
        checkpoint=options.checkpoint,
        restarts=options.restarts or 0,
    )


def allocation_for(options: Options, env: Mapping[str, str]) -> Allocation:
    """The hosts that the options name, else those of the batch job, for as many workers as asked.

    Raises AllocationError, naming the file and line of a host file.
    """
    if options.hosts:
        found = hostlist.from_words(options.hosts)
    elif options.hostfile is not None:
        found = hostlist.from_file(options.hostfile, local.cores)
    else:
        found = managers.detect(env, ask=asking(env))
    return found if options.workers is None else placement.resized(found, options.workers)


def _interpreter(given: str | None) -> str:
    if given is None:
        return sys.executable
    found = shutil.which(given)
    if found is None:
        raise launcher.LaunchError(f"--python-interpreter {given}: there is no such program")
    return os.path.abspath(found)


def environment(command: CommandLine, env: Mapping[str, str]) -> dict[str, str]:
    """The environment of the launcher."""
    return {name: env[name] for name in env if name not in command.unset} | dict(command.env)
