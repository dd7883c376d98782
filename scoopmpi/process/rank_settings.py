"""Settings that `myscoop` gives to its ranks in variables: their number, cores and GPUs.

Under the user's own mpirun there are none, and a rank leaves everything as it is. A value that
cannot be meant is a warning and no setting, never the end of a job.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, MutableMapping
from typing import NamedTuple, TypeVar

from .launcher_variables import local_rank_of

WAYS = ("compact", "spread")
AGAIN = "SCOOPMPI_AGAIN"
"""Is set where the launcher of a job that has crashed is started again, for rank 0."""
BEGAN = "SCOOPMPI_BEGAN"
"""When the command began, for rank 0: in seconds since 1970."""
TERMINAL = "SCOOPMPI_TERMINAL"
"""Is set where the command draws what rank 0, which has no terminal, says of its jobs."""
FOR_RANK_0 = (AGAIN, BEGAN, TERMINAL)
_MOST = 1 << 20
"""Ranks, or cores of a worker: more is a slip."""
_log = logging.getLogger("scoopmpi")
_Meaning = TypeVar("_Meaning")


class RankSettings(NamedTuple):
    """Says what a rank is asked for.

    ranks: how many there shall be, None where nobody has said it. threads: cores of a worker.
    pin: one of `WAYS`, None for no pinning. gpus: True where each worker shall see its share only.
    """

    ranks: int | None = None
    threads: int = 1
    pin: str | None = None
    gpus: bool = False


def take(env: MutableMapping[str, str], tell: bool) -> RankSettings:
    """Take the settings out of the environment, as what a rank starts is no rank of this job.

    tell: warn of those that cannot be meant.
    """

    def taken(name: str, meaning: Callable[[str], _Meaning | None], legal: str) -> _Meaning | None:
        text = env.pop(name, None)
        found = None if text is None else meaning(text)
        if text is not None and found is None and tell:
            _log.warning("%s=%.100r is ignored: it may be %s", name, text, legal)
        return found

    guessing = "SCOOPMPI_THREADS" in env
    threads = taken("SCOOPMPI_THREADS", _count, "a number above 0")
    pin = taken("SCOOPMPI_PIN", lambda text: text if text in WAYS else None, " or ".join(WAYS))
    return RankSettings(
        ranks=taken("SCOOPMPI_RANKS", _count, "a number above 0"),
        threads=threads or 1,
        pin=None if guessing and threads is None else pin,
        gpus=bool(taken("SCOOPMPI_GPUS", lambda text: text == "share" or None, "share")),
    )


def began(env: MutableMapping[str, str]) -> float | None:
    """Take out of the environment when the command began; None where no command says it."""
    try:
        return float(env.pop(BEGAN, ""))
    except ValueError:
        return None


def _count(text: str) -> int | None:
    plain = text.isascii() and text.isdecimal() and len(text) < 10
    return int(text) if plain and 0 < int(text) <= _MOST else None


def fulfil(rank: int, settings: RankSettings) -> None:
    """Take this worker's share of its host; to be called before anything starts a thread.

    rank: of this worker. settings: what it is asked for.
    """
    if not settings.pin and not settings.gpus:
        return
    place = local_rank_of(rank, os.environ)
    done = []
    if settings.pin:
        from .pinning import pin

        done.append(pin(place, settings.threads, settings.pin))
    if settings.gpus:
        from .gpus import assign

        done.append(assign(place, os.environ))
    for what in filter(None, done):
        _log.info("worker %d on %s: %s", rank, socket.gethostname(), what)
