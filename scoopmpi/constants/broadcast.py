"""The tree by which one message of rank 0 reaches every worker: who sends it on to whom.

Pure. The message carries the places that its receiver answers for, so that a worker needs to know
nothing of the others. A host gets the data once, by one of its ranks; that one serves the rest.
A rank that has n places to reach hands over half of them with its first message, half of what is
left with the second, and so on: at most ceil(log2(n + 1)) messages, and the tree is about as deep.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """A rank and its host. Ranks whose host is not known are given a name of their own."""

    rank: int
    host: str


class Forward(NamedTuple):
    """A message to send: to whom, and which places the receiver then answers for."""

    to: Place
    behind: tuple[Place, ...]


def forwards(host: str, places: Iterable[Place]) -> list[Forward]:
    """Return the messages of a rank, in the order to send them: first those to other hosts.

    host: the rank's own. places: those that it answers for.
    """
    far: dict[str, list[Place]] = {}
    for place in places:
        far.setdefault(place.host, []).append(place)
    near = far.pop(host, [])
    hosts = sorted(far.values(), key=len)
    left = sum(map(len, hosts))
    abroad, at_home = [], []
    while near or hosts:
        half = (len(near) + left + 1) // 2
        if left >= half:
            abroad.append(_forward(_largest(hosts, half)))
            left -= 1 + len(abroad[-1].behind)
        else:  # then there are so many here
            at_home.append(_forward(near[:half]))
            del near[:half]
    return abroad + at_home


def _largest(hosts: list[list[Place]], wanted: int) -> list[Place]:
    """Take whole hosts from the end of the list until they have as many ranks as wanted."""
    taken: list[Place] = []
    while len(taken) < wanted:
        taken += hosts.pop()
    return taken


def _forward(places: Sequence[Place]) -> Forward:
    return Forward(places[0], tuple(places[1:]))
