"""From the launcher's command to the end of the job: becomes the launcher, or stays beside it.

All commands end here: `myscoop`, `mympirun` and `python -m scoopmpi`. What the command is has been
decided in `starting`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NoReturn

from ..process import streams
from ..program.scoop_options import UNABLE, Options
from .beside import feeding, lifeline, watching
from .commandline import launcher
from .commandline.composing import (
    PROBLEMS,
    Launch,
    allocation_for,
    command_for,
    environment,
    rank_words,
    with_scoop_options,
)
from .flavours.ranks import CommandLine
from .hosts import thishost


def run(
    start: Launch,
    command: CommandLine,
    tell: Callable[[str], None],
    silence: watching.Silence | None = None,
    output: int | None = None,
) -> int:
    """Run the launcher to its end; the exit status of the job.

    output: a file descriptor in the place of stdout and stderr. tell: what the user has to know.
    Raises LaunchError where the system does not let us.
    """
    streams.flush()
    here = lifeline.OFFERED and command.environs and thishost.is_this(command.first)
    watch = watching.Watch(
        tell, silence, output, here=start.farm and here, marked=start.farm,
        apart=start.farm and here and not command.alone,
    )  # fmt: skip
    env, argv = environment(command, os.environ), command.argv
    if here and not start.farm and not command.ends_stdin:
        env[feeding.PATH] = feeding.by_path()
        argv, watch = feeding.opening(argv, command.program), replace(watch, opened=True)

    def once(signalled: Callable[[], None] | None) -> int:
        return watching.run(argv, env, replace(watch, signalled=signalled))

    try:
        return again(start, once, tell)
    except (OSError, ValueError) as problem:
        raise launcher.LaunchError(f"{command.argv[0]} cannot be started: {problem}") from None


def execute(command: CommandLine, env: Mapping[str, str], output: int | None = None) -> NoReturn:
    """Become the launcher; `output` takes the place of stdout and stderr.

    Raises LaunchError where the system does not let us.
    """
    streams.flush()
    kept = [(number, os.dup(number)) for number in (1, 2)] if output is not None else []
    try:
        for number, _ in kept:
            os.dup2(output, number)  # type: ignore[arg-type] # kept is empty without one
        os.execve(command.argv[0], command.argv, environment(command, env))
    except (OSError, ValueError) as problem:
        for number, copy in kept:
            os.dup2(copy, number)
        raise launcher.LaunchError(f"{command.argv[0]} cannot be started: {problem}") from None


def start_scoop(options: Options) -> NoReturn:
    """What `python -m scoop` does without mpirun: start itself under one."""
    env = os.environ
    try:
        hosts = allocation_for(options, env)
        start = with_scoop_options(options)
        if not start.words and not _terminal():
            start = replace(start, words=("-",))  # only here: behind mpirun it is a pipe always
        command = command_for(start, hosts, env)
        for note in () if options.quiet else command.notes:
            _tell(note)
        sys.exit(run(start, command, _tell))
    except PROBLEMS as problem:
        _tell(str(problem))
        sys.exit(UNABLE)


def again(
    start: Launch, once: Callable[[Callable[[], None] | None], int], tell: Callable[[str], None]
) -> int:
    """Run the launcher by `once`; where it crashes, as often as asked, from its checkpoint."""
    if start.checkpoint is None:
        return once(None)
    from ..checkpoint.file import ended  # late: few jobs have one
    from . import restart

    path = start.checkpoint
    return restart.run(once, lambda: ended(path), start.restarts, tell)


def _tell(text: str) -> None:
    print(f"scoopmpi: {text}", file=sys.stderr, flush=True)


def _terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def start_rank(options: Options) -> NoReturn:
    """A rank of the user's own mpirun: itself again, by the interpreter and after the prolog."""
    try:
        words = rank_words(with_scoop_options(options))
    except PROBLEMS as problem:
        _tell(str(problem))
        sys.exit(UNABLE)
    os.execv(words[0], words)
