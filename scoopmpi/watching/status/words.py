"""Seconds, bytes and moments as a person reads them."""

from __future__ import annotations

import time

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_YEAR = 365 * _DAY
_FARTHEST = 1e11
"""Of moments: some systems have no date beyond."""


def duration(seconds: float) -> str:
    """Return some seconds with two units at most: `2.5 s`, `75 s`, `12 min`, `3 h 05 min`."""
    whole = round(seconds)
    if whole < 10:
        return f"{max(seconds, 0.0):.2g} s"
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    if whole < 10 * _MINUTE:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    minutes = round(seconds / _MINUTE)
    if minutes < 60:
        return f"{minutes} min"
    if minutes <= _DAY // _MINUTE:
        return f"{minutes // 60} h {minutes % 60:02} min"
    hours = round(seconds / _HOUR)
    return f"{hours // 24} d {hours % 24:02} h"


def memory(size: float) -> str:
    """Return some bytes: `340 MB`, `1.2 GB`."""
    if size < 999.5e6:
        return f"{size / 1e6:.0f} MB"
    return f"{size / 1e9:.1f} GB" if size < 99.95e9 else f"{size / 1e9:.0f} GB"


def moment(seconds: float, now: float) -> str:
    """Return a moment by this machine's clock: `14:05:30`, with the day where it is not today's."""
    then, today = time.localtime(min(max(seconds, 0.0), _FARTHEST)), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M:%S", then)
    year = "" if abs(seconds - now) < _YEAR else " %Y"
    return time.strftime(f"%a %d %b{year} %H:%M", then)


def share(part: float) -> str:
    """Return a share of 1 in percent."""
    return f"{100 * part:.0f} %"


def rate(each_second: float) -> str:
    """Return a number of tasks a second, a minute or an hour, whichever is above 1."""
    number, unit = each_second, "a second"
    if number < 1:
        number, unit = each_second * _MINUTE, "a minute"
    if number < 1:
        number, unit = each_second * _HOUR, "an hour"
    return f"{number:.0f} {unit}" if number >= 100 else f"{number:.2g} {unit}"
