"""What `myscoop` and `mympirun` do alike: from what was asked for to the launcher, or to a text.

Joins detection, placement and start; shows the command (`--dry-run`) or why it is so (`--explain`),
or becomes the launcher. Who says what, and where: remarks go to stderr or to `--logtofile`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import IO, Any, NoReturn

import click

from ..program.scoop_options import UNABLE
from . import explanation, flavours, managers, running
from .beside import watching
from .cli import options
from .cli.options import Request
from .commandline import composing
from .commandline.composing import Launch
from .commandline.launcher import LaunchError
from .explanation import Findings
from .flavours.ranks import CommandLine
from .hosts.allocation import LOCAL, Allocation, AllocationError
from .hosts.asking import asking
from .managers.local import HYPERTHREADS

_NOT_A_TERMINAL = 100
"""The width of an explanation in a job's log."""


class Unable(click.ClickException):
    """Nothing could be started; says who says so, in the log too."""

    exit_code = UNABLE

    def __init__(self, message: str, voice: Voice) -> None:
        super().__init__(message)
        self._voice = voice

    def show(self, file: IO[Any] | None = None) -> None:
        """Where click wants it, and in the log."""
        click.echo(f"{self._voice.who}: {self.format_message()}", err=True)
        self._voice.log(self.format_message())


class Voice:
    """What the command says itself: on stderr, or in the file of --logtofile."""

    def __init__(self, ctx: click.Context, request: Request) -> None:
        self.who = ctx.command.name or ""
        self._quiet = request.quiet
        self._stderr = sys.stderr
        self._file: IO[str] | None = None
        if request.log is not None:
            self._file = opened(ctx, "log", request.log, "a")

    def remark(self, text: str) -> None:
        """What may be left unsaid."""
        if not self._quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """What has to be said."""
        if self._file is None:
            print(f"{self.who}: {text}", file=self._stderr, flush=True)
        self.log(text)

    def log(self, text: str) -> None:
        """For the file only, where there is one."""
        if self._file is not None:
            print(f"{self.who}: {text}", file=self._file, flush=True)


def opened(ctx: click.Context, name: str, path: str, mode: str) -> IO[str]:
    """A file that an option names, for writing; click.BadParameter where that cannot be."""
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


def as_asked(start: Launch, request: Request) -> Launch:
    """A start with the wishes that both commands know."""
    return replace(
        start,
        agent=request.agent, pin=request.pin, pin_asked=request.pin_asked,
        flavour=request.flavour, temporary=request.temporary,
        prefixes=request.prefixes, modules=request.modules, launcher_words=request.launcher_words,
        branches=request.branches, debug=request.debug_mpi,
    )  # fmt: skip


def surroundings(request: Request) -> dict[str, str]:
    """The environment in which managers look around."""
    env = dict(os.environ)
    env.pop(HYPERTHREADS, None)
    return env | ({HYPERTHREADS: "1"} if request.hyperthreads else {})


def run(start: Launch, request: Request, voice: Voice, ctx: click.Context) -> None:
    """Start it, or print what was asked for instead."""
    env = surroundings(request)
    if request.explain:
        found = findings(start, request, env)
        bold = partial(click.style, bold=True) if _on_terminal() else str
        _print(explanation.text(found, _width(), bold))
        ctx.exit(1 if found.failed else 0)
    try:
        allocation = managers.detect(env, request.manager, asking(env))
        command = composing.command_for(start, options.placed(allocation, request), env)
        if request.dry_run:
            _print([command_line(command)])
            return
        more = allocation.notes if request.verbose else ()
        for note in dict.fromkeys((*command.notes, *more)):
            voice.remark(note)
        if request.verbose or request.debug:
            voice.warn(f"starts {command_line(command)}")
        _execute(command, start, request, voice, ctx)
    except composing.PROBLEMS as problem:
        raise Unable(str(problem), voice) from None


