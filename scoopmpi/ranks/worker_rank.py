"""A worker, from MPI's start to its end: the program's functions, batches, and the last message.

Here the parts of a worker are joined; what they do is in `worker`, and how all ranks leave in
`leaving`.
"""

from __future__ import annotations

import os
import socket
import sys
import traceback
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from ..output.lines import Lines
from ..output.worker_output import Output
from ..process import identity, malloc, supervisor
from ..process.signals import OWN, take
from ..program import naming, running
from ..program.finding import Program
from ..program.scoop_options import Options
from ..tasks import current_executor
from ..wire.transport import MPITransport, threads_allowed
from ..worker.worker import Worker
from . import leaving

if TYPE_CHECKING:
    from ..worker.task_files import TaskFiles
_RANDOM = frozenset({"random", "numpy.random", "torch"})
"""Modules whose generators a program may seed while it is imported, as `global_streams` has them:
that is loaded only where one of them is there."""


def follow(
    program: Program,
    arguments: list[str],
    options: Options,
    tell: Callable[[str], None],
    ended: Callable[[], None],
) -> NoReturn:
    """Take part as a rank of MPI until rank 0 says Stop; the process ends here.

    options: ours. tell: tells the supervisor what runs.
    ended: called when no more tasks run, or as the process leaves one that does.
    """
    transport = MPITransport()
    progress_threads = threads_allowed()
    tell(supervisor.STARTED)
    serve(transport, progress_threads, program, arguments, options, tell, ended)


def serve(
    transport: leaving.Way,
    progress_threads: bool,
    program: Program,
    arguments: list[str],
    options: Options,
    tell: Callable[[str], None],
    ended: Callable[[], None],
) -> NoReturn:
    """Import the program and run batches until rank 0 says Stop; the process ends here.

    transport: to rank 0. progress_threads: whether a second thread may use it in its turn.
    options, tell, ended: as above.
    """

    def leave() -> NoReturn:
        """Stop has come while a task runs: nobody wants its value."""
        ended()
        output.all_ended()
        if files is not None:
            files.close()
        worker.last_message()
        leaving.inside_task(transport)

    worker = Worker(transport, leave if progress_threads else None, tell, malloc.give_back)
    errors = sys.stderr
    files, problem = _files(options.task_output, worker.rank)
    output = _output_of(worker, options, files)
    if files is not None or options.task_log is not None or options.label:
        _watch_tasks(worker, options.task_log is not None, files)
    current_executor.install(worker.nested)
    take([OWN], worker.overdue.called)
    sys.breakpointhook = _breakpoint
    with identity.this.imports():
        _join(worker, output, program, arguments, problem)
    try:
        worker.serve()
    except BaseException:  # a fault of ours: better the end of the job than a rank that is missing
        traceback.print_exc(file=errors)
        os._exit(1)
    ended()
    output.all_ended()
    if files is not None:
        files.close()
    worker.farewell()
    leaving.end(transport, worker.lock)


def _breakpoint(*args: Any, **kwargs: Any) -> Any:
    from ..tasks.no_terminal import breakpoint_in_task  # late: few tasks have one

    return breakpoint_in_task(*args, **kwargs)


def _output_of(worker: Worker, options: Options, files: TaskFiles | None) -> Output:
    """Have all that is printed here go to rank 0 from now on, or to the file where it belongs."""

    def send(stream: int, data: bytes) -> bool:
        if files is not None and files.printed(stream, data):
            return True
        return options.output is None and worker.printed(stream, data)

    plain = files is None and options.output is None
    output = Output(worker.printed if plain else send, worker.place, _lines(worker, options, files))
    worker.print_to(output)
    output.install()
    return output


def _lines(worker: Worker, options: Options, files: TaskFiles | None) -> Callable[[], Lines]:
    """Return what makes whole lines of what is printed here, with labels where they are wanted."""
    if not options.label and files is None:
        return Lines
    from ..output.labels import LabelledLines  # late: each module is a file that every rank opens

    here = f"rank {worker.rank} {socket.gethostname()}"

    def label() -> str:
        task = getattr(worker.batches.current, "title", "")
        return f"[{here} {task}] " if task else f"[{here}] "

    def apart() -> bool:
        return files is not None and files.taking

    return partial(LabelledLines, label if options.label else None, apart)


def _files(directory: str | None, rank: int) -> tuple[TaskFiles | None, str]:
    """Return what takes the output of tasks, where that is asked for, or why there is none."""
    if directory is None:
        return None, ""
    from ..process.named_files import NameProblem, named  # late: each module is a file that every
    from ..worker.task_files import TaskFiles  # rank opens

    try:
        return TaskFiles(named("--task-output", directory), rank), ""
    except NameProblem:
        return None, ""  # rank 0 says it, and ends the job
    except OSError as problem:
        why = f"--task-output {directory} cannot be written: {problem.strerror}"
        return None, f"scoopmpi: WARNING: {why}; what tasks print is shown instead"


def _watch_tasks(worker: Worker, logged: bool, files: TaskFiles | None) -> None:
    """Have each task be looked at, for the log of tasks or their files."""
    from ..worker import watched  # late, as above

    watched.watch(worker.batches, watched.Watch(logged, files, worker.task_ended))


def _join(
    worker: Worker, output: Output, program: Program, arguments: list[str], problem: str
) -> None:
    """Import the program and tell rank 0 how that has ended.

    problem: what is to be said once by all workers that have it.
    """
    try:
        output.keep()
        if problem:
            print(problem, file=sys.stderr)
        module = running.load(program, arguments)
    except BaseException as error:
        printed = output.kept(failed=True)  # says why, where no traceback does
        said = printed if isinstance(error, SystemExit) else b""
        worker.refuse(running.import_failure(error), said)
    else:
        _watch_streams(worker)
        worker.join(naming.defined_names(module), output.kept(failed=False))


def _watch_streams(worker: Worker) -> None:
    """Have the first of several workers warn of random numbers that all of them draw."""
    if identity.this.rank == 1 and identity.this.size > 2 and _RANDOM & sys.modules.keys():
        from ..program.global_streams import GlobalStreams  # late: for one worker alone

        worker.batches.looks = GlobalStreams().look
