"""How much memory is left: on this system, and on systems made of files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from scoopmpi.constants.spare_memory import spare

MiB = 1 << 20


def system(root: Path, files: dict[str, str]) -> Path:
    for name, text in {"proc/meminfo": "MemFree: 1 kB\nMemAvailable: 8192 kB\n", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


V2 = {
    "proc/self/cgroup": "0::/job/step\n",
    "sys/fs/cgroup/job/memory.max": f"{6 * MiB}\n",
    "sys/fs/cgroup/job/memory.current": f"{4 * MiB}\n",
    "sys/fs/cgroup/job/memory.stat": f"anon 5\ninactive_file {MiB}\n",
    "sys/fs/cgroup/job/step/memory.max": "max\n",
    "sys/fs/cgroup/job/step/memory.current": f"{3 * MiB}\n",
}
V1 = {
    "proc/self/cgroup": "5:cpu:/a\n4:hugetlb,memory:/job\n0::/\n",
    "sys/fs/cgroup/memory/job/memory.limit_in_bytes": f"{5 * MiB}\n",
    "sys/fs/cgroup/memory/job/memory.usage_in_bytes": f"{MiB}\n",
}
CONTAINER = {
    "proc/self/cgroup": "0::/docker/0123\n",
    "sys/fs/cgroup/memory.max": f"{2 * MiB}\n",
    "sys/fs/cgroup/memory.current": f"{3 * MiB}\n",
}


@pytest.mark.parametrize(
    ("files", "left"), [({}, 8), (V2, 3), (V1, 4), (CONTAINER, 0)],
    ids=["host", "cgroup-v2", "cgroup-v1", "container"],
)  # fmt: skip
def test_the_least_that_is_allowed(files: dict[str, str], left: int, tmp_path: Path) -> None:
    assert spare(system(tmp_path, files)) == left * MiB


def test_a_system_that_says_nothing_has_no_limit(tmp_path: Path) -> None:
    assert spare(tmp_path) == sys.maxsize


@pytest.mark.skipif(not os.path.exists("/proc/meminfo"), reason="Linux says what it has")
def test_this_system_has_some() -> None:
    assert spare() > MiB
