"""What C code and child processes of tasks print, on its way into the cells of a notebook.

It comes through the launcher, as the file descriptors of workers are its pipes. Rank 0 reads its
own, for its cells: what is written there is shown. We write to them by the names that Linux gives
them, and never wait; what finds no room, or no reader, goes where the launcher's output went.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from .lifeline import Lifeline
from .passing import write


class IntoCells:
    """Writes the launcher's output to rank 0's descriptors, once these are pipes of its own.

    line: that to rank 0.
    """

    def __init__(self, line: Lifeline) -> None:
        self._line = line
        self._pipes: dict[int, int] = {}  # by the number of the stream

    def write(self, target: int, data: bytes) -> None:
        """Write all of it. target: 1 or 2, and where it goes else."""
        pipe = self._pipe(target)
        if pipe is not None:
            try:
                data = data[os.write(pipe, data) :]
            except BlockingIOError:
                pass
            except OSError:  # rank 0 has gone
                os.close(self._pipes.pop(target))
        if data:
            write(target, data)

    def _pipe(self, target: int) -> int | None:
        if target not in self._pipes and self._line.ready and self._line.fileno() >= 0:
            with suppress(OSError):
                name = f"/proc/{self._line.pid}/fd/{target}"
                found = os.stat(name)
                if stat.S_ISFIFO(found.st_mode) and not os.path.samestat(found, os.fstat(target)):
                    self._pipes[target] = os.open(name, os.O_WRONLY | os.O_NONBLOCK)
        return self._pipes.get(target)

    def close(self) -> None:
        """Write nothing more."""
        while self._pipes:
            os.close(self._pipes.popitem()[1])
