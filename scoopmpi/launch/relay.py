"""Stands between the terminal and mpirun where rank 0 reads stdin to its end.

Open MPI 5 hands on what is written to mpirun's stdin, but not that it has ended (seen with 5.0.11:
rank 0 of `echo x | mpirun cat` waits for ever). So the end is sent as a line of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import IO

from . import watching

END = "\x04"
"""The line that stands for the end of stdin: what Ctrl-D is as a character."""
_AT_ONCE = 1 << 16


def run(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a launcher with our stdin; its exit status, as a shell would have it."""
    return watching.run(argv, env, feed=feed)


def feed(target: IO[bytes]) -> None:
    """Copy our stdin, and say when it has ended."""
    try:
        while data := os.read(0, _AT_ONCE):  # past sys.stdin, whose lock would outlive us
            target.write(data)
            target.flush()
        target.write(f"\n{END}\n".encode())
        target.flush()
    except OSError:
        pass  # the launcher has ended, or there is no stdin
