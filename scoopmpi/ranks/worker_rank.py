"""A worker, from MPI's start to its end: the program's functions, batches, and the last message.

Here the parts of a worker are joined; what they do is in `worker`, and how all ranks leave in
`leaving`.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from ..output.worker_output import Output
from ..process import identity, supervisor
from ..program import naming, running
from ..program.finding import Program
from ..tasks import current_executor
from ..wire.transport import MPITransport, threads_allowed
from ..worker.worker import Worker
from . import leaving

_RANDOM = frozenset({"random", "numpy.random", "torch"})
"""Modules whose generators a program may seed while it is imported."""


def follow(
    program: Program,
    arguments: list[str],
    tell: Callable[[str], None],
    ended: Callable[[], None],
) -> NoReturn:
    """Import the program and run batches until rank 0 says Stop; the process ends here.

    tell: tells the supervisor what runs.
    ended: called when no more tasks run, or as the process leaves one that does.
    """

    def leave() -> NoReturn:
        """Stop has come while a task runs: nobody wants its value."""
        ended()
        output.all_ended()
        worker.last_message()
        leaving.inside_task(transport)

    transport = MPITransport()
    progress_threads = threads_allowed()
    tell(supervisor.STARTED)
    worker = Worker(transport, leave if progress_threads else None, tell)
    errors = sys.stderr
    output = _output_of(worker)
    current_executor.install(worker.nested)
    with identity.this.imports():
        _join(worker, output, program, arguments)
    try:
        worker.serve()
    except BaseException:  # a fault of ours: better the end of the job than a rank that is missing
        traceback.print_exc(file=errors)
        os._exit(1)
    ended()
    output.all_ended()
    worker.farewell()
    leaving.end(transport, worker.lock)


def _output_of(worker: Worker) -> Output:
    """Have all that is printed here go to rank 0 from now on."""
    output = Output(worker.printed, worker.place)
    worker.print_to(output)
    output.install()
    return output


def _join(worker: Worker, output: Output, program: Program, arguments: list[str]) -> None:
    """Import the program and tell rank 0 how that has ended."""
    try:
        output.keep()
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
