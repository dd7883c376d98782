"""Start the launcher again where a job has crashed: its checkpoint knows how far it came."""

from __future__ import annotations

from collections.abc import Callable

from ..program.scoop_options import STOPPED, UNABLE


def run(
    once: Callable[[Callable[[], None] | None], int],
    ended: Callable[[], bool | None],
    restarts: int,
    tell: Callable[[str], None],
) -> int:
    """Run the launcher, and again up to `restarts` times; return the exit status of its last run.

    once: runs it to its end, and calls its argument where it was told to end.
    ended: tells if the program came to its end by itself, None where nobody knows.
    tell: hears of each restart.
    """
    told: list[bool] = []
    for restart in range(1, restarts + 1):
        status = once(lambda: told.append(True))
        if told or status in (UNABLE, STOPPED) or ended() is not False:
            return status
        which = f"restart {restart} of {restarts}"
        tell(f"the job has crashed with status {status}; it goes on from its checkpoint ({which})")
    return once(lambda: None)
