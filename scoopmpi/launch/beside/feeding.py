"""Feed rank 0's stdin, where the launcher cannot be trusted with it.

Open MPI 5 hands on what is written to mpirun's stdin, but not that it has ended (seen with 5.0.11:
rank 0 of `echo x | mpirun cat` waits for ever); of MPICH (5.0.2) the other ranks wait. So rank 0
reads our own stdin, a terminal through one of its own (`terminal`), or through a pipe where stdout
is none: only its foreground may read it. A rank 0 on another host gets the end as a mark.
"""

from __future__ import annotations

import functools
import os
import select
import stat
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from ...process.launcher_variables import HYDRA, OPEN_MPI
from ...process.stdin import END, write

PATH = "SCOOPMPI_STDIN"
"""Where rank 0 of a foreign program finds its stdin."""
_OPENING = (
    f'if [ "${{{OPEN_MPI.rank}:-${HYDRA.rank}}}" != 0 ]; then exec </dev/null; '
    f'elif [ -r "${PATH}" ]; then exec <"${PATH}"; fi; unset {PATH}; exec "$@"'
)
_AT_ONCE = 1 << 16
_LOOK_SECONDS = 0.5
"""How often a command in the background of its terminal looks whether it is in front."""


def for_rank_0() -> int:
    """Return the descriptor that rank 0 of this host may read in our place, in whichever run."""
    return _of_terminal() if os.isatty(0) else 0


def by_path() -> str:
    """Return the same for a program that opens it: a path of this host.

    It is good as long as this process lives.
    """
    kind = os.fstat(0).st_mode
    fresh = stat.S_ISREG(kind) and os.lseek(0, 0, os.SEEK_CUR) == 0  # opened anew it begins there
    direct = fresh or stat.S_ISFIFO(kind) or (stat.S_ISCHR(kind) and not os.isatty(0))
    path = f"/proc/{os.getpid()}/fd/0"
    return path if direct and os.access(path, os.R_OK) else f"/proc/{os.getpid()}/fd/{_pipe()}"


def opening(argv: Sequence[str], words: int) -> tuple[str, ...]:
    """Return a command line whose last words begin with opening our stdin on rank 0.

    words: how many of the words are the program's, the last ones.
    """
    place = len(argv) - words
    return (*argv[:place], "/bin/sh", "-c", _OPENING, "sh", *argv[place:])


def marked(target: int) -> None:
    """Copy our stdin to a launcher's, in a thread, with the mark of the end behind it."""
    _start(partial(_copy, target, END))


@functools.cache
def _of_terminal() -> int:
    """Return one pipe for all runs: two threads would take each other's lines."""
    return _pipe()


def _pipe() -> int:
    """Return a pipe with all of our stdin, fed by a thread.

    Not by a loop, as rank 0 may end while the user thinks.
    """
    read, write = os.pipe()
    _start(partial(_copy, write, b""))
    return read


def _start(copy: Callable[[], None]) -> None:
    threading.Thread(target=copy, name="scoopmpi stdin", daemon=True).start()


def _copy(target: int, end: bytes) -> None:
    try:
        while data := _read():  # past sys.stdin, whose lock would outlive us
            write(target, data)
        write(target, end)
    except OSError:
        pass  # nobody reads it any more, or there is no stdin
    finally:
        os.close(target)


def _read() -> bytes:
    """Return the next bytes of stdin; from a terminal only in its foreground, or we would stop."""
    while os.isatty(0):
        ready = select.select([0], [], [], _LOOK_SECONDS)[0]
        if ready and os.tcgetpgrp(0) == os.getpgrp():
            break
        time.sleep(_LOOK_SECONDS if ready else 0)  # else this would spin
    return os.read(0, _AT_ONCE)
