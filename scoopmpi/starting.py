"""From what the user asked for to the launcher: which words mpirun gets, in which environment.

Both command lines end here, `myscoop` and `python -m scoopmpi`. Joins the program, the allocation
and the launcher of the MPI library; knows nothing of the farm.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from .launch import hostlist, launcher, managers, placement, relay
from .launch.allocation import Allocation, AllocationError
from .launch.asking import asking
from .launch.flavours.command import Command, Ranks
from .launch.managers import local
from .process import program as programs
from .scoop_options import Options, for_ranks

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PROBLEMS = (AllocationError, launcher.LaunchError, programs.ProgramNotFound)
"""What stops a start; the messages are for the user."""


@dataclass(frozen=True, slots=True)
class Start:
    """What to start: the program's words, or none for the interactive shell.

    options: words for `python -m scoopmpi` in each rank. setup: shell lines before it.
    agent: the remote shell, where it is not the launcher's own choice.
    """

    words: Sequence[str]
    options: Sequence[str] = ()
    python: str = sys.executable
    setup: Sequence[str] = ()
    agent: str | None = None


def command_for(start: Start, allocation: Allocation, env: MutableMapping[str, str]) -> Command:
    """The command line that runs a program on the hosts of an allocation; changes `env` for it.

    Raises LaunchError or ProgramNotFound, whose messages are for the user.
    """
    _make_absolute(env)
    if start.words and start.words[0] != "-":
        programs.find(start.words[0])
    _forget_set_by_pbs(env)
    found = launcher.find(env, start.python)
    ranks = Ranks(
        hosts=placement.with_rank_0(allocation).hosts,
        program=rank_words(start),
        env=env,
        variables=_threads(allocation.threads, env),
        manager=allocation.manager,
        library=found.library,
        agent=start.agent,
        root=os.geteuid() == 0,
    )
    command: Command = found.flavour.command(found.mpirun, ranks)
    return command


def rank_words(start: Start) -> list[str]:
    """What each rank executes; a shell does the setup first."""
    words = [start.python, "-m", "scoopmpi", *start.options, *start.words]
    if not start.setup:
        return words
    shell = shutil.which("bash") or "/bin/sh"  # prologues of clusters are written for bash
    return [shell, "-c", " && ".join([*start.setup, 'exec "$@"']), "prolog", *words]


# What the options of `python -m scoop` mean.


def with_scoop_options(options: Options) -> Start:
    """What the options ask to start; paths become absolute, as ranks may be elsewhere."""
    return Start(
        words=options.words,
        options=for_ranks(options),
        python=_interpreter(options.python),
        setup=() if options.prolog is None else (sourcing(options.prolog),),
        agent=options.ssh_executable or ("rsh" if options.rsh else None),
    )


def allocation_for(options: Options, env: MutableMapping[str, str]) -> Allocation:
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


def sourcing(script: str) -> str:
    """The shell line that runs a script in the rank's own shell, so that what it sets stays."""
    return f". {shlex.quote(os.path.abspath(script))}"


def loading(modules: str) -> str:
    """The shell line that loads environment modules, a list with commas."""
    names = " ".join(shlex.quote(name) for name in modules.replace(",", " ").split())
    defined = 'command -v module >/dev/null || . "$MODULESHOME/init/bash"'
    return f"{{ {defined}; }} && module load {names}"


def _interpreter(given: str | None) -> str:
    if given is None:
        return sys.executable
    found = shutil.which(given)
    if found is None:
        raise launcher.LaunchError(f"--python-interpreter {given}: there is no such program")
    return os.path.abspath(found)


# Environment and end.


def _make_absolute(env: MutableMapping[str, str]) -> None:
    """PYTHONPATH entries like `.` mean this directory, on other hosts too."""
    entries = env.get("PYTHONPATH", "").split(os.pathsep)
    absolute = [os.path.abspath(entry) for entry in entries if entry]
    if absolute:
        env["PYTHONPATH"] = os.pathsep.join(absolute)


def _forget_set_by_pbs(env: MutableMapping[str, str]) -> None:
    """OpenPBS sets it in every job, over what the user said."""
    if "PBS_JOBID" in env and env.get("OMP_NUM_THREADS") == env.get("NCPUS"):
        env.pop("OMP_NUM_THREADS", None)


def _threads(count: int, env: MutableMapping[str, str]) -> dict[str, str]:
    """As many as a worker has cores: more would fight for them, unless the user wants them."""
    return {name: str(count) for name in THREADS if name not in env}


def execute(command: Command, env: MutableMapping[str, str], who: str | None) -> NoReturn:
    """Become the launcher; notes go to stderr first, after the name of who says them, if any."""
    _prepare(command, env, who)
    os.execve(command.argv[0], command.argv, dict(env))


def _prepare(command: Command, env: MutableMapping[str, str], who: str | None) -> None:
    for note in command.notes if who else ():
        print(f"{who}: {note}", file=sys.stderr)
    env.update(command.env)
    for name in command.unset:
        env.pop(name, None)
    sys.stdout.flush()
    sys.stderr.flush()


def start_scoop(options: Options) -> NoReturn:
    """What `python -m scoop` does without mpirun: start itself under one."""
    env = os.environ
    try:
        hosts = allocation_for(options, env)
        start = with_scoop_options(options)
        if not start.words and not _terminal():
            start = replace(start, words=("-",))  # only here: behind mpirun it is a pipe always
        command = command_for(start, hosts, env)
    except PROBLEMS as problem:
        print(f"scoopmpi: {problem}", file=sys.stderr)
        sys.exit(2)
    who = None if options.quiet else "scoopmpi"
    if options.words and options.words[0] != "-":
        execute(command, env, who)
    _prepare(command, env, who)
    sys.exit(relay.run(command.argv, env))


def _terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def start_rank(options: Options) -> NoReturn:
    """A rank of the user's own mpirun: itself again, by the interpreter and after the prolog."""
    try:
        words = rank_words(with_scoop_options(options))
    except PROBLEMS as problem:
        print(f"scoopmpi: {problem}", file=sys.stderr)
        sys.exit(2)
    os.execv(words[0], words)
