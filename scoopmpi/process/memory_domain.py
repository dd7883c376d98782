"""Where this process runs, for ranks to find out whether they can share memory."""

from __future__ import annotations

import os
import socket


def domain() -> str:
    """Return a text that is the same in two processes that can attach to each other's memory.

    They are of one user and one boot of one host, and see each other's processes: containers on one
    host do not, so the host's name would not do.
    """
    host = socket.gethostname()
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot = file.read().strip()
        return f"{host} {boot} {os.readlink('/proc/self/ns/pid')} {os.getuid()}"
    except OSError:
        return host
