"""Prints a line of JSON for each rank: where it runs and what it sees of its environment."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path

from scoopmpi import futures
from scoopmpi.process import identity

SHOWN = ("PATH", "PYTHONPATH", "OMP_NUM_THREADS", "SCOOP_SHOWN", "MINE_SHOWN")
SECONDS = 40
"""At most, until every worker has been heard of."""


def node() -> str | None:
    """The Slurm node that started this process: launchers hand on the variable of another one."""
    found, process = None, os.getpid()
    while process > 1:
        entry = Path(f"/proc/{process}")
        if "slurmstepd" in entry.joinpath("cmdline").read_text():
            return found
        for line in entry.joinpath("environ").read_text(errors="replace").split("\0"):
            name, _, value = line.partition("=")
            found = value if name == "SLURMD_NODENAME" else found
        process = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1])
    return None


def where(_: object) -> tuple[int, dict[str, object]]:
    time.sleep(0.02)  # or the first worker would take them all
    seen = {name: os.environ.get(name) for name in SHOWN}
    place = {"rank": identity.this.rank, "host": socket.gethostname(), "node": node()}
    return identity.this.rank, {**place, **seen}


def main() -> None:
    workers = range(1, identity.this.size)
    limit = time.monotonic() + SECONDS
    found = dict([where(None)])
    while len(found) < identity.this.size and time.monotonic() < limit:
        found |= dict(futures.map(where, [None] * 4 * len(workers)))
    for rank in sorted(found):
        print(json.dumps(found[rank]), flush=True)
    sys.exit(0 if len(found) == identity.this.size else "a worker was never heard of")


if __name__ == "__main__":
    main()
