"""How long tests wait: their limits are for a machine that is theirs, and grow where it is not.

Limits end what hangs. Where others use the cores too, what does not hang takes longer, and a limit
that does not know of them would fail for their sake. What a test promises in seconds to users is
no limit: such a test is marked `alone`.
"""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import pytest

OWN_PER_CORE = 3.0
"""So many processes of the suite itself want a core at a time; limits are made for that."""
LONGEST = 8.0


def slowness() -> float:
    """How many times longer than by itself something may take now, by the load of this minute."""
    load = os.getloadavg()[0] / len(os.sched_getaffinity(0))
    return min(max(1.0, load / OWN_PER_CORE), LONGEST)


def give_time(item: pytest.Item, default: float) -> None:
    """Make the limit of a test one for the machine as it is now. default: of tests without."""
    marker = item.get_closest_marker("timeout")
    args, how = (marker.args, marker.kwargs) if marker else ((), {})
    limit = float(args[0] if args else how.get("timeout", default))
    # By a thread, where the alarm is what is tested.
    how = {name: value for name, value in how.items() if name != "timeout"}
    item.add_marker(pytest.mark.timeout(limit * slowness(), *args[1:], **how), append=False)


_leave = subprocess.Popen.__exit__


def leave(process: subprocess.Popen[Any], kind: type[BaseException] | None, *more: Any) -> None:
    """Stands for the end of `with Popen`, which waits for ever: a test that fails waits no more."""
    if kind is not None and process.poll() is None:
        leads = os.getpgid(process.pid) == process.pid
        (os.killpg if leads else os.kill)(process.pid, signal.SIGKILL)
    _leave(process, kind, *more)
