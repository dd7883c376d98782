"""`python -m scoopmpi PROGRAM ARGUMENTS…`: what each rank does.

Rank 0 runs the program with a farm behind it, the others work for it. Without mpirun it starts
itself again under one, on all local cores. Here the parts are joined; none of them is made here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from . import runtime, scoop_options
from .process import surroundings, wishes, witness

_profile: Any = None
"""The running profile of this rank, with `--profile`."""
_MPI4PY = {"MPI4PY_RC_INITIALIZE": "0", "MPI4PY_RC_FINALIZE": "1", "MPI4PY_CHECK_MPIEXEC": "0"}
"""Settings while it starts: not at once, and without its own warning of a strange mpirun."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""What ends the program in good order: batch systems warn of the end of a job by any of these."""
_PATIENCE = 1.0
"""Seconds within which a launcher ends the job after rank 0 has said why: the others keep still."""


def main() -> NoReturn:
    """Play this process's part and exit with the program's status."""
    rank = witness.rank_of(os.environ)
    options = _options(rank)
    surroundings.log_to_stderr(options)
    if rank is None and not _launched():
        from .starting import start_scoop

        start_scoop(options)
    if options.prolog is not None or options.python is not None:
        from .starting import start_rank

        start_rank(options)
    if rank is not None:
        witness.end_with_launcher(rank)
    asked = wishes.take(os.environ, tell=not rank)
    surroundings.be_nice(options.nice, tell=not rank)
    label = witness.under_witness(rank) if rank else None
    if rank:
        wishes.fulfil(rank, asked)  # in the child: the witness needs no core of its own
    sys.exit(_play(options, label, asked.ranks))


def _options(rank: int | None) -> scoop_options.Options:
    """Our own options, in effect as far as they concern this process."""
    tell = not rank
    try:
        options = scoop_options.parse(sys.argv[1:])
        if options.help:
            print(scoop_options.USAGE, end="")
            sys.exit(0)
        if tell and not options.quiet:
            for note in scoop_options.notes(options, launched=rank is not None):
                print(f"scoopmpi: {note}", file=sys.stderr)
        return surroundings.enter(options)
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
    from .process import program as programs
    from .transport import MPITransport

    _start_mpi(label, asked)
    try:
        program, arguments = programs.find_or_shell(options.words)
    except programs.ProgramNotFound as problem:
        if runtime.rank == 0:
            print(f"scoopmpi: {problem}", file=sys.stderr)
        return scoop_options.UNABLE
    runtime.started = True
    runtime.task_timeout = options.task_timeout
    if options.profile:
        _begin_profile()
    if runtime.rank > 0:
        return _follow(MPITransport(), program, arguments, label)
    from .compat import look_out

    look_out()
    return _led(program, arguments, options)


def _begin_profile() -> None:
    global _profile
    from .process.profiling import RankProfile

    try:
        _profile = RankProfile(runtime.rank, Path("profile").absolute())
    except OSError as problem:
        print(f"scoopmpi: no profile of rank {runtime.rank}: {problem}", file=sys.stderr)


def _end_profile() -> None:
    """Write this rank's profile, where there is one and it has not been written; then the table."""
    if _profile is None:
        return
    try:
        if _profile.write() and runtime.rank == 0:
            print(_profile.summary(runtime.size), file=sys.stderr)
    except OSError as problem:
        print(f"scoopmpi: no profile of rank {runtime.rank}: {problem}", file=sys.__stderr__)


def _start_mpi(label: Any, asked: int | None) -> None:
    """Let MPI say who is who; the end, with an explanation, where ranks cannot see each other.

    In two steps: a library that is not its mpirun's may kill this process when it starts.
    """
    from .process import strangers
    from .transport import mpi

    ours = {name: text for name, text in _MPI4PY.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        MPI = mpi()
        library = MPI.Get_library_version()
        if problem := strangers.before_mpi(os.environ, library):
            _refuse(problem, label)
        if not MPI.Is_initialized():
            MPI.Init_thread(MPI.THREAD_SERIALIZED)
    finally:
        for name in ours:
            del os.environ[name]
    runtime.rank, runtime.size = MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size
    if problem := strangers.in_mpi(os.environ, library, runtime.size, asked):
        _refuse(problem, label)


def _refuse(problem: str, label: Any) -> NoReturn:
    """End this rank, and so the job; one of them says why, or all where the launcher lets them."""
    if label is not None:
        label(witness.TOLD)
    if runtime.rank > 0:
        sys.exit(1)  # rank 0 can be seen, and says it
    if label is not None:
        time.sleep(_PATIENCE)
    print(problem, file=sys.stderr, flush=True)
    if runtime.size == 1 and "MPI_LOCALNRANKS" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)  # a bad exit status is not enough for Hydra
    sys.exit(1)


def _led(program: Any, arguments: list[str], options: scoop_options.Options) -> int:
    """Rank 0, with workers or without; its end is for `leaving`."""
    from .leaving import Rank0
    from .transport import MPITransport

    transport = MPITransport() if runtime.size > 1 else None
    rank_0 = Rank0(transport)
    if transport is not None:
        rank_0.status = _lead(transport, program, arguments, options)
    else:
        rank_0.status = _alone(program, arguments, options)
    _end_profile()
    return rank_0.status


