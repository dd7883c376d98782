"""Each worker sees its share of the host's GPUs, through the variables that CUDA and ROCm obey.

Which GPUs are the job's is said by the same variables, as the batch system has set them; else they
are those of the machine that may be opened. Starts no process and loads no library for it.
Not tried on a machine with GPUs; what it rests on is said beside it.
"""

from __future__ import annotations

import os
import re
from collections.abc import MutableMapping, Sequence
from pathlib import Path

from .launcher_variables import LocalRank

CUDA, ROCR, HIP = "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"
_NVIDIA, _AMD = (CUDA,), (HIP, ROCR, CUDA)
"""The variables that say what a program sees, the decisive one first. On AMD's GPUs HIP counts
among what ROCR has left, and obeys CUDA's where its own is missing (ROCm, "GPU isolation")."""
_DEVICE = re.compile(r"\d{1,4}|(GPU|MIG)-[\w/-]{1,200}", re.ASCII)
"""A number, or a name (CUDA's programming guide, "CUDA environment variables")."""
_NODE = re.compile(r"nvidia\d{1,4}", re.ASCII)


def share(of: Sequence[str], index: int, workers: int) -> list[str]:
    """Return the GPUs of the worker with this number: neighbours where there are enough, else one.

    of: all GPUs of the job here. index: the worker's number, from 0. workers: how many share them.
    """
    if len(of) < workers:
        return [of[index * len(of) // workers]]
    each, left = divmod(len(of), workers)
    start = index * each + min(index, left)
    return list(of[start : start + each + (index < left)])


def assign(place: LocalRank | None, env: MutableMapping[str, str], root: Path = Path("/")) -> str:
    """Narrow the environment to this worker's GPUs; return what was done and why, "" for no GPU.

    place: the worker's number on its host, None where it is not known. root: of the file system.
    A variable that hides all GPUs, or says something else than devices, stays as it is.
    """
    nvidia, amd = _count_nvidia(root), _count_amd(root)
    variables = _NVIDIA if nvidia else _AMD if amd else (CUDA, HIP, ROCR)
    name = next((name for name in variables if name in env), None)
    if name is None and not nvidia and not amd:
        return ""
    if place is None:
        return "all GPUs: the launcher does not say which of the host's ranks this is"
    if name is None:
        name = CUDA if nvidia else ROCR
        found = [str(number) for number in range(nvidia or amd)]
    else:
        found = [part.strip() for part in env[name].split(",")]
        if not all(map(_DEVICE.fullmatch, found)) or len(set(found)) < len(found):
            return f"{name}={env[name]} stays: it is no list of GPUs"
    env[name] = ",".join(share(found, *place))
    return f"{name}={env[name]} of {len(found)}: worker {place.number + 1} of {place.workers} here"


def _count_nvidia(root: Path) -> int:
    """Count the GPUs that may be used: the kernel asks a job's device cgroup in access(2) too.

    Device files may be missing until the first program needs them: then the driver's list counts.
    """
    nodes = [path for path in _entries(root / "dev") if _NODE.fullmatch(path.name)]
    if nodes:
        return sum(os.access(path, os.R_OK | os.W_OK) for path in nodes)
    return len(_entries(root / "proc/driver/nvidia/gpus"))


def _count_amd(root: Path) -> int:
    """Count the nodes with SIMD units; others than the job's cannot be read (amdkfd's topology)."""
    found = 0
    for node in _entries(root / "sys/class/kfd/kfd/topology/nodes"):
        try:
            properties = (node / "properties").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        found += bool(re.search(r"^simd_count [1-9]", properties, re.M))
    return found


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:
        return []
