"""Numbers as people read them: times, sizes, counts and shares, with units and few digits.

Texts only; what is counted is not known here.
"""

from __future__ import annotations

_BYTES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_SHORT = ((1.0, "s", 1.0), (1e-3, "ms", 1e3), (1e-6, "µs", 1e6))


def duration(seconds: float) -> str:
    """Return a time in words: `42 µs`, `1.25 ms`, `12.3 s`, `4 min 05 s`, `2 h 13 min`, `3 d 4 h`.

    seconds: 0 or more.
    """
    if seconds < 99.95:
        return _short(seconds)
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h"


def _short(seconds: float) -> str:
    if seconds < 0.5e-9:
        return "0 s"
    for least, unit, factor in _SHORT:
        if seconds >= least * 0.9995:
            return f"{digits(seconds * factor)} {unit}"
    return f"{digits(seconds * 1e6)} µs"


def digits(value: float) -> str:
    """Return a number with three digits at most before they mean nothing: `1.25`, `12.3`, `140`."""
    size = abs(value)
    if size >= 99.95:
        return f"{value:,.0f}"
    text = f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"
    return text.rstrip("0").rstrip(".") or "0"


def count(number: float, one: str = "", more: str = "") -> str:
    """Return a number of things: `1,234`, `1 task`, `3 tasks`, `2 batches`.

    one, more: the word for one, and for several where that is not the same with an s.
    """
    text = f"{number:,.0f}"
    if not one:
        return text
    return f"{text} {one if number == 1 else more or one + 's'}"


def share(part: float, whole: float = 1.0) -> str:
    """Return a part of a whole in percent: `12 %`, `0.4 %`, `< 0.1 %`."""
    if whole <= 0 or part <= 0:
        return "0 %"
    percent = 100 * part / whole
    if percent < 0.1:
        return "< 0.1 %"
    if percent < 9.95:
        return f"{percent:.1f}".removesuffix(".0") + " %"
    if percent < 100 and round(percent) == 100:
        return f"{percent:.1f} %" if percent < 99.95 else "> 99.9 %"
    return f"{percent:.0f} %"


def size(number: float) -> str:
    """Return a number of bytes: `512 B`, `1.2 GB`; nothing where it is not known, which is 0."""
    if number <= 0:
        return ""
    for unit, name in _BYTES:
        if number >= unit * 0.9995:
            return f"{digits(number / unit)} {name}"
    return f"{number:.0f} B"


def some(names: list[str], most: int = 3) -> str:
    """Return names in a row: `a`, `a and b`, `a, b, c and 4 more`."""
    shown, left = names[:most], len(names) - most
    if left == 1:
        shown, left = names, 0
    if left > 0:
        return f"{', '.join(shown)} and {left:,} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1] if shown else ""]))
