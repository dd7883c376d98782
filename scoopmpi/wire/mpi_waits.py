"""Whether Open MPI's own waits keep a core, or give it to ranks that are still to come.

It decides that once, by the slots that its launcher says, and offers no way to change it. The
switch behind its parameter `mpi_yield_when_idle` is exported by the libraries of Open MPI 4 and 5;
it is used where it is found, and nothing else depends on it.
"""

from __future__ import annotations

import contextlib
import sys


def yield_inside_mpi(on: bool) -> bool:
    """Have Open MPI's own waits give the core to others, or not; return how it was.

    Without effect, and False, where this is another library. Not for a whole run, as each look for
    a message would give the core away: 32 tasks of 1 ms on two cores had an efficiency of 0.84, not
    0.90. But where all ranks meet, those that are there keep the others from coming: start to end
    of 31 workers on two cores took 6.7 s, 4.0 with it in MPI_Finalize, 2.7 with it in both.
    """
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):  # another version may lack it
            path = _loaded("libopen-pal.so")
            if path is not None:
                switch = ctypes.CDLL(path).opal_progress_set_yield_when_idle
                switch.argtypes, switch.restype = [ctypes.c_bool], ctypes.c_bool
                return bool(switch(on))
    return False


def _loaded(library: str) -> str | None:
    """Return the path under which this process has loaded a library, if it has."""
    with open("/proc/self/maps") as file:
        for line in file:
            if library in line:
                return line.split(None, 5)[5].strip()
    return None