def _execute(
    command: CommandLine, start: Launch, request: Request, voice: Voice, ctx: click.Context
) -> NoReturn:
    file = opened(ctx, "output", request.output, "w") if request.output is not None else None
    output = file.fileno() if file else None
    silence = None
    if request.silence is not None:
        silence = watching.Silence(request.silence, request.silence_ends)
    if not start.farm and command.ends_stdin and silence is None:
        running.execute(command, os.environ, output)
    sys.exit(running.run(start, command, voice.warn, silence, output))


def command_line(command: CommandLine) -> str:
    """The command for a shell, with what only its environment can say in front."""
    words = [word for name in command.unset for word in ("-u", name)]
    words += [f"{name}={value}" for name, value in command.env.items()]
    return shlex.join([*(["env", *words] if words else []), *command.argv])


# What is printed instead.


def findings(start: Launch, request: Request, env: Mapping[str, str]) -> Findings:
    """All that a start consists of; what fails is noted, and the rest goes on without it."""
    failed: dict[str, str] = {}
    found = Findings(env, start.farm, start.pin, start.pin_asked, start.all_gpus, failed=failed)
    given = placed = None
    try:
        given = managers.detect(env, request.manager, asking(env))
        placed = options.placed(given, request)
    except AllocationError as problem:
        failed["hosts" if given is None else "workers"] = str(problem)
    try:
        start = composing.with_program(start)
    except composing.PROBLEMS as problem:
        failed["program"] = str(problem)
    start = start if start.words else replace(start, words=["PROGRAM"])
    found = replace(found, given=given, placed=placed or given)
    try:
        launcher = composing.launcher_for(start, env, given.manager if given else LOCAL)
    except LaunchError as problem:
        failed["library"] = str(problem)
        return found
    found = replace(
        found, library=launcher.library, flavour=launcher.flavour.TITLE, mpirun=launcher.mpirun
    )
    return found if placed is None else _with_command(found, start, placed, launcher, env)


def _with_command(
    found: Findings, start: Launch, placed: Allocation, launcher: Any, env: Mapping[str, str]
) -> Findings:
    ranks = composing.ranks_for(start, placed, launcher.library, env)
    threads = {
        name: ranks.variables.get(name) or f"{env[name]} (yours)" for name in composing.THREADS
    }
    found = replace(found, ranks=ranks, threads=threads)
    try:
        command = composing.command_of(start, launcher, ranks, env)
    except composing.PROBLEMS as problem:
        return replace(found, failed={**found.failed, "command": str(problem)})
    return replace(found, command=command, line=command_line(command))


def shown_list(request: Request, farm: bool = True) -> bool:
    """--showsched and --showmpi: what is known and what is there; whether one was asked for."""
    env = surroundings(request)
    if request.show_managers:
        _print(_managers(env))
    if request.show_flavours:
        _print(_flavours(Launch((), farm=farm, flavour=request.flavour), env))
    return request.show_managers or request.show_flavours


def _managers(env: Mapping[str, str]) -> Iterator[str]:
    here = managers.present(env, asking(env))[0]
    rows = [(name == here, name, _also(name, managers.ALIASES)) for name in managers.NAMES]
    return explanation.known("Batch systems (--sched NAME)", rows, f"* is here: {here}")


def _flavours(start: Launch, env: Mapping[str, str]) -> Iterator[str]:
    here = None
    try:
        found = composing.launcher_for(start, env, managers.present(env, asking(env))[0])
        here, said = found.flavour, f"* is here: {found.library} ({found.mpirun})"
    except LaunchError as problem:
        said = f"none is here: {problem}"
    rows = [
        (module is here, module.NAME, f"{module.TITLE:<20}{_also(module.NAME, flavours.ALIASES)}")
        for module in flavours.FLAVOURS
    ]
    return explanation.known("MPI (--setmpi NAME)", rows, said)


def _also(name: str, others: Mapping[str, str]) -> str:
    meant = ", ".join(other for other in others if others[other] == name)
    return f"also {meant}" if meant else ""


def _print(lines: Iterable[str]) -> None:
    """As bytes: words of the command line may be in no encoding."""
    for line in lines:
        click.echo(os.fsencode(line))


def _width() -> int:
    return shutil.get_terminal_size().columns if _on_terminal() else _NOT_A_TERMINAL


def _on_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()
