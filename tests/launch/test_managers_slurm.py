"""Slurm: host lists, counts, steps, components; what contradicts itself."""

from __future__ import annotations

import pytest

from scoopmpi.launch.hosts import placement
from scoopmpi.launch.hosts.allocation import Allocation, AllocationError
from scoopmpi.launch.hosts.brackets import expanded
from scoopmpi.launch.managers import slurm
from scoopmpi.process.asking import nobody
from tests.support.environments import SAMPLES, in_short, recorded


def job(names: str, counts: str, **more: str) -> dict[str, str]:
    """A job with a number of tasks that Slurm has not told."""
    return {
        "SLURM_JOB_ID": "1", "SLURM_NTASKS_PER_NODE": "1",
        "SLURM_JOB_NODELIST": names, "SLURM_TASKS_PER_NODE": counts, **more,
    }  # fmt: skip


def allocation(env: dict[str, str]) -> Allocation:
    found = slurm.allocation(env, nobody)
    assert found is not None
    return found


def refused(env: dict[str, str]) -> str:
    with pytest.raises(AllocationError) as caught:
        slurm.allocation(env, nobody)
    return str(caught.value)


# Host lists.


def test_host_lists_as_scontrol_expands_them() -> None:
    paths = list(SAMPLES.glob("slurm/**/hostnames.txt"))
    assert len(paths) > 10
    for path in paths:
        names = recorded(path.parent.relative_to(SAMPLES).as_posix())["SLURM_JOB_NODELIST"]
        assert list(expanded(names, "V")) == path.read_text().split()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("n1", "n1"),
        ("a,b-2,c.example.org", "a b-2 c.example.org"),
        ("a[1-3]", "a1 a2 a3"),
        ("a[08-11,7]", "a08 a09 a10 a11 a7"),
        ("a[0098-0101]", "a0098 a0099 a0100 a0101"),
        ("r[1-2]-ib,b", "r1-ib r2-ib b"),
        ("a[1-2]b[3-4]", "a1b3 a1b4 a2b3 a2b4"),
        ("rack[1-2]n[01-02]-ib", "rack1n01-ib rack1n02-ib rack2n01-ib rack2n02-ib"),
        ("a[1][2]", "a12"),
        ("[1-2]", "1 2"),
        (" n[1-2] ", "n1 n2"),
    ],
)
def test_host_list(text: str, names: str) -> None:
    assert list(expanded(text, "SLURM_JOB_NODELIST")) == names.split()


@pytest.mark.parametrize(
    "text",
    ["a[", "a]", "a[]", "a[1", "a[1-]", "a[2-1]", "a[x]", "a,,b", "a,", ",", "a[1-2-3]", "a[²]"],
)
def test_host_list_refused(text: str) -> None:
    assert "SLURM_JOB_NODELIST" in refused(job(text, "1"))


@pytest.mark.parametrize(
    "text", ["a[1-999999999]", "a[1-1000]b[1-1000]", "a[1-60000],b[1-60000]", "a[0-1]" * 99]
)
def test_host_list_without_end(text: str) -> None:
    assert "more than 100000 hosts" in refused(job(text, "1(x999999999)"))


# Counts.


@pytest.mark.parametrize(
    ("names", "counts", "hosts"),
    [
        ("n[1-4]", "2(x3),1", "n1:2 n2:2 n3:2 n4:1"),
        ("n1", "4(x30)", "n1:4"),
        ("n[1-2]", "1,2,3,4", "n1:1 n2:2"),
        ("n[1-2],n1", "1(x3)", "n1:2 n2:1"),
        ("n[1-3]", "1,0,2", "n1:1 n3:2"),
        ("n[1-2]", "1(x2)", "n1:1 n2:1"),
    ],
)
def test_tasks(names: str, counts: str, hosts: str) -> None:
    assert in_short(allocation(job(names, counts))) == hosts


CPUS = {"SLURM_JOB_ID": "1", "SLURM_JOB_NODELIST": "n[1-2]", "SLURM_JOB_CPUS_PER_NODE": "8,3"}


@pytest.mark.parametrize(
    ("more", "hosts"),
    [
        ({}, "n1:8 n2:3"),
        ({"SLURM_CPUS_PER_TASK": "4"}, "n1:2/8 n2:1/3"),
        ({"SLURM_CPUS_PER_TASK": "3"}, "n1:2/8 n2:1/3"),
        ({"SLURM_TASKS_PER_NODE": "1(x2)"}, "n1:8 n2:3"),
        ({"SLURM_TASKS_PER_NODE": "2,1", "SLURM_NTASKS": "3"}, "n1:2/8 n2:1/3"),
        ({"SLURM_TASKS_PER_NODE": "2(x2)", "SLURM_NTASKS": "4", "SLURM_CPUS_PER_TASK": "1"},
            "n1:2 n2:2"),
        ({"SLURM_TASKS_PER_NODE": "9,4", "SLURM_NTASKS": "13"}, "n1:9 n2:4"),
        ({"SLURM_JOB_CPUS_PER_NODE": "0,3"}, "n2:3"),
    ],
)  # fmt: skip
def test_cpus(more: dict[str, str], hosts: str) -> None:
    assert in_short(allocation(CPUS | more)) == hosts


