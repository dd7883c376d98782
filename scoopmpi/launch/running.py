"""From the launcher's command line to the end of the job: become the launcher, or stay beside it.

All three commands end here. What the command line is has been decided in `commandline`; what
passes between the user and rank 0 meanwhile is in `beside`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NoReturn

from ..concurrency.periods import KERNEL_LOST_SECONDS
from ..process import rank_settings, streams
from .beside import child, feeding, lifeline, session
from .beside.watch import Silence, Watch
from .commandline.launch import Launch
from .flavours.command_line import CommandLine
from .flavours.ranks import LaunchError
from .hosts import thishost


def run(
    launch: Launch,
    composed: CommandLine,
    tell: Callable[[str], None],
    silence: Silence | None = None,
    output: int | None = None,
) -> int:
    """Run the launcher to its end and return the exit status of the job.

    tell: hears what the user has to know. silence: how long nothing may be printed.
    output: a file descriptor in the place of stdout and stderr.
    Raises LaunchError where the system does not let us.
    """
    streams.flush()
    here = lifeline.OFFERED and composed.environs and thishost.is_this(composed.first)
    watch = Watch(
        tell, silence, output, here=launch.has_farm and here, marked=launch.has_farm,
        apart=launch.has_farm and here and not composed.alone,
        draws=launch.terminal and output is None, front_end=launch.front_end,
        patience=KERNEL_LOST_SECONDS if launch.kernel else None, cells=launch.kernel and here,
    )  # fmt: skip
    env, argv = composed.environment(os.environ), composed.argv
    if here and not launch.has_farm and not composed.ends_stdin:
        env[feeding.PATH] = feeding.by_path()
        argv, watch = feeding.opening(argv, composed.program), replace(watch, opened=True)

    # Counted from here, and by all starts alike.
    timed = launch.farm is not None and launch.farm.walltime is not None
    again = {rank_settings.BEGAN: f"{time.time():.3f}"} if timed else {}

    def once(signalled: Callable[[], None] | None) -> int:
        with session.directory(composed.session, env) as own:
            told = {**env, **again, **own}
            again[rank_settings.AGAIN] = "1"
            return child.run(argv, told, replace(watch, signalled=signalled))

    try:
        return _restarted(launch, once, tell)
    except (OSError, ValueError) as problem:
        raise LaunchError(f"{composed.argv[0]} cannot be started: {problem}") from None


def execute(
    composed: CommandLine, env: Mapping[str, str], output: int | None = None
) -> NoReturn:  # fmt: skip
    """Become the launcher.

    env: the environment of the caller. output: a file descriptor in the place of stdout and
    stderr. Raises LaunchError where the system does not let us.
    """
    streams.flush()
    kept = [(number, os.dup(number)) for number in (1, 2)] if output is not None else []
    try:
        for number, _ in kept:
            os.dup2(output, number)  # type: ignore[arg-type] # kept is empty without one
        os.execve(composed.argv[0], composed.argv, composed.environment(env))
    except (OSError, ValueError) as problem:
        for number, copy in kept:
            os.dup2(copy, number)
        raise LaunchError(f"{composed.argv[0]} cannot be started: {problem}") from None


def _restarted(
    launch: Launch, once: Callable[[Callable[[], None] | None], int], tell: Callable[[str], None]
) -> int:
    """Run the launcher by `once`; where it crashes, as often as asked, from its checkpoint."""
    path = launch.checkpoint
    if path is None:
        return once(None)
    from ..checkpoint.file import ended  # late: few jobs have one
    from . import restart

    return restart.run(once, lambda: ended(path), launch.restarts, tell)
