"""A worker that is no rank of MPI: a process on rank 0's host, in the place of those that died.

Rank 0 starts it (`last_resort`), as a fresh interpreter: nothing of rank 0's threads, locks and MPI
is in it. From there on it is a worker as all others, with a supervisor, and with a line to rank 0
in the place of MPI.
"""

from __future__ import annotations

import os
import socket
import traceback
from typing import NoReturn

from ..process import identity, malloc, streams, supervisor
from ..process.signals import leave_to_rank_0
from ..program import finding, setup
from ..wire.line import Line, LineTransport
from .last_resort import Start
from .worker_rank import serve


def main(descriptor: int) -> NoReturn:
    """Be a worker until rank 0 says Stop, or has gone; never returns.

    descriptor: of this end of the line to rank 0.
    """
    line = Line(socket.socket(fileno=descriptor))
    start: Start | None = line.wait()
    if start is None:
        os._exit(supervisor.ORPHANED)
    setup.log_to_stderr(start.options)
    tell = supervisor.under_supervisor(start.rank, os.getppid())
    streams.no_stdin()
    malloc.keep_freed()
    identity.this.met(start.rank, start.size)
    leave_to_rank_0()
    tell(supervisor.STARTED)
    try:
        program, arguments = finding.find_or_shell(start.options.words)
        identity.this.starts(start.options.task_timeout, start.options.debug)
        transport = LineTransport(line, start.rank)
        serve(transport, True, program, arguments, start.options, tell, lambda: None)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
