"""A batch system's environment in, hosts and slots out.

`samples/` holds environments as recorded inside real jobs; only the paths of the node files are
turned to the copies beside them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoopmpi.launch import managers
from scoopmpi.launch.allocation import Allocation, AllocationError, Host
from scoopmpi.launch.managers import local, slurm

SAMPLES = Path(__file__).parent / "samples"
FILES = {"PBS_NODEFILE": "nodefile.txt", "PE_HOSTFILE": "pe_hostfile.txt"}


def recorded(name: str) -> dict[str, str]:
    lines = (SAMPLES / name / "environ.txt").read_text().splitlines()
    env = dict(line.split("=", 1) for line in lines if "=" in line)
    for variable, file in FILES.items():
        if variable in env:
            env[variable] = str(SAMPLES / name / file)
    return env


def in_short(allocation: Allocation) -> str:
    return " ".join(f"{host.name}:{host.slots}" for host in allocation.hosts)


def slurm_job(names: str, counts: str, **more: str) -> dict[str, str]:
    return {
        "SLURM_JOB_ID": "1", "SLURM_NTASKS": "1",
        "SLURM_JOB_NODELIST": names, "SLURM_TASKS_PER_NODE": counts, **more,
    }  # fmt: skip


TASKS = ("SLURM_JOB_NODELIST", "SLURM_TASKS_PER_NODE")
CPUS = ("SLURM_JOB_NODELIST", "SLURM_JOB_CPUS_PER_NODE")


@pytest.mark.parametrize(
    ("name", "manager", "hosts", "evidence"),
    [
        ("slurm_n4", "slurm", "n1:2 n2:2", TASKS),
        ("slurm_exclusive", "slurm", "n1:2 n2:2", CPUS),
        ("slurm_hetero", "slurm", "n1:2 n2:1", TASKS),
        ("slurm_c2", "slurm", "n1:2", CPUS),
        ("slurm_salloc", "slurm", "n1:1", CPUS),
        ("slurm_step", "slurm", "n2:1", ("SLURM_STEP_NODELIST", "SLURM_TASKS_PER_NODE")),
        ("pbs_2x8", "pbs", "pbs2:8 pbs3:8", ("PBS_NODEFILE",)),
        ("pbs_mixed", "pbs", "pbs1:2 pbs2:4", ("PBS_NODEFILE",)),
        ("pbs_hetero", "pbs", "pbs2:1 pbs3:2", ("PBS_NODEFILE",)),
        ("pbs_array", "pbs", "pbs2:1", ("PBS_NODEFILE",)),
        ("sge_mpirr4", "sge", "pbs2:2 pbs3:2", ("PE_HOSTFILE",)),
        ("sge_array", "sge", "pbs3:2", ("PE_HOSTFILE",)),
        ("sge_serial", "sge", "localhost:1", ("NSLOTS",)),
    ],
)
def test_recorded(name: str, manager: str, hosts: str, evidence: tuple[str, ...]) -> None:
    found = managers.detect(recorded(name))
    assert (found.manager, in_short(found), found.evidence) == (manager, hosts, evidence)


def test_host_lists_as_scontrol_expands_them() -> None:
    paths = list(SAMPLES.glob("slurm_*/hostnames.txt"))
    assert paths
    for path in paths:
        names = recorded(path.parent.name)["SLURM_JOB_NODELIST"]
        assert list(slurm.expanded(names)) == path.read_text().split()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("n1", "n1"),
        ("a,b-2,c.example.org", "a b-2 c.example.org"),
        ("a[1-3]", "a1 a2 a3"),
        ("a[08-11,7]", "a08 a09 a10 a11 a7"),
        ("r[1-2]-ib,b", "r1-ib r2-ib b"),
        ("a[1-2]b[3-4]", "a1b3 a1b4 a2b3 a2b4"),
        ("a[1][2]", "a12"),
        ("[1-2]", "1 2"),
    ],
)
def test_slurm_host_list(text: str, names: str) -> None:
    assert list(slurm.expanded(text)) == names.split()


@pytest.mark.parametrize(
    "text",
    ["a[", "a]", "a[]", "a[1", "a[1-]", "a[2-1]", "a[x]", "a,,b", "a,", ",", "a[1-2-3]", "a[²]"],
)
def test_slurm_host_list_refused(text: str) -> None:
    with pytest.raises(AllocationError, match="SLURM_JOB_NODELIST"):
        list(slurm.expanded(text))


@pytest.mark.parametrize(
    "text", ["a[1-999999999]", "a[1-1000]b[1-1000]", "a[1-60000],b[1-60000]", "a[0-1]" * 99]
)
def test_slurm_host_list_without_end(text: str) -> None:
    with pytest.raises(AllocationError, match="more than 100000 hosts"):
        slurm.allocation(slurm_job(text, "1(x999999999)"))


@pytest.mark.parametrize(
    ("names", "counts", "hosts"),
    [
        ("n[1-4]", "2(x3),1", "n1:2 n2:2 n3:2 n4:1"),
        ("n1", "4(x30)", "n1:4"),
        ("n[1-2],n1", "1(x3)", "n1:2 n2:1"),
        ("n[1-3]", "1,0,2", "n1:1 n3:2"),
    ],
)
def test_slurm_counts(names: str, counts: str, hosts: str) -> None:
    found = slurm.allocation(slurm_job(names, counts))
    assert found is not None
    assert in_short(found) == hosts


def test_the_shell_of_salloc_is_a_step_but_has_the_whole_job() -> None:
    step = {"SLURM_STEP_NODELIST": "n1", "SLURM_STEP_TASKS_PER_NODE": "1"}
    found = slurm.allocation(slurm_job("n[1-2]", "2(x2)", **step))
    assert found is not None
    assert in_short(found) == "n1:2 n2:2"


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({"SLURM_JOB_ID": "1"}, "SLURM_JOB_NODELIST"),
        ({"SLURM_JOBID": "1", "SLURM_NODELIST": "n1"}, "SLURM_JOB_CPUS_PER_NODE"),
        (slurm_job("n1", ""), "SLURM_TASKS_PER_NODE"),
        (slurm_job("n[1-3]", "2(x2)"), "fewer counts"),
        (slurm_job("n1", "two"), "SLURM_TASKS_PER_NODE=two"),
        (slurm_job("n1", "0"), "SLURM_JOB_NODELIST=n1 names no host"),
        (slurm_job("-n1", "1"), "no host name"),
        ({"PBS_JOBID": "1"}, "PBS_NODEFILE is not"),
        ({"PBS_JOBID": "1", "PBS_NODEFILE": "/nowhere"}, "PBS_NODEFILE=/nowhere"),
        ({"PE_HOSTFILE": "/nowhere"}, "PE_HOSTFILE=/nowhere"),
    ],
)
def test_contradictions_name_their_variable(env: dict[str, str], named: str) -> None:
    with pytest.raises(AllocationError, match=named):
        managers.detect(env)


def from_file(tmp_path: Path, text: str, variable: str) -> Allocation:
    path = tmp_path / "hosts"
    path.write_text(text)
    return managers.detect({variable: str(path), "PBS_ENVIRONMENT": "PBS_BATCH"})


def test_node_file(tmp_path: Path) -> None:
    found = from_file(tmp_path, "\nb\na\n\n  b \na\r\nb\n\n", "PBS_NODEFILE")
    assert found.hosts == (Host("b", 3), Host("a", 2))


@pytest.mark.parametrize("text", ["", "\n \n", "a:2\n", "a slots=2\n", "--help\n"])
def test_node_file_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(AllocationError, match="PBS_NODEFILE="):
        from_file(tmp_path, text, "PBS_NODEFILE")


def test_pe_hostfile(tmp_path: Path) -> None:
    text = "\nb 2 all.q@b UNDEFINED\n\na 1 all.q@a 0,1:0,2\nb 3 long.q@b <NULL>\nc 0\n"
    assert from_file(tmp_path, text, "PE_HOSTFILE").hosts == (Host("b", 5), Host("a", 1))


@pytest.mark.parametrize("text", ["", "a\n", "a two\n", "a ²\n", "a -1\n", "a 0\n"])
def test_pe_hostfile_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(AllocationError, match="PE_HOSTFILE="):
        from_file(tmp_path, text, "PE_HOSTFILE")


def test_slurm_comes_before_pbs() -> None:
    both = recorded("pbs_2x8") | recorded("slurm_n4")
    assert managers.detect(both).manager == "slurm"
    assert managers.detect(both, "pbs").manager == "pbs"


def test_forced_local() -> None:
    found = managers.detect(recorded("pbs_2x8"), "local")
    assert found.local
    assert found.hosts == (Host("localhost", local.cores()),)


def test_other_names_of_a_manager() -> None:
    assert managers.detect(recorded("pbs_2x8"), "torque").manager == "pbs"
    assert managers.detect(recorded("sge_array"), "gridengine").manager == "sge"


@pytest.mark.parametrize(
    ("name", "said"), [("cron", "unknown; known are slurm"), ("slurm", "no slurm job")]
)
def test_forced_but_not_there(name: str, said: str) -> None:
    with pytest.raises(AllocationError, match=said):
        managers.detect(recorded("pbs_2x8"), name)


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("max 100000\n", None),
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("1000 100000\n", 1),
        ("0 100000\n", 1),
        ("100000 00\n", None),
        ("", None),
        ("100000", None),
        ("² 100000", None),
    ],
)
def test_quota(text: str, cores: int | None) -> None:
    assert local.quota(text) == cores


def test_cores_obey_the_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: range(8), raising=False)
    monkeypatch.setattr(local, "CPU_MAX", tmp_path / "cpu.max")
    assert local.cores() == 8
    local.CPU_MAX.write_text("250000 100000\n")
    assert local.cores() == 3


def test_resized() -> None:
    allocation = Allocation("pbs", (Host("a", 8), Host("b", 4)))
    sizes = {n: in_short(allocation.resized(n)) for n in (1, 8, 9, 12, 20, 24)}
    assert sizes == {
        1: "a:1", 8: "a:8", 9: "a:8 b:1", 12: "a:8 b:4", 20: "a:16 b:4", 24: "a:16 b:8",
    }  # fmt: skip


def parses_or_refuses(env: dict[str, str]) -> None:
    """Any other exception fails the test that calls this."""
    try:
        assert managers.detect(env).slots > 0
    except AllocationError as problem:
        assert str(problem)


NEAR = st.text("ab-_.,[]()x0129² \n\0")
"""Texts of the characters that mean something, where any text seldom gets far."""


@given(st.text() | NEAR, st.text() | NEAR)
def test_any_text_as_slurm_variables(names: str, counts: str) -> None:
    parses_or_refuses(slurm_job(names, counts))


@pytest.mark.parametrize("variable", ["PBS_NODEFILE", "PE_HOSTFILE"])
def test_any_bytes_as_node_file(tmp_path: Path, variable: str) -> None:
    env = {variable: str(tmp_path / "hosts"), "PBS_ENVIRONMENT": "PBS_BATCH"}

    @given(st.binary() | (st.text() | NEAR).map(lambda text: text.encode(errors="ignore")))
    def read(content: bytes) -> None:
        (tmp_path / "hosts").write_bytes(content)
        parses_or_refuses(env)

    read()
