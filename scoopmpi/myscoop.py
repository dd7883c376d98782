"""`myscoop PROGRAM ARGUMENTS…`: the wrapper's command line.

Asks `launch` for hosts and launcher, shows or execs the command. No decisions of its own.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import MutableMapping
from typing import NoReturn

import click

from . import program as programs
from .launch import launcher, managers
from .launch.allocation import Allocation, AllocationError
from .launch.flavours.command import Command

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@click.command(
    context_settings={"allow_interspersed_args": False, "help_option_names": ["-U", "--help"]}
)
@click.option(
    "--scoop-module", metavar="MODULE", help="Run this module; all words are its arguments."
)
@click.option(
    "--sched", "--schedtype", "--setsched", "sched", metavar="NAME",
    help="Believe this batch system (slurm, pbs, sge) or none (local).",
)  # fmt: skip
@click.option("-n", "--universe", "workers", type=click.IntRange(min=1), help="Number of workers.")
@click.option("-D", "--dry-run", is_flag=True, help="Print the command and nothing else.")
@click.option("-v", "--verbose", is_flag=True, help="Say what the farm does, on stderr.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="PROGRAM [ARGUMENTS]...")
@click.version_option(package_name="scoopmpi")
def main(
    scoop_module: str | None,
    sched: str | None,
    workers: int | None,
    dry_run: bool,
    verbose: bool,
    words: tuple[str, ...],
) -> None:
    """Run PROGRAM on all cores of this batch job, or of this machine.

    PROGRAM is a Python file, a module in the current directory or on PYTHONPATH, or one of the
    ready programs (picalc). Everything after it belongs to the program.

    \b
    myscoop squares 10000
    myscoop --sched=local picalc 3000 5000
    """
    if scoop_module is not None and not (words and words[0].endswith(".py")):
        words = (scoop_module, *words)
    if not words:
        raise click.UsageError("which program? For example: myscoop squares 10000")
    try:
        command = command_for(list(words), workers, sched, verbose, os.environ)
    except (AllocationError, launcher.LaunchError, programs.ProgramNotFound) as problem:
        raise click.ClickException(str(problem)) from None
    if dry_run:
        click.echo(shlex.join(command.argv))
        return
    execute(command, os.environ)


def command_for(
    words: list[str],
    workers: int | None,
    sched: str | None,
    verbose: bool,
    env: MutableMapping[str, str],
) -> Command:
    """The command line that runs a program's words on the job's hosts.

    Raises AllocationError, LaunchError or ProgramNotFound, whose messages are for the user.
    """
    _make_absolute(env)
    programs.find(words[0])
    allocation: Allocation = managers.detect(env, sched)
    if workers is not None:
        allocation = allocation.resized(workers)
    _limit_threads(env)
    found = launcher.find(env)
    options = ["-v"] if verbose else []
    inner = [sys.executable, "-m", "scoopmpi", *options, *words]
    root = os.geteuid() == 0
    command: Command = found.flavour.command(found.mpirun, allocation, inner, env, root)
    return command


def _limit_threads(env: MutableMapping[str, str]) -> None:
    """One worker a core: more threads would fight for it, unless the user wants them."""
    if "PBS_JOBID" in env and env.get("OMP_NUM_THREADS") == env.get("NCPUS"):
        env.pop("OMP_NUM_THREADS", None)  # OpenPBS sets it in every job, over what the user said
    for name in THREADS:
        env.setdefault(name, "1")


def execute(command: Command, env: MutableMapping[str, str]) -> NoReturn:
    """Become the launcher."""
    for note in command.notes:
        click.echo(f"myscoop: {note}", err=True)
    env.update(command.env)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command.argv[0], command.argv, dict(env))


def start_locally(words: list[str], workers: int | None, verbose: bool) -> NoReturn:
    """What `python -m scoopmpi` does without mpirun: start itself under one."""
    try:
        command = command_for(words, workers, None, verbose, os.environ)
    except (AllocationError, launcher.LaunchError, programs.ProgramNotFound) as problem:
        print(f"scoopmpi: {problem}", file=sys.stderr)
        sys.exit(2)
    execute(command, os.environ)


def _make_absolute(env: MutableMapping[str, str]) -> None:
    """PYTHONPATH entries like `.` mean this directory, on other hosts too."""
    entries = env.get("PYTHONPATH", "").split(os.pathsep)
    absolute = [os.path.abspath(entry) for entry in entries if entry]
    if absolute:
        env["PYTHONPATH"] = os.pathsep.join(absolute)


if __name__ == "__main__":
    main()
