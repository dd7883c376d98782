"""Rank 0: the user's program with a farm behind it, from its first line to the end of its Python.

Here the parts of rank 0 are joined. How a process becomes a rank is in `start`, what workers do in
`worker_rank`, how all leave in `leaving`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ..concurrency.signal_scopes import scopes
from ..executors.farm_executor import FarmExecutor
from ..farm import host_watch
from ..farm.farm import Farm
from ..farm.host_watch import HostWatch
from ..output import console
from ..process import identity, lifeline
from ..process.launcher_variables import survivable
from ..process.named_files import NameProblem
from ..process.status import status_of, wait_for_threads
from ..process.stopping import Stopping
from ..program import running
from ..program.finding import Program
from ..program.scoop_options import UNABLE, Options
from ..tasks import current_executor, pedigree
from ..tasks.program_end import to_its_end
from ..wire import payload
from ..wire.transport import MPITransport
from . import leaving
from .last_resort import LastResort
from .readers import Readers
from .unread_words import UnreadWords

if TYPE_CHECKING:
    from ..farm.stop_before import Stopped
    from .before_end import BeforeEnd


def lead(
    program: Program,
    arguments: list[str],
    options: Options,
    ended: Callable[[], None],
) -> int:
    """Run the program on rank 0 and return its exit status; what comes after is for `leaving`.

    program, arguments: what to run. options: ours, with the checkpoint and so on.
    ended: called when the program has.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        sys.breakpointhook = _breakpoint
    transport = _met() if identity.this.size > 1 else None
    end = leaving.Rank0(transport)
    unread = UnreadWords(arguments, options)
    if options.seed is not None:
        pedigree.program.begin(options.seed, pedigree.OPTION)
    if transport is not None:
        status = _lead(transport, program, arguments, options, unread)
    else:
        status = _alone(program, arguments, options, unread)
    unread.program_ended(status)
    end.program_ended(status)
    ended()
    return status


def _met() -> MPITransport:
    """Return the way to the workers, all of which come for that.

    Where one has died as it started, Open MPI's own end would wait for it for ever.
    """
    try:
        return MPITransport()
    except Exception as problem:
        text = f"scoopmpi: the job ends, as a rank has died before all had met: {problem}"
        print(text, file=sys.__stderr__, flush=True)
        os._exit(1)


def _breakpoint(*args: Any, **kwargs: Any) -> Any:
    from ..tasks.no_terminal import breakpoint_in_program  # late: few programs have one

    return breakpoint_in_program(*args, **kwargs)


def _alone(
    program: Program, arguments: list[str], options: Options, unread: UnreadWords
) -> int:  # fmt: skip
    """Run the program serially: this is the only rank."""
    lifeline.command.ready()
    if options.debug_task is not None:
        from ..executors.debug_task import DebugSerial, DebugTask  # late: few programs have one

        serial = DebugSerial()
        serial.task = DebugTask(options.debug_task)
        current_executor.install(serial)
    if options.checkpoint is not None:
        print("scoopmpi: --checkpoint: nothing is kept, 1 rank has no workers", file=sys.stderr)
    if options.task_log is not None:
        print("scoopmpi: --task-log: nothing is logged, 1 rank has no workers", file=sys.stderr)
    for option in ("status", "trace", "report"):
        if getattr(options, option) is not None:
            text = f"scoopmpi: --{option}: nothing is written, 1 rank has no workers"
            print(text, file=sys.stderr)
    if options.stop_before is not None:
        print(
            "scoopmpi: --stop-before: nothing is held back, 1 rank has no workers", file=sys.stderr
        )
    if options.task_output is not None:
        print("scoopmpi: --task-output: no files are made, 1 rank has no workers", file=sys.stderr)
    run = unread.around(_program(program, arguments, options.interactive))
    return status_of(partial(_to_its_end, run, options))


def _lead(
    transport: MPITransport, program: Program, arguments: list[str], options: Options,
    unread: UnreadWords,
) -> int:  # fmt: skip
    """Run the program with the farm behind it. unread: looks at its words."""
    from ..checkpoint.file_checks import CheckpointError  # late: few programs have one

    retries = 2 if options.retries is None else options.retries
    readers = Readers(options, unread.reader)
    ending = _before_end(options, readers)
    last_resort = LastResort(transport, options).start if survivable(os.environ) else None
    farm = Farm(
        transport, retries=retries, readers=readers.all, last_resort=last_resort,
        stop_before=None if ending is None else ending.asked,
    )  # fmt: skip
    watch = host_watch.over(farm, transport, os.environ)
    try:
        readers.check()
        if ending is not None:
            ending.check()
        checkpoint = _checkpoint(options, farm)
        if checkpoint is not None:
            pedigree.program.keep_in(checkpoint)
    except (CheckpointError, NameProblem) as problem:
        print(f"scoopmpi: {problem}", file=sys.stderr, flush=True)
        farm.close(UNABLE)
        return UNABLE
    stopping = Stopping(farm.interrupt)
    if ending is not None:
        ending.end_by(stopping)
    lifeline.command.ready()
    console.install(farm.reconfigured)
    payload.names_on_workers(lambda: farm.members.names)
    show = partial(_show_some, farm, readers)
    executor = _executor(farm, checkpoint, options.debug_task, show)
    executor.job_end = lambda: readers.job_end
    executor.progress = readers.progress
    current_executor.install(executor)
    status, pid = 1, os.getpid()
    try:
        run = unread.around(_program(program, arguments, options.interactive))
        show = partial(_last_words, farm, readers)
        status = status_of(partial(_to_its_end, run, options, show))
    finally:
        if os.getpid() != pid:
            os._exit(status)  # a child that the program has forked: the farm is its parent's
        tells = not executor.tells_what_is_left
        with scopes.deaf():  # no signal is to tear the end of a program apart
            status = _close(farm, stopping, watch, status, checkpoint, options.checkpoint, tells)
    return status