def test_a_job_that_has_shrunk_has_more_counts_than_hosts_and_the_old_total() -> None:
    found = allocation(job("n[1-2]", "4(x30)", SLURM_NTASKS="120"))
    assert in_short(found) == "n1:4 n2:4"


def test_tasks_that_slurm_23_02_has_wrong_are_those_of_each_node() -> None:
    wrong = {"SLURM_NTASKS": "16", "SLURM_NTASKS_PER_NODE": "8"}
    found = allocation(job("n[1-2]", "96(x2)", **wrong))
    assert in_short(found) == "n1:8 n2:8"
    assert "SLURM_TASKS_PER_NODE=96(x2) is wrong" in found.notes[0]


# More tasks than CPUs, as recorded with Slurm 22.05.


def overcommitted(cpus: str, tasks: str, total: int, **more: str) -> dict[str, str]:
    names = "n[1-2]" if "x2" in cpus else "n1"
    return {
        "SLURM_JOB_ID": "2", "SLURM_JOB_NODELIST": names, "SLURM_JOB_CPUS_PER_NODE": cpus,
        "SLURM_TASKS_PER_NODE": tasks, "SLURM_NTASKS": str(total), "SLURM_OVERCOMMIT": "1",
        "SLURM_CPUS_ON_NODE": cpus.partition("(")[0], **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("env", "hosts"),
    [
        (overcommitted("2", "4", 4), "n1:4/2"),  # sbatch -N1 -n4 -O in a job of two CPUs
        (overcommitted("1", "12", 12), "n1:12/1"),
        (overcommitted("1(x2)", "8(x2)", 16), "n1:8/1 n2:8/1"),
        (overcommitted("2", "4", 4, SLURM_CPUS_PER_TASK="2"), "n1:4/2"),
        (overcommitted("3", "12", 12, SLURM_CPUS_PER_TASK="3"), "n1:12/3"),
        (overcommitted("6", "4", 4), "n1:4/6"),  # --exclusive: it has all of the node's
        (overcommitted("2", "2", 2), "n1:2"),
    ],
)
def test_overcommitted_tasks_share_the_cpus_of_the_job(env: dict[str, str], hosts: str) -> None:
    found = allocation(env)
    assert in_short(found) == hosts
    crowded = any(host.slots > host.cores for host in found.hosts)
    assert [note.partition(":")[0] for note in found.notes] == ["SLURM_OVERCOMMIT"] * crowded
    assert placement.pinning(found, placement.Binding(), farm=True)[0] is None or not crowded
    assert all(host.threads == 1 for host in found.hosts)


def test_an_overcommitted_step_has_the_cpus_of_its_own_node() -> None:
    step = {
        "SLURM_STEP_NODELIST": "n1", "SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_TASKS_PER_NODE": "4",
    }  # fmt: skip
    assert in_short(allocation(overcommitted("2", "4", 4) | step)) == "n1:4/2"
    assert in_short(allocation(overcommitted("1", "4", 4) | step)) == "n1:4/1"


def test_an_overcommitted_heterogeneous_job() -> None:
    env = {
        "SLURM_JOB_ID": "20", "SLURM_HET_SIZE": "2", "SLURM_OVERCOMMIT": "1",
        "SLURM_JOB_NODELIST_HET_GROUP_0": "n1", "SLURM_JOB_NODELIST_HET_GROUP_1": "n2",
        "SLURM_JOB_CPUS_PER_NODE_HET_GROUP_0": "1", "SLURM_JOB_CPUS_PER_NODE_HET_GROUP_1": "2",
        "SLURM_TASKS_PER_NODE_HET_GROUP_0": "4", "SLURM_TASKS_PER_NODE_HET_GROUP_1": "6",
        "SLURM_NTASKS_HET_GROUP_0": "4", "SLURM_NTASKS_HET_GROUP_1": "6",
        "SLURM_CPUS_PER_TASK_HET_GROUP_1": "2",
    }  # fmt: skip
    assert in_short(allocation(env)) == "n1:4/1 n2:6/2"


# Steps, and the names of old versions.


