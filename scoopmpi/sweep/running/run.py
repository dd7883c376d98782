"""Run the command for one item, on a worker."""

from __future__ import annotations

import os
import socket
import subprocess
import time

from ...process import identity
from ...process.launcher_variables import without_place
from ..items.ended import Ended
from ..items.item import Item
from .plan import Plan


def run(plan: Plan, item: Item) -> Ended:
    """Run the command for an item, and return how it ended; never raises for what the item does."""
    env = without_place(os.environ)
    env = {
        **env,
        **dict(zip(plan.columns, item.values, strict=True)),
        "SCOOP_COUNTER": str(item.number),
    }
    started = time.time()
    call = plan.command.call(env)
    done = subprocess.run(
        call.words, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return Ended(
        item.number, item.digest, identity.this.rank, socket.gethostname(), done.returncode,
        started, time.time() - started, "", done.stdout, done.stderr,
    )  # fmt: skip
