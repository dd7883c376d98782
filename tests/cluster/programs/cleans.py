"""Waits for long tasks on all workers; what ends it, it takes its time to clean up after.

cleans.py DIRECTORY: `cleaned` in it names what ended the program, which exits with 7 then.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from scoopmpi import futures
from scoopmpi.process import identity

from waits import wait  # isort: skip (a program's own directory comes first on its path)

SECONDS = 3
"""Longer than Open MPI's launcher lets it live by itself."""

if __name__ == "__main__":
    try:
        list(futures.map(wait, [sys.argv[1]] * (identity.this.size - 1)))
    except BaseException as error:
        for _ in range(10 * SECONDS):
            time.sleep(0.1)
        Path(sys.argv[1], "cleaned").write_text(type(error).__name__)
        print(f"cleaned after {error!r}", flush=True)
        sys.exit(7)