def _close(
    farm: Farm, stopping: Stopping, watch: HostWatch, status: int, checkpoint: Any,
    path: str | None, tells: bool,
) -> int:  # fmt: skip
    """End the farm of a program that has ended, and return the exit status of all.

    status: the program's. path: of the checkpoint. tells: whether to tell what is left.
    """
    stopping.over()
    current_executor.install(None)
    stopped = None if farm.holding_back is None else farm.holding_back.stopped
    if checkpoint is not None:  # first, as the end of the ranks may take its time
        checkpoint.close(ended=farm.error is None and not (stopping.asked or stopped))
    if stopping.asked and watch.launcher_died():
        status = 1  # a crash, and nobody's wish
    if stopped:
        from . import before_end  # late: few programs ask for it

        status = before_end.status(stopped, status)
        farm.fail(SystemExit(status))  # to whoever still waits; what is left is told below
    if tells:
        _tell_of_stop(stopped, stopping, status, path)
    farm.close(status, hurry=status > 128)
    return status


def _last_words(farm: Farm, readers: Readers) -> None:
    """Have what tasks have printed, and how far jobs have come, stand before a traceback."""
    farm.show_arrived()
    readers.progress.end()


def _show_some(farm: Farm, readers: Readers) -> None:
    """Have shown how far maps are whose program asks for it, unless all are shown already."""
    for reader in readers.progress.readers_for_some():
        farm.observe(reader)


def _executor(
    farm: Farm, checkpoint: Any, debugged: str | None, show: Callable[[], None]
) -> FarmExecutor:
    """Return what runs tasks. debugged: the task that is debugged here, if one is."""
    if debugged is None:
        return FarmExecutor(farm, checkpoint, show)
    from ..executors.debug_task import DebugFarm, DebugTask  # late: few programs have one

    executor = DebugFarm(farm, checkpoint)
    executor.task = DebugTask(debugged)
    return executor


def _before_end(options: Options, readers: Readers) -> BeforeEnd | None:
    """Return what ends the program before its batch job, None where nobody asks for it."""
    if options.stop_before is None:
        return None
    from .before_end import BeforeEnd  # late: few programs ask for it

    return BeforeEnd(options.stop_before, options.walltime, readers.job_end)


def _tell_of_stop(
    stopped: Stopped | None, stopping: Stopping, status: int, checkpoint: str | None
) -> None:
    kept = None
    if checkpoint is not None and (stopping.asked or stopped):
        from ..checkpoint.file import kept as counted

        kept = counted(checkpoint)
    text = stopping.said(status, checkpoint, kept)
    if text is None and stopped:
        from . import before_end

        text = before_end.said(stopped, checkpoint, kept)
    if text:
        with suppress(OSError, ValueError):  # the terminal was closed: the farm is to end still
            print(f"scoopmpi: {text}", file=sys.stderr, flush=True)


def _checkpoint(options: Options, farm: Farm) -> Any:
    if options.checkpoint is None:
        return None
    from ..checkpoint.record import opened  # late: few programs have one

    program, kept = " ".join(options.words), farm.outcomes_kept
    return opened(options.checkpoint, farm.sharing, program, options.keep_failures, kept)


def _program(program: Program, arguments: list[str], interactive: bool) -> Callable[[], None]:
    """Return what runs the program. interactive: and then a prompt."""
    run = partial(running.run, program, arguments)
    if not interactive:
        return run
    from ..program import prompt  # late: few programs have one

    return partial(prompt.after, run)


def _to_its_end(
    run: Callable[[], None], options: Options, show: Callable[[], None] | None = None
) -> None:
    """Run the program; what it has left to the farm runs before it counts as ended.

    show: has what tasks have printed stand before the program's traceback.
    """
    pid = os.getpid()
    try:
        current = current_executor.current
        to_its_end(run, current, wait_for_threads, wait=not options.no_finish)
    finally:
        identity.this.program_ended()
        if show is not None and os.getpid() == pid:
            show()
