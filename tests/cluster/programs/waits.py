"""Each worker writes its rank, host and process id to a file, then waits for its end.

waits.py DIRECTORY: a file `enough` in it ends all of them in good order.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

from scoopmpi import futures
from scoopmpi.process import identity

SECONDS = 300
"""Longer than any test lets it live."""


def wait(directory: str) -> None:
    file = Path(directory, f"{identity.this.rank}.begun")
    file.with_suffix(".new").write_text(f"{socket.gethostname()} {os.getpid()}")
    file.with_suffix(".new").rename(file)
    limit = time.monotonic() + SECONDS
    while time.monotonic() < limit and not Path(directory, "enough").exists():
        time.sleep(0.2)


if __name__ == "__main__":
    list(futures.map(wait, [sys.argv[1]] * (identity.this.size - 1)))
