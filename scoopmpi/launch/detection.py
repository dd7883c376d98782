"""The hosts of this job, or of the one that is rehearsed (`--as`)."""

from __future__ import annotations

from collections.abc import Mapping

from . import managers
from .cli.request import Request
from .hosts.allocation import Allocation
from .hosts.asking import asking


def allocation(request: Request, env: Mapping[str, str]) -> Allocation:
    """Return what the batch system gives, or would give.

    env: as `Request.environment` has made it. Raises AllocationError.
    """
    if request.job is not None:
        return request.job.allocation(env)
    return managers.detect(env, request.manager, asking(env))
