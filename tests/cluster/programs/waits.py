"""Each worker writes its rank, host and process id to a file, then waits for its end.

waits.py DIRECTORY [SECONDS]
"""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

from scoopmpi import futures, runtime

SECONDS = 300
"""Longer than any test lets it live."""


def wait(directory: str) -> None:
    file = Path(directory, f"{runtime.rank}.begun")
    file.with_suffix(".new").write_text(f"{socket.gethostname()} {os.getpid()}")
    file.with_suffix(".new").rename(file)
    time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS)


if __name__ == "__main__":
    list(futures.map(wait, [sys.argv[1]] * (runtime.size - 1)))
