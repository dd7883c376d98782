"""The launcher above a rank, as far as it runs on this host: its daemon, and often itself.

Found among this process's parents (Linux), and killed where it would wait for a lost host.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from pathlib import Path

_NAMES = re.compile(
    r"(mpirun|mpiexec|orterun|prterun)(\.(hydra|openmpi|mpich))?|orted|prted|hydra_pmi_proxy"
)
"""As their processes are called; Debian's have the library's name behind."""


def kill() -> bool:
    """Kill the launcher above with all that it has started here, but for this process.

    Return False where there is none. Asked to end, each of them first tells the daemons of all
    hosts, and waits for one that is cut off: Open MPI for TCP's 15 minutes, Hydra for ever.
    """
    above = _above(os.getppid())
    for process in reversed(above):  # the topmost first: it would have something to say
        for each in (process, *_children(process)):
            if each != os.getpid():
                with contextlib.suppress(OSError):  # another user's, as Slurm's is; or gone
                    os.kill(each, signal.SIGKILL)
    return bool(above)


def _above(process: int) -> list[int]:
    """Return a process and its parents, as long as they belong to a launcher."""
    found: list[int] = []
    while process > 1:
        try:
            text = Path(f"/proc/{process}/stat").read_text()
        except OSError:  # no Linux, or gone
            break
        name, _, rest = text.partition("(")[2].rpartition(")")
        if not _NAMES.fullmatch(name):
            break
        found.append(process)
        process = int(rest.split()[1])
    return found


def _children(process: int) -> list[int]:
    """Return its children: remote shells, which would wait too, and other ranks."""
    try:
        words = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [int(word) for word in words]
