"""Do what `myscoop` and `mympirun` have in common, from a `Request` to the launcher or to a text.

Joins detection, placement and command line; shows the line (`--dry-run`) or why it is so
(`--explain`), or has it run. Who says what, and where: remarks go to stderr or to `--logtofile`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import IO, Any, NoReturn

import click

from ..program.scoop_options import UNABLE
from ..watching.progress import choice
from . import detection, explanation, findings, job_files, running
from .cli import options, setting
from .cli.request import Request
from .commandline import composing
from .commandline.launch import Launch
from .flavours.command_line import CommandLine
from .hosts import placement, thishost
from .hosts.allocation import Allocation

_NOT_A_TERMINAL = 100
"""The width of an explanation in a job's log."""


class Unable(click.ClickException):
    """Nothing could be started; says who says so, in the log too."""

    exit_code = UNABLE

    def __init__(self, message: str, voice: Voice) -> None:
        super().__init__(message)
        self._voice = voice

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it where click wants it, and in the log."""
        click.echo(f"{self._voice.who}: {self.format_message()}", err=True)
        self._voice.log(self.format_message())


class Voice:
    """Says what the command itself has to say: on stderr, or in the file of --logtofile."""

    def __init__(self, ctx: click.Context, request: Request) -> None:
        self.who = ctx.command.name or ""
        self._quiet = request.output.quiet
        self._stderr = sys.stderr
        self._file: IO[str] | None = None
        if request.output.log is not None:
            self._file = opened(ctx, "log", request.output.log, "a")

    def remark(self, text: str) -> None:
        """Say what may be left unsaid with --quiet."""
        if not self._quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """Say what has to be said."""
        if self._file is None:
            print(f"{self.who}: {text}", file=self._stderr, flush=True)
        self.log(text)

    def log(self, text: str) -> None:
        """Say it in the file only, where there is one."""
        if self._file is not None:
            print(f"{self.who}: {text}", file=self._file, flush=True)


def opened(ctx: click.Context, name: str, path: str, mode: str) -> IO[str]:
    """Open a file for writing that an option names; click.BadParameter where that cannot be.

    name: the option's, as click knows it. mode: as for `open`.
    """
    try:
        return open(path, mode, encoding="utf-8", errors="replace")
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        setting = next(param for param in options.SHARED if param.name == name)
        by_words = ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        hint = setting.hint(given=by_words)
        raise click.BadParameter(
            f"{path!r} cannot be written: {reason}", ctx, param_hint=hint
        ) from None


def run(launch: Launch, request: Request, voice: Voice, ctx: click.Context) -> None:
    """Start it, or print what was asked for instead."""
    env = request.environment(os.environ)
    launch = replace(launch, terminal=_draws(launch, request))
    for text in setting.unknown_variables(ctx, os.environ):
        voice.remark(text)
    if request.instead.explain:
        _explain(launch, request, ctx)
    try:
        allocation = detection.allocation(request, env)
        placed = detection.placed(allocation, request, launch.has_farm)
        if launch.kernel:
            placed = placement.beginning(placed, thishost.is_this)
            voice.remark(_kernels_hosts(placed))
        composed = composing.command_line(launch, placed, env)
        if request.instead.dry_run:
            _print([composed.for_shell()])
            return
        more = allocation.notes if request.output.verbose else ()
        for note in dict.fromkeys((*composed.notes, *more)):
            voice.remark(note)
        if request.output.verbose or request.output.debug:
            voice.warn(f"starts {composed.for_shell()}")
        _execute(composed, launch, request, voice, ctx)
    except composing.PROBLEMS as problem:
        raise Unable(str(problem), voice) from None


def _draws(launch: Launch, request: Request) -> bool:
    """True where we can draw a bar on stderr, wherever rank 0 is."""
    farm, alone = launch.farm, request.output.output is None
    if farm is None or not alone or launch.asked.mpirun_options:  # these may alter each line
        return False
    return choice.draws(farm.progress, farm.quiet, os.environ)


def _kernels_hosts(placed: Allocation) -> str:
    """Return what the log of a front end says of a kernel: outside of a batch job it is small."""
    workers = f"{placed.slots} worker{'' if placed.slots == 1 else 's'}"
    if placed.local:
        return f"this is no batch job: the kernel has {workers} on this machine"
    hosts = f"{len(placed.hosts)} host{'' if len(placed.hosts) == 1 else 's'}"
    return f"the kernel has {workers} on {hosts} of this {placed.manager} job"


def _execute(
    composed: CommandLine, launch: Launch, request: Request, voice: Voice, ctx: click.Context
) -> NoReturn:
    path, silence = request.output.output, request.output.silence
    job_files.check(launch.farm, {"--output": path, "--logtofile": request.output.log})
    if path is not None and (path := job_files.output(path, voice.warn)) is None and silence:
        voice.warn("--output-check-timeout: nothing is watched, each rank writes its own file")
        silence = None
    file = opened(ctx, "output", path, "w") if path is not None else None
    output = file.fileno() if file else None
    if not launch.has_farm and composed.ends_stdin and silence is None:
        running.execute(composed, os.environ, output)
    sys.exit(running.run(launch, composed, voice.warn, silence, output))


# What is printed instead.


def _explain(launch: Launch, request: Request, ctx: click.Context) -> NoReturn:
    found = findings.of(launch, request, request.environment(os.environ))
    bold = partial(click.style, bold=True) if _on_terminal() else str
    _print(explanation.text(found, _width(), bold))
    ctx.exit(1 if found.failed else 0)


def shown_list(request: Request, farm: bool = True) -> bool:
    """Print what --showsched and --showmpi ask for; True where one of them was given.

    farm: the command is for programs with a farm.
    """
    env, instead = request.environment(os.environ), request.instead
    if instead.show_managers:
        _print(findings.known_managers(env))
    if instead.show_flavours:
        _print(findings.known_flavours(request.launcher, env, farm))
    return instead.show_managers or instead.show_flavours


def _print(lines: Iterable[str]) -> None:
    """Print as bytes: words of the command line may be in no encoding."""
    for line in lines:
        click.echo(os.fsencode(line))


def _width() -> int:
    return shutil.get_terminal_size().columns if _on_terminal() else _NOT_A_TERMINAL


def _on_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()
