"""The warden: a process that ends the item of a worker that has died.

Neither all launchers do, nor the kernel: it would kill the item's first process and leave the
others. The warden sleeps until the worker is gone, however that went, which closes a pipe. Which
item runs then stands in memory that both share, so an item costs a worker no message; one that has
begun within the last millisecond may not stand there yet.
"""

from __future__ import annotations

import mmap
import os
import subprocess
from functools import cache

from ...concurrency.periods import ITEM_GRACE_SECONDS
from .group import Group
from .unnamed import unnamed_file

_LOOKS = 10
"""A second, whether the item has ended."""
_SIZE = 16
_NOBODY = b"\n" * _SIZE
# What ends a job may be sent to all of its processes. stdout is what it shares with the worker.
_SCRIPT = f"""
trap '' HUP INT QUIT TERM USR1 USR2
read -r _
read -r group <&1
[ "$group" ] || exit
kill -TERM "-$group"
kill -CONT "-$group"
looks={ITEM_GRACE_SECONDS * _LOOKS:.0f}
while [ $looks -gt 0 ] && kill -0 "-$group"; do sleep {1 / _LOOKS}; looks=$((looks - 1)); done
kill -KILL "-$group"
"""


class Warden:
    """Watches over the item that runs in this process."""

    def __init__(self) -> None:
        file = unnamed_file()
        try:
            os.pwrite(file, _NOBODY, 0)
            self._group = mmap.mmap(file, _SIZE)
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _SCRIPT], start_new_session=True,
                stdin=subprocess.PIPE, stdout=file, stderr=subprocess.DEVNULL, bufsize=0,
            )  # fmt: skip
        finally:
            os.close(file)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def guards(self, group: int) -> None:
        """Watch over a group of processes, until another or none is named."""
        self._group[:] = b"%-*d\n" % (_SIZE - 1, group)

    def rests(self) -> None:
        """Watch over nothing."""
        self._group[:] = _NOBODY

    def waited(self, group: Group, seconds: float | None) -> bool:
        """Wait for a group of processes under guard, at most so long, and end what is left then.

        Returns whether it has ended by itself.
        """
        over = False
        try:
            self.guards(group.number)
            over = group.wait(seconds)
        finally:  # also where this process is interrupted
            if not over:
                group.end()
            self.rests()
        return over


@cache
def warden() -> Warden:
    """Return that of this process."""
    return Warden()
