"""Flux: the broker is asked, as its variables name no hosts.

What it answers is a resource set "R" in JSON (Flux RFC 20): ranks with their cores, and host
names in the order of the ranks. The variables are those of flux-environment(7), the commands
those of flux-resource(1) and flux-job(1). Not tried in a real instance.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from ...process.asking import Ask
from ..hosts.allocation import Allocation, AllocationError, Host, merged
from ..hosts.brackets import expanded, first, ranges

NAME = "flux"
TITLE = "Flux"
ALIASES: tuple[str, ...] = ()
VARIABLES = ("FLUX_",)
DAEMONS = ("flux-broker",)
"""By documentation only."""


def allocation(env: Mapping[str, str], ask: Ask) -> Allocation | None:
    """Return all cores of a Flux instance (`flux alloc`, `flux batch`) or of a job in it."""
    uri, job = env.get("FLUX_URI"), env.get("FLUX_JOB_ID")
    if not uri and not job:
        return None
    if not uri:
        raise AllocationError(f"FLUX_JOB_ID={job} is set but FLUX_URI is not")
    for words in _questions(job):
        answer = ask(words)
        if answer:
            command = " ".join(words)
            hosts = merged(_hosts(answer, f"`{command}`"), f"`{command}`")
            return Allocation(NAME, hosts, ("FLUX_JOB_ID" if job else "FLUX_URI", command))
    raise AllocationError(
        f"FLUX_URI={uri} is set, but `{' '.join(_questions(job)[0])}` gives no answer: "
        "is `flux` on PATH, and does the instance run?"
    )


def _questions(job: str | None) -> Sequence[tuple[str, ...]]:
    """Return the commands to ask; within a job the URI is that of the instance around it.

    That may be the whole cluster.
    """
    if job:
        return (("flux", "job", "info", job, "R"),)
    # The second is for versions whose `flux resource` has no R.
    return ("flux", "resource", "R", "-s", "up"), ("flux", "kvs", "get", "resource.R")


def _hosts(answer: str, source: str) -> list[Host]:
    try:
        execution = json.loads(answer)["execution"]
        each = (expanded(str(text), source) for text in execution["nodelist"])
        names = first(chain.from_iterable(each), source)
        cores: dict[int, int] = {}
        for entry in execution["R_lite"]:
            count = sum(high - low + 1 for low, high in _ranges(entry["children"]["core"], source))
            for low, high in _ranges(entry["rank"], source):
                if len(cores) + high - low >= 2 * len(names):  # a rank may come twice
                    raise AllocationError(f"{source}: more ranks than {len(names)} host names")
                cores |= dict.fromkeys(range(low, high + 1), count)
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        raise AllocationError(f"{source} answers no resource set: {problem!r}") from None
    if len(names) != len(cores):
        raise AllocationError(f"{source}: {len(names)} host names for {len(cores)} ranks")
    return [Host(name, cores[rank]) for name, rank in zip(names, sorted(cores), strict=True)]


def _ranges(idset: object, source: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of an idset (Flux RFC 22): `0-3,7`."""
    return ((low, high) for low, high, _ in ranges(str(idset), source))
