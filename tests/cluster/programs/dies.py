"""Its last worker is killed while it ends, after its last message, at a moment that is given.

dies.py SECONDS: from the end of its tasks on.
"""

from __future__ import annotations

import atexit
import functools
import os
import subprocess
import sys
import time

from scoopmpi import futures
from scoopmpi.process import identity


@functools.cache
def arm() -> None:
    kill = f"sleep {sys.argv[1]}; kill -9 {os.getpid()}"
    atexit.register(lambda: subprocess.Popen(["sh", "-c", kill]))


def work(number: int) -> int:
    if identity.this.rank == identity.this.size - 1:
        arm()
    time.sleep(0.05)
    return number


if __name__ == "__main__":
    print(sum(futures.map(work, range(40))), flush=True)
