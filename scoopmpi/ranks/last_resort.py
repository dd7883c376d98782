"""Rank 0 starts a process on its own host where its last worker has died (`stand_in`).

Where MPI goes on without the dead (Open MPI 5 with ULFM) it cannot bring new ranks into the job, so
the process is no rank of MPI. When it is needed is decided in `farm.last_worker`.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import NamedTuple

from ..process import interpreter, launcher_variables
from ..program.scoop_options import Options
from ..wire.line import Line
from ..wire.transport import MPITransport

_MAIN = "import sys; sys.path[:] = {path!r}; from scoopmpi.ranks.stand_in import main; main({line})"


class Start(NamedTuple):
    """Says what such a worker has to know first.

    rank: as rank 0 counts it. size: how many ranks the job was started with. options: its own.
    """

    rank: int
    size: int
    options: Options


class LastResort:
    """Starts such workers for one farm, as the ranks of the job were started.

    Made before the program runs, which may change directory and environment.
    """

    def __init__(self, transport: MPITransport, options: Options) -> None:
        self._transport, self._size = transport, transport.size
        self._options = options._replace(profile=False, checkpoint=None)
        self._path, self._directory = list(sys.path), os.getcwd()
        self._environment = launcher_variables.without_place(os.environ)

    def start(self) -> int:
        """Start a worker, and return its rank. Raises OSError where no process can be started."""
        import subprocess  # late: it is not needed where no worker dies

        rank = self._transport.size
        ours, theirs = socket.socketpair()
        with theirs:
            code = _MAIN.format(path=self._path, line=theirs.fileno())
            process = subprocess.Popen(
                [sys.executable, *interpreter.flags(), "-c", code],
                cwd=self._directory, env=self._environment, stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )  # fmt: skip
        line = Line(ours, lambda: process.poll() is not None)
        line.put(Start(rank, self._size, self._options))
        self._transport.join(line)
        return rank
