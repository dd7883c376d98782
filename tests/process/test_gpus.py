"""GPUs of a worker's own, on machines made of files: no GPU is needed, and none was tried."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scoopmpi.process import gpus
from scoopmpi.process.launcher_variables import LocalRank


@pytest.mark.parametrize(
    ("found", "workers", "shares"),
    [
        (4, 4, ["0", "1", "2", "3"]),
        (4, 2, ["0 1", "2 3"]),
        (4, 1, ["0 1 2 3"]),
        (5, 2, ["0 1 2", "3 4"]),
        (7, 3, ["0 1 2", "3 4", "5 6"]),
        (2, 4, ["0", "0", "1", "1"]),
        (2, 3, ["0", "0", "1"]),
        (1, 3, ["0", "0", "0"]),
    ],
)
def test_shares_of_gpus(found: int, workers: int, shares: list[str]) -> None:
    names = [str(number) for number in range(found)]
    assert [" ".join(gpus.share(names, i, workers)) for i in range(workers)] == shares


def machine(root: Path, nvidia: int = 0, amd: int = 0, driver: int = 0) -> Path:
    """Files of a machine with GPUs; node 0 of AMD's topology is the CPU."""
    for number in range(nvidia):
        (root / "dev").mkdir(exist_ok=True)
        (root / f"dev/nvidia{number}").touch()
        (root / "dev/nvidiactl").touch()
        (root / "dev/nvidia-uvm").touch()
    for number in range(driver):
        (root / f"proc/driver/nvidia/gpus/0000:0{number}:00.0").mkdir(parents=True)
    for number in range(amd + 1 if amd else 0):
        node = root / f"sys/class/kfd/kfd/topology/nodes/{number}"
        node.mkdir(parents=True)
        units = 304 if number else 0
        (node / "properties").write_text(f"cpu_cores_count 0\nsimd_count {units}\ngfx 90402\n")
    return root


UUIDS = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6,MIG-GPU-8932f937/1/2"


@pytest.mark.parametrize(
    ("env", "has", "after"),
    [
        ({}, {}, {}),
        ({}, {"nvidia": 4}, {"CUDA": "2,3"}),
        ({}, {"driver": 4}, {"CUDA": "2,3"}),
        ({}, {"amd": 4}, {"ROCR": "2,3"}),
        ({}, {"nvidia": 1}, {"CUDA": "0"}),
        # what the batch system said counts
        ({"CUDA": "1,3"}, {"nvidia": 4}, {"CUDA": "3"}),
        ({"CUDA": UUIDS}, {"nvidia": 4}, {"CUDA": "MIG-GPU-8932f937/1/2"}),
        ({"CUDA": " 5 , 6 "}, {}, {"CUDA": "6"}),
        ({"ROCR": "4,5,6,7"}, {"amd": 8}, {"ROCR": "6,7"}),
        # Slurm sets both where it was not told whose GPUs they are: one of them, or none is left
        ({"CUDA": "4,5", "ROCR": "4,5"}, {"amd": 8}, {"CUDA": "4,5", "ROCR": "5"}),
        ({"CUDA": "4,5", "ROCR": "4,5"}, {"nvidia": 8}, {"CUDA": "5", "ROCR": "4,5"}),
        ({"HIP": "0,1", "ROCR": "4,5"}, {"amd": 8}, {"HIP": "1", "ROCR": "4,5"}),
        # what hides them all, or is something else, stays
        ({"CUDA": ""}, {"nvidia": 4}, {"CUDA": ""}),
        ({"ROCR": ""}, {"amd": 4}, {"ROCR": ""}),
        ({"CUDA": "NoDevFiles"}, {"nvidia": 4}, {"CUDA": "NoDevFiles"}),
        ({"CUDA": "0,-1,1"}, {"nvidia": 4}, {"CUDA": "0,-1,1"}),
        ({"CUDA": "0,,1"}, {"nvidia": 4}, {"CUDA": "0,,1"}),
        ({"CUDA": "1,1"}, {"nvidia": 4}, {"CUDA": "1,1"}),
        ({"CUDA": "0;rm -rf /"}, {"nvidia": 4}, {"CUDA": "0;rm -rf /"}),
    ],
)
def test_the_second_of_two_workers_sees_its_gpus(
    env: dict[str, str], has: dict[str, int], after: dict[str, str], tmp_path: Path
) -> None:
    found = {f"{name}_VISIBLE_DEVICES": text for name, text in env.items()}
    gpus.assign(LocalRank(1, 2), found, machine(tmp_path, **has))
    assert found == {f"{name}_VISIBLE_DEVICES": text for name, text in after.items()}


def test_gpus_of_other_jobs_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(tmp_path, nvidia=4)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name in ("nvidia1", "nvidia2"))
    env: dict[str, str] = {}
    gpus.assign(LocalRank(1, 2), env, tmp_path)
    assert env == {"CUDA_VISIBLE_DEVICES": "1"}, "CUDA numbers those that it may open"


def test_without_a_seat_all_gpus_stay(tmp_path: Path) -> None:
    env: dict[str, str] = {}
    assert gpus.assign(None, env, machine(tmp_path, nvidia=2)).startswith("all GPUs: ")
    assert env == {}
