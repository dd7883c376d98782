"""The hosts of this job, or of the one that is rehearsed (`--as`), with the workers asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..process.asking import asking
from . import managers
from .hosts import placement
from .hosts.allocation import Allocation
from .managers import local

if TYPE_CHECKING:  # `python -m scoopmpi` comes by here without click
    from .cli.request import Request


def allocation(request: Request, env: Mapping[str, str]) -> Allocation:
    """Return what the batch system gives, or would give.

    env: as `Request.environment` has made it. Raises AllocationError.
    """
    if request.job is not None:
        return request.job.allocation(env)
    return managers.detect(env, request.manager, asking(env))


def placed(given: Allocation, request: Request, farm: bool) -> Allocation:
    """Return it with the workers asked for, and a warning where they are more than cores.

    farm: they are called workers. Raises AllocationError. Nobody is warned who asks for several on
    a slot (`--multi`).
    """
    wanted = request.placement
    found = placement.placed(given, wanted)
    if wanted.times > 1:
        return found
    return warned(given, found, "worker" if farm else "rank", "--multi {}")


def warned(given: Allocation, asked: Allocation, what: str, meant: str) -> Allocation:
    """Return the allocation `asked`, with a warning where its workers are more than cores.

    given: the one before the user has named a number. what: a slot takes. meant: the option that
    says that it is meant; `{}` in it is for how many share a core.
    """
    cpus = local.cores({local.HYPERTHREADS: "1"}) if asked.local else None
    host = placement.crowded(given, asked, cpus)
    if host is None:
        return asked
    cores = f"{host.cores} core{'' if host.cores == 1 else 's'}"
    where = "" if asked.local else f" of {host.name}"
    text = (
        f"{host.slots} {what}s share {cores}{where} and compute no faster than {host.cores}: for "
        f"trying out ({meant.format(math.ceil(host.slots / host.cores))}, if it is meant)"
    )
    return replace(asked, warnings=(*asked.warnings, text))
