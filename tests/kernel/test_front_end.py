"""A front end and its kernel: which hosts it gets, what the ranks must not see, and its end."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from scoopmpi.launch import managers
from scoopmpi.launch.beside import front_end as watch
from scoopmpi.launch.beside.event_loop import EventLoop
from scoopmpi.launch.hosts.allocation import Allocation, AllocationError, Host
from scoopmpi.launch.hosts.placement import beginning
from scoopmpi.launch.kernel import front_end
from scoopmpi.process.asking import asking
from scoopmpi.process.launcher_variables import rank_of, size_of
from tests.support.environments import recorded

PLAIN = {"PATH": "/bin", "HOME": "/root", "SLURM_CONF": "x", "OMPI_MCA_btl": "tcp"}


@pytest.mark.parametrize(
    "of_rank",
    (
        {"OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "8", "PMIX_RANK": "3", "PRTE_X": "1"},
        {"PMI_RANK": "1", "PMI_SIZE": "2", "MPI_LOCALNRANKS": "2", "HYDI_CONTROL_FD": "9"},
        {"SLURM_STEP_ID": "0", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"},
    ),
    ids=("openmpi", "mpich", "slurm"),
)
def test_a_kernel_is_no_rank_of_its_front_ends_job(of_rank: dict[str, str]) -> None:
    env = front_end.without_its_job({**PLAIN, **of_rank})
    assert rank_of(env) is None and size_of(env) is None
    assert env.items() >= PLAIN.items()
    changed = {**PLAIN, **of_rank}
    front_end.leave_its_job(changed)
    assert changed == env


def test_in_a_step_the_kernel_gets_the_hosts_of_the_job() -> None:
    env = recorded("slurm/srun_direct_N2_n4/rank_3")
    step = {**env, "SLURM_STEP_NODELIST": "n2", "SLURM_TASKS_PER_NODE": "1", "SLURM_NTASKS": "1"}
    step |= {"SLURM_STEP_TASKS_PER_NODE": "1", "SLURM_STEP_NUM_TASKS": "1", "SLURM_NNODES": "1"}
    assert [host.name for host in managers.detect(step, ask=asking(step)).hosts] == ["n2"]
    left = front_end.without_its_job(step)
    assert [host.name for host in managers.detect(left, ask=asking(left)).hosts] == ["n1", "n2"]
    assert left["SLURM_OVERLAP"] == "1"


def test_in_a_batch_script_nothing_of_slurm_is_lost() -> None:
    env = recorded("slurm/array_0_3/task_2")
    assert front_end.without_its_job(env) == env


def test_rank_0_is_on_the_front_ends_host() -> None:
    hosts = tuple(Host(name, 2, 2) for name in ("a", "b", "c"))
    given = Allocation("slurm", hosts)
    found = beginning(given, lambda name: name == "b")
    assert [host.name for host in found.hosts] == ["b", "a", "c"]
    with pytest.raises(AllocationError, match="none of the job's: a, b, c"):
        beginning(given, lambda name: False)


@pytest.mark.parametrize("text", ("", "1", "x", "-4", "4194305"))
def test_a_front_end_that_nobody_names_is_not_watched(text: str) -> None:
    assert front_end.process({front_end.PROCESS: text}) is None
    assert front_end.process({front_end.PROCESS: str(os.getpid())}) == os.getpid()


@pytest.mark.parametrize("modern", (True, False))
def test_the_end_of_the_front_end_is_seen(modern: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is no parent of ours, and where the system has no descriptors of processes."""
    if modern and not hasattr(os, "pidfd_open"):
        pytest.skip("this system has no descriptors of processes")
    if not modern:
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    monkeypatch.setattr(watch, "_LOOK", 0.02)
    loop, gone = EventLoop(), list[float]()
    process = subprocess.Popen(["sleep", "60"])
    watched = watch.FrontEnd(process.pid, loop, lambda: gone.append(time.monotonic()))
    loop.after(0.05, lambda: None)
    loop.turn(at_once=False)
    assert not gone
    process.kill()
    process.wait()
    until = time.monotonic() + 10
    while not gone and time.monotonic() < until:
        loop.after(0.02, lambda: None)
        loop.turn(at_once=False)
    assert len(gone) == 1
    watched.close()
    late = watch.FrontEnd(process.pid, loop, lambda: gone.append(0.0))
    while len(gone) < 2 and time.monotonic() < until:
        loop.after(0.02, lambda: None)
        loop.turn(at_once=False)
    late.close()
    assert len(gone) == 2
    watch.FrontEnd(None, loop, lambda: gone.append(0.0)).close()
    loop.close()
