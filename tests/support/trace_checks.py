"""A checker of trace files: what Perfetto asks of them, and what we promise."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from scoopmpi.watching.trace.form import FORMAT

Event: TypeAlias = dict[str, Any]
_NEEDS = {
    "X": {"ts", "dur", "name", "cat", "args"}, "b": {"ts", "id2", "cat", "name"},
    "e": {"ts", "id2", "cat", "name"}, "i": {"ts", "s", "name", "cat"},
    "C": {"ts", "name", "args"}, "M": {"name", "args"},
}  # fmt: skip


def loaded(path: Path) -> list[Event]:
    """The events of a file that must be whole and well formed."""
    found = json.loads(path.read_text())
    assert found["displayTimeUnit"] == "ms" and found["otherData"]["format"] == FORMAT
    events: list[Event] = found["traceEvents"]
    return checked(events)


def checked(events: list[Event], ended: bool = True) -> list[Event]:
    """The events, after a look at each of them. ended: what begins must end."""
    for event in events:
        assert type(event["pid"]) is int and type(event["tid"]) is int, event
        assert event.keys() >= _NEEDS[event["ph"]], event
        for key in ("ts", "dur"):
            assert type(event.get(key, 0)) is int and event.get(key, 0) >= 0, event
        assert event["ph"] != "i" or event["s"] == "p", event
        if event["ph"] == "C":
            assert all(type(value) is int for value in event["args"].values()), event
    _named(events)
    _paired(events, ended)
    nested(events)
    return events


def _named(events: Iterable[Event]) -> None:
    names = {
        (event["pid"], event["tid"], event["name"]): event["args"] for event in events
        if event["ph"] == "M"
    }  # fmt: skip
    for event in events:
        pid, tid = event["pid"], event["tid"]
        assert (pid, 0, "process_name") in names, event
        assert not pid or (pid, tid, "thread_name") in names or event["ph"] == "M", event


def _paired(events: Iterable[Event], ended: bool) -> None:
    open_: dict[tuple[str, int, str], int] = {}
    for event in events:
        key = event.get("cat", ""), event["pid"], str(event.get("id2"))
        if event["ph"] == "b":
            assert key not in open_, event
            open_[key] = event["ts"]
        elif event["ph"] == "e":
            assert open_.pop(key) <= event["ts"], event
    assert not (ended and open_), open_


def nested(events: Iterable[Event]) -> None:
    """Check that spans of one line nest or follow one another: Perfetto drops those that do not."""
    lines = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            begin, end = event["ts"], event["ts"] + event["dur"]
            lines[event["pid"], event["tid"]].append((begin, -end, event))
    for line in lines.values():
        around: list[int] = []
        for begin, end, event in sorted(line, key=lambda each: each[:2]):
            while around and around[-1] <= begin:
                around.pop()
            assert not around or -end <= around[-1], (event, around)
            around.append(-end)


def spans(events: Iterable[Event], cat: str = "batch") -> list[Event]:
    """Those of one kind that last."""
    return [event for event in events if event["ph"] == "X" and event["cat"] == cat]


def total(found: Iterable[Event], what: str) -> int:
    """The sum of a number that spans have."""
    return sum(event["args"].get(what, 0) for event in found)


def end(events: Iterable[Event]) -> Event:
    """What the last event says of the whole run."""
    (found,) = [event for event in events if event.get("cat") == "run" and event["name"] == "end"]
    args: Event = found["args"]
    return args