def _alone(program: Any, arguments: list[str], options: scoop_options.Options) -> int:
    """The only rank: the user's program, serially."""
    from .process import program as programs

    if options.checkpoint is not None:
        print("scoopmpi: --checkpoint: nothing is kept, 1 rank has no workers", file=sys.stderr)
    return _status_of(partial(programs.run, program, arguments))


def _lead(
    transport: Any, program: Any, arguments: list[str], options: scoop_options.Options
) -> int:
    """Rank 0: the user's program, with the farm behind it."""
    from . import executor, payload
    from .checkpoint.admission import CheckpointError
    from .farm import Farm
    from .process import program as programs

    farm = Farm(transport, retries=2 if options.retries is None else options.retries)
    try:
        checkpoint = _checkpoint(options, farm)
    except CheckpointError as problem:
        print(f"scoopmpi: {problem}", file=sys.stderr, flush=True)
        farm.close(scoop_options.UNABLE)
        return scoop_options.UNABLE
    told: list[int] = []

    def end(number: int, _: object) -> None:
        told.append(number)
        interrupted = number == signal.SIGINT
        farm.interrupt(KeyboardInterrupt() if interrupted else SystemExit(128 + number))

    for number in _ENDING:
        signal.signal(number, end)
    payload.missing_names(lambda: programs.missing_names(farm.members.names))
    executor.install(executor.FarmExecutor(farm, checkpoint))
    status, pid = 1, os.getpid()
    try:
        status = _status_of(partial(programs.run, program, arguments))
    finally:
        if os.getpid() != pid:
            os._exit(status)  # a child that the program has forked: the farm is its parent's
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)  # a second one must not tear the end apart
        executor.install(None)
        if checkpoint is not None:  # first, as the end of the ranks may take its time
            checkpoint.close(ended=farm.error is None and not told)
        farm.close(status, hurry=status > 128)
    return status


def _checkpoint(options: scoop_options.Options, farm: Any) -> Any:
    if options.checkpoint is None:
        return None
    from .checkpoint.opening import opened  # late: few programs have one

    return opened(options.checkpoint, farm, " ".join(options.words))


def _follow(transport: Any, program: Any, arguments: list[str], label: Any) -> NoReturn:
    """A worker: the program's functions, and batches until the end."""
    from . import executor, leaving
    from .process import program as programs
    from .process.output import Lines, stream
    from .process.signals import leave_to_rank_0
    from .transport import threads_allowed
    from .worker import Worker

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # rank 0 decides what Ctrl-C means
    leave_to_rank_0(_ENDING[1:])  # and what a batch system means by others; a Hydra passes on all
    standins = threads_allowed()
    label = label or (lambda name: None)
    label(witness.STARTED)
    worker = Worker(transport, partial(_leave_task, transport) if standins else None, label)
    lines = [Lines(partial(worker.printed, fd), fd) for fd in (1, 2)]
    sys.stdout, sys.stderr = streams = [stream(each) for each in lines]
    executor.install(worker.nest)
    runtime.importing = True
    try:
        module = programs.load(program, arguments)
    except BaseException:
        worker.refuse(traceback.format_exc())
    else:
        worker.join(programs.defined_names(module))
    finally:
        runtime.importing = False
    try:
        worker.serve()
    except BaseException:  # a fault of ours: better the end of the job than a rank that is missing
        sys.stderr = sys.__stderr__
        traceback.print_exc()
        os._exit(1)
    _end_profile()
    for text, each in zip(streams, lines, strict=True):
        with contextlib.suppress(ValueError):  # a task may have detached it
            text.flush()
        each.finish_line()
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    worker.farewell()
    leaving.end(transport, worker.lock)


def _leave_task(transport: Any) -> NoReturn:
    """Stop has come while a task runs: nobody wants its value."""
    from .leaving import inside_task
    from .messages import Left

    _end_profile()
    transport.send(0, Left())
    transport.close()
    inside_task(transport)


def _status_of(run: Any) -> int:
    """Run the user's program; its traceback once, and its exit status."""
    try:
        try:
            run()
        finally:
            _wait_for_threads()
        return _flushed(0)
    except SystemExit as leaving:
        return _flushed(_exit_status(leaving))
    except KeyboardInterrupt:
        _print_traceback()
        return _flushed(130)
    except BaseException:
        _print_traceback()
        return _flushed(1)


def _wait_for_threads() -> None:
    """As the interpreter does it: the program is over when its last non-daemon thread is.

    Its own function for that also tells thread pools to end theirs, which a plain join would not.
    """
    getattr(threading, "_shutdown")()  # noqa: B009 (not in the type stubs)


def _exit_status(leaving: SystemExit) -> int:
    """As the interpreter does it: None is success, a text goes to stderr and means 1."""
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    print(leaving.code, file=sys.stderr)
    return 1


def _print_traceback() -> None:
    """The traceback of the running exception, from the user's own code on."""
    kind, error, trace = sys.exc_info()
    here = os.path.dirname(os.path.abspath(__file__))
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(here):
        trace = trace.tb_next
    sys.stdout.flush()
    if kind is not None:
        traceback.print_exception(kind, error, trace)


def _flushed(status: int) -> int:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            status = status or 120  # as the interpreter does where stdout is gone
    return status


if __name__ == "__main__":
    main()
