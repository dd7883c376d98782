"""`python -m scoopmpi PROGRAM ARGUMENTS…`: what each rank does.

Rank 0 runs the program with a farm behind it, the others work for it. Without mpirun it starts
itself again under one, on all local cores. Here the parts are joined; none of them is made here.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

from .process import identity, lifeline, stdin, streams, supervisor, words
from .program import rank_settings, scoop_options, setup

_profile: Any = None
"""The running profile of this rank, with `--profile`."""
_MPI4PY = {"MPI4PY_RC_INITIALIZE": "0", "MPI4PY_RC_FINALIZE": "1", "MPI4PY_CHECK_MPIEXEC": "0"}
"""Settings while it starts: not at once, and without its own warning of a strange mpirun."""
_PATIENCE = 1.0
"""Seconds within which a launcher ends the job after rank 0 has said why: the others keep still."""


def main() -> NoReturn:
    """Play this process's part and exit with the program's status."""
    streams.hold_closed()
    rank = supervisor.rank_of(os.environ)
    has_line = lifeline.take(os.environ, rank)
    options = _options(rank)
    setup.log_to_stderr(options)
    if rank is None and not _launched():
        from .launch.launching import start_scoop

        start_scoop(options)
    if options.prolog is not None or options.python is not None:
        from .launch.launching import start_rank

        start_rank(options)
    if rank is not None:
        supervisor.end_with_launcher(rank)
    asked = rank_settings.take(os.environ, tell=not rank)
    if rank == 0 and not has_line and asked.ranks is not None:
        stdin.let_end()
    setup.be_nice(options.nice, tell=not rank)
    label = supervisor.under_supervisor(rank) if rank else None
    if rank:
        streams.no_stdin()
        rank_settings.fulfil(rank, asked)  # in the child: the supervisor needs no core of its own
    sys.exit(lifeline.ends_with(_play(options, label, asked.ranks)))


def _options(rank: int | None) -> scoop_options.Options:
    """Our own options, in effect as far as they concern this process."""
    tell = not rank
    try:
        options = scoop_options.parse(words.taken(os.environ) or sys.argv[1:])
        if options.help:
            print(scoop_options.USAGE, end="")
            sys.exit(0)
        if tell and not options.quiet:
            for note in scoop_options.notes(options, launched=rank is not None):
                print(f"scoopmpi: {note}", file=sys.stderr)
        return setup.enter(options)
    except scoop_options.UsageError as problem:
        if tell:
            print(f"scoopmpi: {problem} (see python -m scoopmpi --help)", file=sys.stderr)
        sys.exit(2)


def _launched() -> bool:
    """Whether a launcher without rank variables of its own started this (MPI tells later)."""
    return any(
        name.startswith(("PALS_", "ALPS_APP", "PMI_FD", "MPIRUN_RANK")) for name in os.environ
    )


def _play(options: scoop_options.Options, label: Any, asked: int | None) -> int:
    from .program import program as programs
    from .wire.transport import MPITransport

    _start_mpi(label, asked)
    try:
        program, arguments = programs.find_or_shell(options.words)
    except programs.ProgramNotFound as problem:
        if identity.rank == 0:
            print(f"scoopmpi: {problem}", file=sys.stderr)
        return scoop_options.UNABLE
    identity.started = True
    identity.task_timeout = options.task_timeout
    if options.profile:
        _begin_profile()
    if identity.rank > 0:
        try:
            _follow(MPITransport(), program, arguments, label)
        except BaseException:  # a broken installation, say: MPI's own end would wait for the others
            traceback.print_exc(file=sys.__stderr__)
            os._exit(1)
    from .program.scoop_guard import look_out

    look_out()
    from .ranks.rank0 import lead

    return lead(program, arguments, options, _end_profile)


def _begin_profile() -> None:
    global _profile
    from .program.profiling import RankProfile

    try:
        _profile = RankProfile(identity.rank, Path("profile").absolute())
    except OSError as problem:
        print(f"scoopmpi: no profile of rank {identity.rank}: {problem}", file=sys.stderr)


def _end_profile() -> None:
    """Write this rank's profile, where there is one and it has not been written; then the table."""
    if _profile is None:
        return
    try:
        if _profile.write() and identity.rank == 0:
            print(_profile.summary(identity.size), file=sys.stderr)
    except OSError as problem:
        print(f"scoopmpi: no profile of rank {identity.rank}: {problem}", file=sys.__stderr__)


def _start_mpi(label: Any, asked: int | None) -> None:
    """Let MPI say who is who; the end, with an explanation, where ranks cannot see each other.

    In two steps: a library that is not its mpirun's may kill this process when it starts.
    """
    from .process import launcher_mismatch
    from .wire.transport import mpi

    ours = {name: text for name, text in _MPI4PY.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        MPI = mpi()
        library = MPI.Get_library_version()
        if problem := launcher_mismatch.before_mpi(os.environ, library):
            _refuse(problem, label)
        if not MPI.Is_initialized():
            MPI.Init_thread(MPI.THREAD_SERIALIZED)
    finally:
        for name in ours:
            del os.environ[name]
    identity.rank, identity.size = MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size
    if problem := launcher_mismatch.in_mpi(os.environ, library, identity.size, asked):
        _refuse(problem, label)


def _refuse(problem: str, label: Any) -> NoReturn:
    """End this rank, and so the job; one of them says why, or all where the launcher lets them."""
    if label is not None:
        label(supervisor.TOLD)
    if identity.rank > 0:
        sys.exit(1)  # rank 0 can be seen, and says it
    if label is not None:
        time.sleep(_PATIENCE)
    print(problem, file=sys.stderr, flush=True)
    if identity.size == 1 and "MPI_LOCALNRANKS" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)  # a bad exit status is not enough for Hydra
    sys.exit(1)


def _follow(transport: Any, program: Any, arguments: list[str], label: Any) -> NoReturn:
    """A worker: the program's functions, and batches until the end."""
    from .output.worker_output import Output
    from .process.signals import STOPPING, leave_to_rank_0
    from .program import program as programs
    from .ranks import leaving
    from .tasks import current_executor
    from .wire.transport import threads_allowed
    from .worker.worker import Worker

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # rank 0 decides what Ctrl-C means
    leave_to_rank_0(STOPPING[1:])  # and what a batch system means by others; a Hydra passes on all
    progress_threads = threads_allowed()
    label = label or (lambda name: None)
    label(supervisor.STARTED)
    worker = Worker(
        transport, (lambda: _leave_task(worker, transport)) if progress_threads else None, label
    )
    errors, output = sys.stderr, Output(worker.printed, worker.place)
    worker.print_to(output)
    output.install()
    current_executor.install(worker.nested)
    identity.importing = True
    try:
        output.keep()
        module = programs.load(program, arguments)
    except BaseException as error:
        printed = output.kept(failed=True)  # says why, where no traceback does
        said = printed if isinstance(error, SystemExit) else b""
        worker.refuse(programs.import_failure(error), said)
    else:
        worker.join(programs.defined_names(module), output.kept(failed=False))
    finally:
        identity.importing = False
    try:
        worker.serve()
    except BaseException:  # a fault of ours: better the end of the job than a rank that is missing
        traceback.print_exc(file=errors)
        os._exit(1)
    _end_profile()
    output.all_ended()
    worker.farewell()
    leaving.end(transport, worker.lock)


def _leave_task(worker: Any, transport: Any) -> NoReturn:
    """Stop has come while a task runs: nobody wants its value."""
    from .ranks.leaving import inside_task

    _end_profile()
    worker.output.all_ended()
    worker.last_message()
    inside_task(transport)


if __name__ == "__main__":
    main()
