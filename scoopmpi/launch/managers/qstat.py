"""Read what `qstat -f` of OpenPBS and PBS Pro says of a running job: its chunks. Pure.

A chunk is what `select` asks for and what lies on one host. `exec_vnode` has a parenthesis for
each, with the vnodes of its host; `exec_host` the host's name for each, in the same order
(PBS Professional Reference Guide, "Job Attributes"; as seen with OpenPBS 23.06).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_VNODES = re.compile(r"\(([^()]*)\)")
_BRACKET = re.compile(r"\[\d+\]\Z", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


class Chunk(NamedTuple):
    """A host, the cores of the job there, and what was asked of it, None where nothing was."""

    host: str
    cores: int
    mpiprocs: int | None
    threads: int | None


def chunks(text: str, job: str) -> list[Chunk] | None:
    """Return the chunks of a job in an answer of `qstat -f`; None where it does not tell them."""
    said = _attributes(text, job)
    placed = _placed(said.get("exec_vnode", ""))
    asked = _asked(said.get("Resource_List.select", ""), len(placed))
    names = [host.partition("/")[0] for host in said.get("exec_host", "").split("+")]
    if not placed or asked is None:
        return None
    if len(names) != len(placed):  # then the vnodes' own: `pbs1[0]` is a part of pbs1
        names = [_BRACKET.sub("", vnode) for vnode, _ in placed]
    return [
        Chunk(name, cores, _number(wanted.get("mpiprocs")), _number(wanted.get("ompthreads")))
        for name, (_, cores), wanted in zip(names, placed, asked, strict=True)
    ]


def _attributes(text: str, job: str) -> Mapping[str, str]:
    """Return the attributes of the job with this number; long values go on after a tab."""
    unfolded = text.replace("\r\n", "\n").replace("\n\t", "")
    for part in re.split(r"^Job Id:", unfolded, flags=re.MULTILINE)[1:]:
        name, *rest = part.split("\n")
        # The server's name behind the number is long here and short there.
        if name.strip().partition(".")[0] == job.partition(".")[0]:
            pairs = (line.partition(" = ") for line in rest)
            return {key.strip(): value.strip() for key, _, value in pairs}
    return {}


def _placed(text: str) -> list[tuple[str, int]]:
    """Return `(n1[0]:ncpus=2+n1[1]:ncpus=2)+(n2:ncpus=8)` as (n1[0], 4), (n2, 8)."""
    found = []
    for chunk in _VNODES.findall(text):
        vnodes = [vnode.split(":") for vnode in chunk.split("+")]
        counts = [_number(_settings(words[1:]).get("ncpus")) or 0 for words in vnodes]
        found.append((vnodes[0][0], sum(counts)))
    return found


def _asked(text: str, count: int) -> list[Mapping[str, str]] | None:
    """Return `2:ncpus=4+ncpus=2` as three times what was asked, None where it is not so many times.

    They are not where nodes have been given back, or were asked for in reserve: then it matters
    only that all chunks were asked for alike.
    """
    if not text:
        return None
    requested: list[tuple[int, Mapping[str, str]]] = []
    for part in text.split("+"):
        words = part.split(":")
        times = _number(words[0])
        requested.append((1 if times is None else times, _settings(words)))
    if sum(times for times, _ in requested) == count:
        return [wanted for times, wanted in requested for _ in range(times)]
    first = requested[0][1]
    return [first] * count if all(wanted == first for _, wanted in requested) else None


def _settings(words: list[str]) -> Mapping[str, str]:
    return dict(word.split("=", 1) for word in words if "=" in word)


def _number(text: str | None) -> int | None:
    return int(text) if text and _NUMBER.fullmatch(text) else None
