"""What a trace says of its run, in lines for a person: when, where, how many tasks of what."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from . import form
from .reading import Event, Trace


@dataclass(slots=True)
class Function:
    """The tasks of one function. longest: seconds of a task, where a span tells it."""

    tasks: int = 0
    failed: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    peak: int = 0


@dataclass(slots=True)
class Summary:
    """What is in a trace. last: microseconds of its last event. busy: seconds of all workers."""

    hosts: int = 0
    workers: int = 0
    lost: int = 0
    jobs: int = 0
    spans: int = 0
    last: int = 0
    busy: float = 0.0
    running: int = 0
    functions: dict[str, Function] = field(default_factory=dict)


def described(trace: Trace) -> str:
    """Return what is in a trace, in lines."""
    found = _summed(trace)
    return "\n".join([*_head(trace, found), *_run(trace, found), *_functions(trace, found)])


def _summed(trace: Trace) -> Summary:
    found = Summary()
    for event in trace.events():
        found.last = max(found.last, event.get("ts", 0) + event.get("dur", 0))
        kind, cat = event.get("ph"), event.get("cat")
        if kind == "X" and cat == form.BATCH:
            _add(found, event)
        elif kind == "M":
            found.hosts += event["name"] == "process_name" and event["pid"] > 0
            found.workers += event["name"] == "thread_name"
        elif kind == "b" and cat == form.JOB:
            found.jobs += 1
        elif cat == form.LOSS and event["name"].startswith("worker "):
            found.lost += 1
    return found


def _add(found: Summary, event: Event) -> None:
    args = event["args"]
    busy, tasks = args.get("busy", event["dur"]) / 1e6, args.get("tasks", 0)
    found.spans += 1
    found.busy += busy
    found.running += args.get("end") == form.RUNNING
    function = found.functions.setdefault(event["name"], Function())
    function.tasks += tasks
    function.failed += args.get("failed", 0)
    function.seconds += busy
    function.peak = max(function.peak, args.get("peak", 0))
    if tasks:
        function.longest = max(function.longest, busy / tasks)


def _head(trace: Trace, found: Summary) -> list[str]:
    if trace.end is not None:
        state = "whole"
    elif trace.whole:
        state = "the run has not come to its end: it was killed, or goes on"
    else:
        state = "cut off, as its run was killed; myscoop trace FILE -o NEW.json writes a whole one"
    lines = [f"{trace.path}: {found.spans} spans, {state}"]
    if command := trace.other.get("command"):
        lines.append(f"command     {command}")
    return lines


def _run(trace: Trace, found: Summary) -> list[str]:
    seconds = found.last / 1e6 if trace.end is None else trace.end.get("seconds", 0.0)
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(trace.other.get("began", 0)))
    status = "" if trace.end is None else f", exit status {trace.end.get('status')}"
    share = found.busy / (seconds * found.workers) if seconds and found.workers else 0.0
    lines = [
        f"began       {began}, {seconds:.6g} s long{status}",
        f"workers     {found.workers} on {_many(found.hosts, 'host')}, {share:.0%} busy"
        + (f", {found.lost} lost" if found.lost else ""),
        f"jobs        {found.jobs}",
    ]
    if found.running:
        lines.append(f"running     {_many(found.running, 'batch', 'batches')} at the end")
    coarse = 0 if trace.end is None else trace.end.get("coarsened", 0)
    if coarse:
        lines.append(f"coarse      batches below {coarse:g} s are put together")
    return lines


def _functions(trace: Trace, found: Summary) -> Iterable[str]:
    functions = found.functions
    if trace.end is not None:  # which is exact also where spans are coarse
        functions = {
            name: Function(
                exact["tasks"], exact["failed"], exact["seconds"], exact["max"], exact["peak"]
            )
            for name, exact in trace.end.get("functions", {}).items()
        }
    if not functions:
        return
    width = min(max(map(len, functions)), 40)
    titles = f"{'tasks':>10}  {'failed':>6}  {'seconds':>10}  {'longest':>9}  peak"
    yield f"{'function':{width}}  {titles}"
    for name, each in sorted(functions.items(), key=lambda item: -item[1].seconds):
        peak = f"{each.peak / 1e6:.0f} MB" if each.peak else ""
        yield (
            f"{name[:40]:{width}}  {each.tasks:>10}  {each.failed:>6}  {each.seconds:>10.4g}  "
            f"{each.longest:>9.3g}  {peak}"
        ).rstrip()


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"
