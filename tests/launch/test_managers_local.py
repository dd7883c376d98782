"""This machine: affinity, physical cores, and the quotas of cgroups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoopmpi.launch import managers
from scoopmpi.launch.managers import local

THREADS = {"MYMPIRUN_HYPERTHREADS": "1"}
V2, V1 = "sys/fs/cgroup", "sys/fs/cgroup/cpu"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose sixteen CPUs are eight cores, and which has no cgroups yet."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    monkeypatch.setattr(local, "ROOT", tmp_path)
    for cpu in range(16):
        write(tmp_path, f"sys/devices/system/cpu/cpu{cpu}/topology/core_cpus_list", f"{cpu % 8}")
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def test_a_worker_for_each_physical_core_or_for_each_cpu_where_asked(root: Path) -> None:
    assert local.cores({}) == 8
    assert local.cores(THREADS) == 16
    assert local.cores({"MYMPIRUN_HYPERTHREADS": "0"}) == 8
    assert local.cores({"MYMPIRUN_HYPERTHREADS": "True"}) == 16
    assert managers.detect(THREADS).slots == 16
    assert managers.detect({}).evidence[0] == "physical cores of the CPU affinity"
    assert managers.detect(THREADS).evidence[0] == "CPUs of the CPU affinity"


def test_affinity_limits_the_cores(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {1, 9, 2, 11})
    assert (local.cores({}), local.cores(THREADS)) == (3, 4)


def test_without_sys_each_cpu_is_a_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)
    monkeypatch.setattr(local, "ROOT", tmp_path)
    assert local.cores({}) == 3


@pytest.mark.parametrize(("count", "cores"), [(10, 10), (None, 1)])
def test_macos_has_neither_affinity_nor_sys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int | None, cores: int
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    monkeypatch.setattr(local, "ROOT", tmp_path)
    assert local.cores({}) == local.cores(THREADS) == cores


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("max 100000\n", 8),
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("1000 100000\n", 1),
        ("0 100000\n", 1),
        ("9900000 100000\n", 8),
        ("100000 00\n", 8),
        ("", 8),
        ("100000", 8),
        ("² 100000", 8),
    ],
)
def test_quota_of_version_2(root: Path, text: str, cores: int) -> None:
    write(root, "proc/self/cgroup", "0::/job\n")
    write(root, f"{V2}/job/cpu.max", text)
    assert local.cores({}) == cores


@pytest.mark.parametrize(
    ("quotas", "cores"),
    [
        ({"a/b": "500000 100000", "a": "max 100000"}, 5),
        ({"a/b": "max 100000", "a": "300000 100000"}, 3),
        ({"a/b": "500000 100000", "a": "200000 100000", "": "700000 100000"}, 2),
        ({"c": "100000 100000", "a/b/d": "100000 100000"}, 8),
    ],
)
def test_the_tightest_of_all_cgroups_around_counts(
    root: Path, quotas: dict[str, str], cores: int
) -> None:
    write(root, "proc/self/cgroup", "0::/a/b\n")
    for place, text in quotas.items():
        write(root, f"{V2}/{place}/cpu.max", text)
    assert local.cores({}) == cores


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(
    ("quota", "period", "cores"),
    [
        ("-1\n", "100000\n", 8),
        ("150000\n", "100000\n", 2),
        ("50000\n", "100000\n", 1),
        ("300000\n", "50000\n", 6),
    ],
)
def test_quota_of_version_1(root: Path, mount: str, quota: str, period: str, cores: int) -> None:
    write(root, "proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/a/b\n1:name=systemd:/\n")
    write(root, f"sys/fs/cgroup/{mount}/a/cpu.cfs_quota_us", quota)
    write(root, f"sys/fs/cgroup/{mount}/a/cpu.cfs_period_us", period)
    assert local.cores({}) == cores


def test_both_versions_at_once(root: Path) -> None:
    write(root, "proc/self/cgroup", "4:cpu:/a\n0::/b\n")
    write(root, f"{V1}/a/cpu.cfs_quota_us", "400000")
    write(root, f"{V1}/a/cpu.cfs_period_us", "100000")
    write(root, "sys/fs/cgroup/unified/b/cpu.max", "300000 100000")
    assert local.cores({}) == 3


@pytest.mark.parametrize("path", ["/docker/4f1c", "/../../other", "/../cpu.max/..", ""])
def test_a_container_whose_own_cgroup_is_mounted_as_the_root(root: Path, path: str) -> None:
    write(root, "proc/self/cgroup", f"0::{path}\n")
    write(root, f"{V2}/cpu.max", "200000 100000")
    assert local.cores({}) == 2


def test_a_container_without_proc_has_the_root(root: Path) -> None:
    write(root, f"{V2}/cpu.max", "250000 100000")
    assert local.cores({}) == 3


def test_the_quota_holds_for_hyper_threads_too(root: Path) -> None:
    write(root, "proc/self/cgroup", "0::/\n")
    write(root, f"{V2}/cpu.max", "1200000 100000")
    assert (local.cores({}), local.cores(THREADS)) == (8, 12)


@given(st.text() | st.text("0:/.\n,cpu"), st.text())
def test_whatever_proc_and_cgroups_say_there_is_a_core(own: str, quota: str) -> None:
    def text(path: Path) -> str:
        return own if path.name == "cgroup" else quota

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "_text", text)
        assert 1 <= local.cores(THREADS) <= (os.cpu_count() or 1)


def test_of_this_machine() -> None:
    assert 1 <= local.cores() <= (os.cpu_count() or 1)
