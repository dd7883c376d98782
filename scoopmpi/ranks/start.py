"""From a process that a launcher has started to a rank: its share of the host, MPI, the program.

Then rank 0 leads (`rank0`) and all others follow (`worker_rank`). What a process is before it is
a rank is decided in `__main__`. Each module more is a file that every rank opens.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

from ..concurrency.periods import REFUSAL_SECONDS
from ..process import (
    identity,
    launcher_variables,
    lifeline,
    malloc,
    rank_settings,
    streams,
    supervisor,
)
from ..process.signals import leave_to_rank_0
from ..program import finding, setup
from ..program.scoop_options import UNABLE, Options, UsageError

Tell = Callable[[str], None]
_MPI4PY = {"MPI4PY_RC_INITIALIZE": "0", "MPI4PY_RC_FINALIZE": "1", "MPI4PY_CHECK_MPIEXEC": "0"}
"""Settings while it starts: not at once, and without its own warning of a strange mpirun."""


def start(rank: int | None, options: Options, with_line: bool) -> NoReturn:
    """Become a rank of the job, play its part, and exit with the program's status.

    rank: as the launcher's variables say it; None where only MPI knows it.
    with_line: True for a rank 0 that has its streams from the command.
    """
    if rank is not None:
        supervisor.end_with_launcher(rank)
    asked = rank_settings.take(os.environ, tell=not rank)
    if rank == 0 and not with_line and asked.ranks is not None:
        from ..process import stdin

        stdin.let_end()
    setup.be_nice(options.nice, tell=not rank)
    tell = supervisor.under_supervisor(rank) if rank else None
    if rank:
        for name in rank_settings.FOR_RANK_0:
            os.environ.pop(name, None)
        streams.no_stdin()
        rank_settings.fulfil(rank, asked)  # in the child: the supervisor needs no core of its own
        malloc.keep_freed()
    sys.exit(lifeline.command.ends_with(_play(options, tell, asked.ranks)))


def _play(options: Options, tell: Tell | None, asked: int | None) -> int:
    """Meet the others, find the program, and do this rank's part of it; rank 0's exit status.

    tell: tells the supervisor what runs. asked: the number of ranks that were asked for.
    """
    _start_mpi(tell, asked)
    if identity.this.rank > 0:
        leave_to_rank_0()  # at once: others may work already when a batch system ends the job
    try:
        if options.output is not None:
            options = _own_output(options, options.output)
        program, arguments = finding.find_or_shell(options.words)
    except (finding.ProgramNotFound, UsageError) as problem:
        if identity.this.rank == 0:
            print(f"scoopmpi: {problem}", file=sys.stderr)
        return UNABLE
    identity.this.starts(options.task_timeout, options.debug)
    ended = _profile(options)
    if identity.this.rank > 0:
        try:
            from .worker_rank import follow

            follow(program, arguments, options, tell or (lambda name: None), ended)
        except BaseException:  # a broken installation, say: MPI's own end would wait for the others
            traceback.print_exc(file=sys.__stderr__)
            os._exit(1)
    from ..program import foreign_pools, scoop_guard
    from .rank0 import lead

    scoop_guard.look_out()
    if identity.this.size > 1:
        foreign_pools.look_out()
    return lead(program, arguments, options, ended)


def _own_output(options: Options, name: str) -> Options:
    """Have this rank's stdout and stderr be a file; return the options without it if it cannot.

    Raises UsageError where no file can have the name.
    """
    from ..process import named_files  # late: each module is a file that every rank opens

    here = {"rank": identity.this.rank, "host": socket.gethostname()}
    try:
        streams.into_file(named_files.named("--output", name, here))
    except named_files.NameProblem as problem:
        raise UsageError(str(problem)) from None
    except OSError as problem:
        print(f"scoopmpi: --output {name}: {problem}", file=sys.stderr, flush=True)
        return options._replace(output=None)
    return options


def _profile(options: Options) -> Callable[[], None]:
    """Begin this rank's profile, where one is asked for; return what writes it at the end."""
    if not options.profile:
        return lambda: None
    from ..program import profiling

    return profiling.begin(identity.this.rank, identity.this.size)


def _start_mpi(tell: Tell | None, asked: int | None) -> None:
    """Let MPI say who is who; the end, with an explanation, where ranks cannot see each other.

    In two steps: a library that is not its mpirun's may kill this process when it starts.
    """
    from ..wire.transport import mpi

    ours = {name: text for name, text in _MPI4PY.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        MPI = mpi()
        library = MPI.Get_library_version()
        _check_before_mpi(library, tell)
        if not MPI.Is_initialized():
            MPI.Init_thread(MPI.THREAD_SERIALIZED)
    finally:
        for name in ours:
            del os.environ[name]
    identity.this.met(MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size)
    _check_in_mpi(library, tell, asked)


def _check_before_mpi(library: str, tell: Tell | None) -> None:
    if "Open MPI" in library:  # which starts under any launcher
        return
    from ..process import launcher_mismatch

    if problem := launcher_mismatch.before_mpi(os.environ, library):
        _refuse(problem, tell)


def _check_in_mpi(library: str, tell: Tell | None, asked: int | None) -> None:
    size = identity.this.size
    if launcher_variables.size_of(os.environ) == size and asked in (None, size):
        return
    from ..process import launcher_mismatch

    if problem := launcher_mismatch.in_mpi(os.environ, library, size, asked):
        _refuse(problem, tell)


def _refuse(problem: str, tell: Tell | None) -> NoReturn:
    """End this rank, and so the job; one of them says why, or all where the launcher lets them."""
    if tell is not None:
        tell(supervisor.TOLD)
    if identity.this.rank > 0:
        sys.exit(1)  # rank 0 can be seen, and says it
    if tell is not None:
        time.sleep(REFUSAL_SECONDS)
    print(problem, file=sys.stderr, flush=True)
    if identity.this.size == 1 and launcher_variables.by_hydra(os.environ):
        os.kill(os.getpid(), signal.SIGKILL)  # a bad exit status is not enough for Hydra
    sys.exit(1)
