"""Become another program that does not hear how a job is asked to end: `python deaf.py PROGRAM …`.

A batch system sends SIGTERM to all processes of a job. Rank 0 knows what it means, and cleans up;
a daemon of Open MPI or its ssh that ends meanwhile takes all ranks along, within milliseconds, and
says something of firewalls on stdout. Nothing is imported: this file runs on its own, on all hosts.
"""

from __future__ import annotations

import os
import signal
import sys

UNHEARD = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""Blocked, as daemons have handlers of their own for what is ignored; they unblock it for ranks."""

if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, UNHEARD)
    os.execvp(sys.argv[1], sys.argv[1:])