def test_the_shell_of_salloc_is_a_step_but_has_the_whole_job() -> None:
    step = {"SLURM_STEP_NODELIST": "n1", "SLURM_STEP_TASKS_PER_NODE": "1"}
    assert in_short(allocation(job("n[1-2]", "2(x2)", **step))) == "n1:2 n2:2"


def test_a_step_has_its_own_hosts_and_tasks() -> None:
    step = {
        "SLURM_STEP_NODELIST": "n2", "SLURM_STEP_TASKS_PER_NODE": "3", "SLURM_STEP_NUM_TASKS": "3",
        "SLURM_JOB_CPUS_PER_NODE": "8(x4)", "SLURM_CPUS_PER_TASK": "2",
    }  # fmt: skip
    assert in_short(allocation(job("n[1-4]", "3", **step))) == "n2:3/6"


def test_names_of_old_versions() -> None:
    old = {
        "SLURM_JOBID": "1", "SLURM_NODELIST": "n[1-2]", "SLURM_NTASKS": "3",
        "SLURM_TASKS_PER_NODE": "2,1",
    }  # fmt: skip
    assert in_short(allocation(old)) == "n1:2 n2:1"


# Heterogeneous jobs.

HET = recorded("slurm/het_c4_c2tpn2")


def test_the_names_before_version_20() -> None:
    old = {name: value for name, value in HET.items() if "HET" not in name}
    assert in_short(allocation(old | {"SLURM_PACK_SIZE": "2"})) == "n1:1/4 n2:2/4"


def test_a_pack_group_in_a_step_of_a_plain_job_means_nothing() -> None:
    env = recorded("slurm/substep_n1_in_N2_n4/step_N1_n1")
    assert "SLURM_JOB_CPUS_PER_NODE_PACK_GROUP_0" in env
    assert in_short(allocation(env)) == "n1:1"


def test_components_on_one_host_add_up() -> None:
    env = HET | {"SLURM_JOB_NODELIST_HET_GROUP_1": "n1"}
    assert in_short(allocation(env)) == "n1:3/8"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("SLURM_JOB_NODELIST_HET_GROUP_1", "SLURM_JOB_NODELIST_HET_GROUP_1 is not set"),
        ("SLURM_TASKS_PER_NODE_HET_GROUP_0", "has no SLURM_TASKS_PER_NODE_HET_GROUP_0"),
    ],
)
def test_a_missing_variable_of_a_component_is_named(missing: str, said: str) -> None:
    assert said in refused({name: value for name, value in HET.items() if name != missing})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"SLURM_HET_SIZE": "3"}, "SLURM_JOB_NODELIST_HET_GROUP_2 is not set"),
        ({"SLURM_HET_SIZE": "0"}, "SLURM_HET_SIZE=0"),
        ({"SLURM_HET_SIZE": "two"}, "SLURM_HET_SIZE=two"),
        ({"SLURM_HET_SIZE": "999999999"}, "more than Slurm's limit"),
        ({"SLURM_CPUS_PER_TASK_HET_GROUP_0": "x"}, "SLURM_CPUS_PER_TASK_HET_GROUP_0=x"),
    ],
)
def test_wrong_components(change: dict[str, str], said: str) -> None:
    assert said in refused(HET | change)


# Contradictions.


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"SLURM_JOB_ID": "1"}, "SLURM_JOB_NODELIST is not set"),
        ({"SLURM_JOBID": "1", "SLURM_NODELIST": "n1"}, "no SLURM_JOB_CPUS_PER_NODE beside it"),
        (job("n1", ""), "no SLURM_TASKS_PER_NODE beside it"),
        (job("n[1-3]", "2(x2)"), "SLURM_TASKS_PER_NODE=2(x2) has fewer counts"),
        (
            job("n[1-3]", "1(x3)", SLURM_JOB_CPUS_PER_NODE="4"),
            "SLURM_JOB_CPUS_PER_NODE=4 has fewer",
        ),
        (job("n1", "two"), "SLURM_TASKS_PER_NODE=two"),
        (job("n1", "2(x)"), "SLURM_TASKS_PER_NODE=2(x)"),
        (job("n1", "0"), "SLURM_JOB_NODELIST=n1 names no host"),
        (job("-n1", "1"), "no host name"),
        (
            job("n[1-2]", "2(x2)", SLURM_NTASKS="7"),
            "has 4 tasks for these hosts, but SLURM_NTASKS=7",
        ),
        (job("n1", "1", SLURM_CPUS_PER_TASK="0"), "SLURM_CPUS_PER_TASK=0"),
        (job("n1", "1", SLURM_CPUS_PER_TASK="all"), "SLURM_CPUS_PER_TASK=all"),
    ],
)
def test_contradictions_name_their_variable(env: dict[str, str], said: str) -> None:
    assert said in refused(env)
