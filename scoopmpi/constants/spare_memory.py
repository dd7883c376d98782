"""How much memory this process may still take: what the host has left, and its cgroups allow.

Linux only; elsewhere nobody knows, and there is no limit. Pages of a shared memory file are not
refused when there are too many, something is killed instead: so it is looked before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")


def spare(root: Path = ROOT) -> int:
    """Return the bytes that this process may still take. root: where the system's files are."""
    free = 1024 * _field(_text(root / "proc/meminfo"), "MemAvailable:") or sys.maxsize
    return max(0, min((free, *_left_by_cgroups(root))))


def _left_by_cgroups(root: Path) -> Iterator[int]:
    """Yield what the process's cgroups, and all around them, leave it (cgroup-v1, cgroup-v2)."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            names, mount = ("memory.max", "memory.current", "inactive_file"), "."
        elif "memory" in controllers.split(","):
            names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
            mount = "memory"
        else:
            continue
        top = root / "sys/fs/cgroup" / mount
        inner = top / path.strip("/")
        for place in (inner, *inner.parents):
            most, used = _text(place / names[0]).strip(), _text(place / names[1]).strip()
            if most.isdigit() and used.isdigit():
                # Of what is used, files are given up when memory is short.
                yield int(most) - int(used) + _field(_text(place / "memory.stat"), names[2])
            if place == top:
                break


def _field(text: str, name: str) -> int:
    for line in text.splitlines():
        words = line.split()
        if words[:1] == [name]:
            return int(words[1])
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
