"""The lines of a log: how they are written, and the one pattern by which they are read again.

What other readers of such logs know stands in lines of its own, exactly as the worker framework
writes it; all else in lines that begin with "# ", which these readers pass over. Pure.

    # scoopmpi sweep 1 {"words": ["--data", "t.csv", "./x"], "directory": "/home/me", …}
    # items 1000 done 812 failed 3
    7 started by 3 at Fri Sep  2 11:47:45 2016
    # 7 9f86d081884c7d65 1472816865.123 12.346 node1 {"signal": 9}
    7 failed by 3 at Fri Sep  2 11:47:57 2016: 137
    # ended 1472816870.001
"""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..items.ended import JOB, Ended

HEADER = b"# scoopmpi sweep 1 "
"""A run begins; behind it, as JSON, what later ones need to know. The number is of the format."""
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_NOBODY = bytes(8)
"""The digest of an item of which none was asked for: it stands for any."""
_OF_SHELLS = 128
"""What shells add to a signal's number, for an exit status."""
_NO_HOST = re.compile(r"[^!-~]")
_DATE = rb"(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})"
_START = rb"(\d{1,18}) started by (\d{1,9}) at " + _DATE + rb"\r?\n"
_DETAIL = rb"# (\d{1,18}) ([0-9a-f]{16}) ([^\r\n]*)\r?\n"
_END = rb"(\d{1,18}) (completed|failed) by (\d{1,9}) at " + _DATE + rb"(?:: (\d{1,9}))?\r?\n"
ENTRIES = re.compile(
    rb"(?:%b)?(?:%b)?%b|%b|(#[^\n]*)\n|([^\n]*)\n" % (_START, _DETAIL, _END, _START)
)
"""One match for each piece of a text of whole lines: an item's end, with what stands before it;
or a start alone; or a remark; or anything else, which is no line of a log. See `Entry`."""


class Entry(NamedTuple):
    """The groups of ENTRIES, each empty where it is not there.

    number, worker, at: of a start in front of an end. noted, digest, detail: of our line on the
        end. ended, word, by, when, status: of the end itself. lone, lone_worker, lone_at: of a
        start that no end follows. remark, rest: lines of neither kind, without their ends.
    """

    number: bytes
    worker: bytes
    at: bytes
    noted: bytes
    digest: bytes
    detail: bytes
    ended: bytes
    word: bytes
    by: bytes
    when: bytes
    status: bytes
    lone: bytes
    lone_worker: bytes
    lone_at: bytes
    remark: bytes
    rest: bytes


class Detail(NamedTuple):
    """What our line says of an end: seconds since 1970, seconds, host, and why where that is known.

    signal: the one that has ended the item, 0 where none has.
    """

    started: float
    seconds: float
    host: str
    signal: int = 0
    why: str = ""


def run(about: Mapping[str, object]) -> bytes:
    """Return the line with which a run begins."""
    return HEADER + json.dumps(about, default=str).encode() + b"\n"


def items(count: int, done: int, failed: int) -> bytes:
    """Return the line that says how many items there are.

    done, failed: of them, as they were at the beginning, and are not run again.
    """
    return b"# items %d done %d failed %d\n" % (count, done, failed)


def over(at: float) -> bytes:
    """Return the line with which a run ends; one that was killed has none."""
    return b"# ended %.3f\n" % at


def started(number: int, worker: int, at: float) -> bytes:
    """Return the line of a start."""
    return b"%d started by %d at %b\n" % (number, worker, _date(at))


def ended(how: Ended) -> bytes:
    """Return the lines of an end.

    Where the end of the batch job has ended the item only a remark: it is to be run again.
    """
    digest = (how.digest or _NOBODY).hex().encode()
    host = _NO_HOST.sub("_", how.host).encode() or b"-"
    times = b"%.3f %.3f" % (how.started, how.seconds)
    detail = b"# %d %b %b %b%b\n" % (how.number, digest, times, host, _more(how))
    if how.why == JOB:
        return detail
    when, tail = _date(how.started + how.seconds), b""
    word = b"completed" if how.well else b"failed"
    if not how.well:
        tail = b": %d" % (_OF_SHELLS - how.status if how.status < 0 else how.status or 1)
    return detail + b"%d %b by %d at %b%b\n" % (how.number, word, how.worker, when, tail)


def _more(how: Ended) -> bytes:
    said: dict[str, object] = {"signal": -how.status} if how.status < 0 else {}
    if how.why:
        said["why"] = how.why
    return b" " + json.dumps(said).encode() if said else b""


def _date(at: float) -> bytes:
    """Return a moment as C's ctime has it: local time, English names in any locale."""
    return time.ctime(at).encode()


# What was written, read again.


def detail_of(text: bytes) -> Detail | None:
    """Return what our line says, behind the digest; None where it says it otherwise."""
    parts = text.split(b" ", 3)
    try:
        started, seconds = float(parts[0]), float(parts[1])
        host = parts[2].decode(errors="replace")
        said = _object(parts[3]) if len(parts) > 3 else {}
    except (ValueError, IndexError):
        return None
    number = said.get("signal")
    known = number if isinstance(number, int) else 0
    return Detail(started, seconds, host, known, str(said.get("why", "")))


def facts(remark: bytes) -> dict[str, Any] | None:
    """Return what a run says at its beginning, in a line without its end; None of other lines."""
    return _object(remark.removeprefix(HEADER)) if remark.startswith(HEADER) else None


def counted(remark: bytes) -> tuple[int, int, int] | None:
    """Return what `items` was given; None of other lines."""
    found = re.fullmatch(rb"# items (\d{1,18})(?: done (\d{1,18}) failed (\d{1,18}))?\r?", remark)
    return None if found is None else (int(found[1]), int(found[2] or 0), int(found[3] or 0))


def is_over(remark: bytes) -> bool:
    """True of the line with which a run ends."""
    return remark.startswith(b"# ended ")


def moment(date: bytes) -> float:
    """Return the seconds since 1970 of a date as `started` writes it; 0 where there is no such."""
    text = date.decode()
    hour, minute, second = map(int, text[11:19].split(":"))
    month = 1 + _MONTHS.find(text[4:7]) // 3
    try:
        return time.mktime((int(text[20:]), month, int(text[8:10]), hour, minute, second, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0


def signal_name(number: int) -> str:
    """Return how users call a signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
