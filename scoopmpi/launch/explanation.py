"""What was detected and why, for a person to read: `--explain`, `--showsched`, `--showmpi`. Pure.

Says what is there and what failed; finds out nothing. In plain ASCII, as job logs are.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from .flavours.command_line import CommandLine
from .flavours.ranks import Ranks
from .hosts import placement
from .hosts.allocation import LOCAL, Allocation, Host
from .hosts.placement import Binding
from .rehearsal.jobs import Job

MOST_LINES = 16
"""Hosts with a line each; beyond, neighbours with the same workers and cores share one."""
_LABELS = 14
_WIDEST_ROW = 64
_LONGEST_VALUE = 160


@dataclass(frozen=True, slots=True)
class Findings:
    """What a start consists of, as far as it was found.

    farm: rank 0 is no worker. given: the allocation as detected. placed: the same with the workers
    asked for. library, flavour, mpirun: texts. composed: the command line of the launcher.
    threads: where each variable for threads comes from. rehearsed: the job of --as.
    failed: what failed, by the part that it belongs to (`hosts`, `workers`, `library`, `program`,
    `command`).
    """

    env: Mapping[str, str]
    farm: bool
    binding: Binding
    given: Allocation | None = None
    placed: Allocation | None = None
    library: str | None = None
    flavour: str | None = None
    mpirun: str | None = None
    ranks: Ranks | None = None
    composed: CommandLine | None = None
    threads: Mapping[str, str] = field(default_factory=dict)
    rehearsed: Job | None = None
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def worker(self) -> str:
        """Return the word for what a slot takes."""
        return "worker" if self.farm else "rank"


Row = tuple[str, str]


def text(findings: Findings, width: int, emphasise: Callable[[str], str] = str) -> Iterator[str]:
    """Yield the explanation line by line; the command is one line, however long.

    width: of the terminal, in characters. emphasise: makes a label stand out.
    """
    for label, value in rows(findings):
        shown = textwrap.wrap(
            value, max(40, width - _LABELS), break_long_words=False, break_on_hyphens=False
        )
        for number, line in enumerate(shown or [""]):
            space = " " * (_LABELS if number else _LABELS - len(label))
            yield ("" if number or not label else emphasise(label)) + space + line
        if label == "Hosts" and findings.placed is not None:
            yield ""
            yield from (f"{'':<{_LABELS}}{line}".rstrip() for line in picture(findings))
            yield ""
    if findings.rehearsed is not None:
        yield emphasise("Job script")
        yield from _job_script(findings.rehearsed, findings.farm)
        yield ""
    if findings.composed is not None:
        yield emphasise("Command")
        yield findings.composed.for_shell()


def rows(findings: Findings) -> Iterator[Row]:
    """Yield labels and values."""
    if findings.rehearsed is not None:
        yield from _rehearsal(findings.rehearsed)
    yield from _hosts(findings)
    yield from _library(findings)
    yield from _failure(findings, "program", "Program")
    if findings.ranks is not None:
        yield from _ranks(findings, findings.ranks)
    elif findings.placed is not None:  # as without the module of an MPI
        yield "Threads", f"{findings.placed.threads} for each {findings.worker}"
    yield from _failure(findings, "command", "Command")


def _rehearsal(job: Job) -> Iterator[Row]:
    yield "Rehearsal", f"{job.shape.text}: {job.shape}; the names of hosts are made up"
    for note in job.notes:
        yield "  note", note
    if job.hybrid is not None:
        told = f"--hybrid {job.hybrid} in the job script shares them out, as it does here"
        yield "  note", f"this batch system gives cores, not tasks of several: {told}"


def _job_script(job: Job, farm: bool) -> Iterator[str]:
    """Yield the lines to paste: what asks for the job, and how workers come to several cores."""
    yield from job.directives
    if job.hybrid is not None:
        command = "myscoop" if farm else "mympirun"
        yield f"# below: {command} --hybrid {job.hybrid} PROGRAM"


def _hosts(findings: Findings) -> Iterator[Row]:
    given, placed = findings.given, findings.placed
    yield from _failure(findings, "hosts", "Batch system")
    if given is not None:
        none = "none: this machine" if given.manager == LOCAL else given.manager
        yield "Batch system", none
        for number, name in enumerate(given.evidence):
            yield ("" if number else "  because of"), _evidence(name, findings.env)
        for note in dict.fromkeys((*given.warnings, *given.notes)):
            yield "  note", note
    yield from _failure(findings, "workers", "Workers")
    if given is not None and placed is not None:
        workers = _count(placed.slots, findings.worker)
        asked = "" if placed.slots == given.slots else f" of {given.slots} slots"
        hosts = _count(len(placed.hosts), "host")
        yield "Hosts", f"{hosts}, {workers}{asked}, {_count(placed.cores, 'core')}"
        for warning in placed.warnings[len(given.warnings) :]:
            yield "  note", warning


def _library(findings: Findings) -> Iterator[Row]:
    yield from _failure(findings, "library", "MPI")
    if findings.mpirun is not None:
        yield "MPI", findings.library or "nothing known of the library"
        yield "  flavour", findings.flavour or "?"
        yield "  launcher", findings.mpirun


def _ranks(findings: Findings, ranks: Ranks) -> Iterator[Row]:
    workers = ranks.count - 1 if findings.farm else ranks.count
    first = "rank 0, which takes no slot, and " if findings.farm else ""
    yield "Ranks", f"{ranks.count}: {first}{_count(workers, findings.worker)}"
    each = f"{ranks.threads} for each {findings.worker}"
    yield "Threads", f"{each}: " + ", ".join(f"{k}={v}" for k, v in findings.threads.items())
    yield "Pinning", _pinning(findings, ranks)
    if findings.farm:
        shared = f"on hosts that have some, each {findings.worker} sees its share of them"
        yield "GPUs", "all workers see all (--all-gpus)" if findings.binding.all_gpus else shared
    if ranks.asked.agent:
        yield "Daemons", f"started by {ranks.asked.agent}"
    if findings.composed is not None:
        yield "Environment", _handed_over(findings.composed, ranks)
    set_here = ", ".join(f"{name}={_short(value)}" for name, value in ranks.variables.items())
    yield "  set", set_here or "nothing"
    for note in findings.composed.notes if findings.composed else ():
        yield "  note", note


def _pinning(findings: Findings, ranks: Ranks) -> str:
    if findings.placed is None:
        return "not known without hosts"
    way, why_not = placement.pinning(findings.placed, findings.binding, findings.farm)
    if way is None:
        return f"none: {why_not}"
    who = "each worker pins itself" if findings.farm else f"by {findings.flavour}"
    return f"{way}, {who}, to {_count(ranks.threads, 'core')}"


def _handed_over(composed: CommandLine, ranks: Ranks) -> str:
    """Return the variables that are handed over; only Open MPI names each, as `-x NAME`."""
    words = composed.argv[: len(composed.argv) - len(ranks.program)]
    names = [name for word, name in pairwise(words) if word == "-x" and "=" not in name]
    why = "same machine" if ranks.manager == LOCAL else "the launcher sees to it"
    return ", ".join(names) or f"all of it: {why}"


def _failure(findings: Findings, part: str, label: str) -> Iterator[Row]:
    if part in findings.failed:
        yield label, f"FAILED: {findings.failed[part]}"


def _evidence(name: str, env: Mapping[str, str]) -> str:
    return f"{name}={_short(env[name])}" if name in env else name


def _short(value: str) -> str:
    """Return a value on one line, and not the longest of lines."""
    plain = value if value.isprintable() else repr(value)[1:-1]
    return plain if len(plain) <= _LONGEST_VALUE else plain[: _LONGEST_VALUE - 3] + "..."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


# The picture.


def picture(findings: Findings) -> Iterator[str]:
    """Yield a line for each host with a box for each worker, `[##]` with two cores.

    More than 16 hosts are folded: neighbours that look alike share a line, and of these lines the
    first 16 are shown.
    """
    hosts = findings.placed.hosts if findings.placed else ()
    groups = [[host] for host in hosts]
    if len(hosts) > MOST_LINES:
        alike = groupby(hosts, key=lambda host: (host.slots, host.cores))
        groups = [list(each) for _, each in alike]
    shown = groups[:MOST_LINES]
    width = max((len(_names(group)) for group in shown), default=0)
    for number, group in enumerate(shown):
        origin = "0" if findings.farm and number == 0 else " "
        yield f"{_names(group):<{width}}  {origin} {_boxes(group[0])}".rstrip()
    left = sum(map(len, groups[MOST_LINES:]))
    if left:
        yield f"... and {_count(left, 'more host')}"
    yield ""
    yield from _legend(findings, hosts)


def _legend(findings: Findings, hosts: Sequence[Host]) -> Iterator[str]:
    signs = [f"[##] a {findings.worker} and its cores"]
    if any(host.slots > host.cores for host in hosts):
        signs = [f"[-]  a {findings.worker} that shares its core"]
    if any(host.cores % max(1, host.slots) for host in hosts if host.slots <= host.cores):
        signs.append(".    a core that is left over")
    if findings.farm:
        signs.append("0    where rank 0 is")
    yield from signs


def _names(hosts: Sequence[Host]) -> str:
    if len(hosts) == 1:
        return hosts[0].name
    return f"{hosts[0].name} ... {hosts[-1].name} ({len(hosts)} hosts)"


def _boxes(host: Host) -> str:
    crowded = host.slots > host.cores
    box = "[-]" if crowded else f"[{'#' * host.threads}]"
    left = 0 if crowded else host.cores - host.slots * host.threads
    if len(box) * host.slots + left <= _WIDEST_ROW:
        return box * host.slots + "." * left
    if len(box) > _WIDEST_ROW // 2:
        box = f"[{host.threads} cores]"
    return f"{box} x {host.slots}" + (f" and {left} left over" if left else "")


# Lists of what is known.


def known(title: str, rows: Sequence[tuple[bool, str, str]], footer: str) -> Iterator[str]:
    """Yield a table of names and remarks; those that are there have a star."""
    width = max((len(name) for _, name, _ in rows), default=0)
    yield title
    for there, name, remark in rows:
        yield f"  {'*' if there else ' '} {name:<{width}}  {remark}".rstrip()
    yield footer
