"""`myscoop PROGRAM ARGUMENTS…`: the wrapper's command line.

Asks `launch` for hosts and launcher, shows or execs the command. No decisions of its own.
"""

from __future__ import annotations

import os
import re
import shlex

import click

from . import starting
from .launch import managers, placement
from .launch.asking import asking

_RANGE = re.compile(r"\d*(:-?\d*){1,2}|\d+", re.ASCII)
"""A counter as `simple_shell` takes it, which no program can be called."""


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
@click.option("--scoop-profile", is_flag=True, help="Profile all ranks, in the directory profile.")
@click.option(
    "--scoop-load-modules", "modules", metavar="A,B", help="Environment modules for each rank."
)
@click.option("--scoop-freeorigin", is_flag=True, help="Accepted: rank 0 never takes a slot.")
@click.option("--scoop-broker", "broker", metavar="HOST", help="Accepted: MPI has no broker.")
@click.option("--scoop-tunnel", "tunnel", is_flag=True, help="Accepted: MPI has no tunnel.")
@click.option("-D", "--dry-run", is_flag=True, help="Print the command and nothing else.")
@click.option("-v", "--verbose", is_flag=True, help="Say what the farm does, on stderr.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="PROGRAM [ARGUMENTS]...")
@click.version_option(package_name="scoopmpi")
def main(
    scoop_module: str | None,
    sched: str | None,
    workers: int | None,
    scoop_profile: bool,
    modules: str | None,
    scoop_freeorigin: bool,
    broker: str | None,
    tunnel: bool,
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
    myscoop 100:200 echo '$SCOOP_COUNTER'
    """
    ignored = [name for name, given in (("broker", broker), ("tunnel", tunnel)) if given]
    if ignored:
        names = " and ".join(f"--scoop-{name}" for name in ignored)
        click.echo(f"myscoop: {names}: nothing to do, MPI has no broker", err=True)
    flags = [flag for flag, given in (("-v", verbose), ("--profile", scoop_profile)) if given]
    start = starting.Start(
        words=_program(scoop_module, words),
        options=flags,
        setup=[starting.loading(modules)] if modules else [],
    )
    try:
        allocation = managers.detect(os.environ, sched, asking(os.environ))
        if workers is not None:
            allocation = placement.exactly(allocation, workers)
        command = starting.command_for(start, allocation, os.environ)
    except starting.PROBLEMS as problem:
        raise click.ClickException(str(problem)) from None
    if dry_run:
        click.echo(shlex.join(command.argv))
        return
    starting.execute(command, os.environ, "myscoop")


def _program(module: str | None, words: tuple[str, ...]) -> tuple[str, ...]:
    """The program and its arguments; a counter in front means the program `simple_shell`."""
    if module is None and words and _RANGE.fullmatch(words[0]):
        module = "simple_shell"
    if module is not None and not (words and words[0].endswith(".py")):
        words = (module, *words)
    if not words:
        raise click.UsageError("which program? For example: myscoop squares 10000")
    return words


if __name__ == "__main__":
    main()
