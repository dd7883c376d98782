"""What a run says of itself at its beginning, for later ones: where it runs, and in which job.

What its command line was, who calls adds; here is what is the same for any run.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping

from ...process.identity import memory_domain
from ...process.named_files import job_number


def of_this_run(about: Mapping[str, object]) -> dict[str, object]:
    """Return what is said of this run, with what only its caller knows."""
    pid = os.getpid()
    return {
        **about, "directory": os.getcwd(), "when": round(time.time(), 3),
        "version": getattr(sys.modules[__name__.partition(".")[0]], "__version__", ""),
        "host": socket.gethostname(), "job": job_number(os.environ),
        "pid": pid, "born": _born(pid), "domain": memory_domain(),
    }  # fmt: skip


def where(said: Mapping[str, object]) -> str:
    """Return the words for where the run is that has said this."""
    job = f" of job {said['job']}" if said.get("job") else ""
    return f"process {said.get('pid', '?')}{job} on {said.get('host', 'a host')}"


def lives(said: Mapping[str, object]) -> bool | None:
    """Return whether the run is there that has said this; None where it cannot be seen from here.

    Another process may have its number now: it is another one where it was born at another time.
    """
    pid = said.get("pid")
    if said.get("domain") != memory_domain() or not isinstance(pid, int) or pid <= 0:
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is another user's
    return _born(pid) == said.get("born")


def _born(pid: int) -> int | None:
    """Return when a process has begun, in ticks since the host has; None where no file says so.

    Field 22, behind the name in brackets, which may have anything in it (proc_pid_stat(5)).
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
