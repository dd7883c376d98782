"""The variables of items: the worker's own, who runs them, and those of each item."""

from __future__ import annotations

import os
import socket
from collections import ChainMap
from collections.abc import Mapping

from ...process import identity
from ...process.launcher_variables import without_place
from ..items.array import ARRAY_ID, ARRAY_NAMES
from ..items.item import Item
from .plan import Plan


def common(plan: Plan, env: Mapping[str, str]) -> dict[str, str]:
    """Return what all items find on this worker.

    env: the worker's own, of which threads, cores and GPUs have been set.
    """
    rank = identity.this.rank
    origin = rank == 0  # only where the program runs without a farm
    return {
        **without_place(env),
        "WORKER_RANK": str(rank),
        "WORKER_SIZE": str(plan.workers),
        "WORKER_NUM_THREADS": env.get("OMP_NUM_THREADS", "1"),
        "SCOOP_WORKER_NAME": f"{socket.gethostname()}:{rank}",
        "SCOOP_WORKER_ORIGIN": str(origin),
        "SCOOP_WORKER_FREEORIGIN": str(not origin),
        **dict(plan.variables),
    }


class Variables:
    """Makes the variables of items, from what they have in common."""

    def __init__(self, plan: Plan) -> None:
        self._common = common(plan, os.environ)
        self._encoded = _encoded(self._common)
        self._columns = plan.columns
        self._array = plan.columns.index(ARRAY_ID) if ARRAY_ID in plan.columns else None

    def of(self, item: Item) -> ChainMap[str, str]:
        """Return all variables that an item finds; its own come first, and may be added to."""
        own = dict(zip(self._columns, item.values, strict=True))
        own["SCOOP_COUNTER"] = str(item.number)
        if self._array is not None:
            own.update(dict.fromkeys(ARRAY_NAMES, item.values[self._array]))
        return ChainMap(own, self._common)

    def encoded(self, variables: ChainMap[str, str]) -> dict[bytes, bytes]:
        """Return variables as a program finds them; what all have in common is encoded already."""
        return {**self._encoded, **_encoded(variables.maps[0])}


def _encoded(variables: Mapping[str, str]) -> dict[bytes, bytes]:
    return {os.fsencode(name): os.fsencode(value) for name, value in variables.items()}
