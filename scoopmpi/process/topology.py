"""The physical cores of this machine, as Linux tells of them in /sys. Reads files, nothing else.

For the launcher, which counts cores, and for workers, which pin themselves to some. Imports
nothing of the project. Files: Documentation/admin-guide/cputopology.rst of the kernel.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

SYSTEM = Path("/sys/devices/system/cpu")
_NUMBERS = re.compile(r"\d{1,9}", re.ASCII)


class Core(NamedTuple):
    """Describes a physical core: its usable CPUs (hyper-threads), and its socket."""

    cpus: tuple[int, ...]
    package: int


def cores(allowed: Iterable[int], root: Path = SYSTEM) -> list[Core]:
    """Return the cores behind the CPUs that may be used, in order of socket, then of first CPU.

    Each CPU is in exactly one core. Where /sys says nothing, it is one by itself, in socket 0.
    """
    found: dict[tuple[int, str], list[int]] = {}
    for cpu in sorted(set(allowed)):
        topology = root / f"cpu{cpu}" / "topology"
        # Machines without sockets, like many ARM ones, call theirs -1.
        package = max(0, _number(topology / "physical_package_id", 0))
        found.setdefault((package, _core(topology, cpu)), []).append(cpu)
    ordered = sorted(found.items(), key=lambda item: (item[0][0], item[1][0]))
    return [Core(tuple(cpus), package) for (package, _), cpus in ordered]


def _core(topology: Path, cpu: int) -> str:
    """Name what the CPUs of one core share: the first sibling, which need not be allowed."""
    for name in ("core_cpus_list", "thread_siblings_list"):  # the kernel's name since 5.3, before
        siblings = _NUMBERS.match(_text(topology / name))
        if siblings:
            return f"siblings of {int(siblings[0])}"
    core = _number(topology / "core_id", -1)
    return f"core {core}" if core >= 0 else f"CPU {cpu}"


def _number(path: Path, otherwise: int) -> int:
    found = _NUMBERS.fullmatch(_text(path))
    return int(found[0]) if found else otherwise


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
