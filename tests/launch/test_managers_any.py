"""Any text in any variable, file or answer: an allocation, or a refusal that says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoopmpi.launch import managers
from scoopmpi.launch.hosts import hostlist
from scoopmpi.launch.hosts.allocation import AllocationError
from scoopmpi.launch.managers import qstat
from scoopmpi.process.asking import Ask, nobody

NEAR = st.text("ab-_.,:;()[]+=/*x0129² \t\n\0", max_size=40)
"""Texts of the characters that mean something, where any text seldom gets far."""
TEXT = NEAR | st.text(max_size=40) | st.sampled_from(("n[1-2]", "n1", "2", "1(x2)", "a 1 b 2"))

VARIABLES = {
    "slurm": """SLURM_JOB_NODELIST SLURM_TASKS_PER_NODE SLURM_NTASKS SLURM_NTASKS_PER_NODE
        SLURM_JOB_CPUS_PER_NODE SLURM_CPUS_PER_TASK SLURM_STEP_NODELIST SLURM_STEP_TASKS_PER_NODE
        SLURM_STEP_NUM_TASKS SLURM_HET_SIZE SLURM_PACK_SIZE SLURM_JOB_NODELIST_HET_GROUP_0
        SLURM_TASKS_PER_NODE_HET_GROUP_0 SLURM_JOB_ID""",
    "cobalt": "COBALT_JOBID COBALT_NODEFILE COBALT_PARTNAME",
    "pbs": "PBS_JOBID PBS_NODEFILE PBS_ENVIRONMENT PBS_NP PBS_NUM_PPN PBS_PPN NCPUS",
    "lsf": """LSB_JOBID LSB_MCPU_HOSTS LSB_DJOB_HOSTFILE LSB_HOSTS LSB_DJOB_NUMPROC
        LSB_AFFINITY_HOSTFILE""",
    "sge": "SGE_ROOT JOB_ID NSLOTS PE PE_HOSTFILE SGE_BINDING",
    "oar": "OAR_JOB_ID OAR_NODEFILE OAR_FILE_NODES",
    "pjm": "PJM_JOBID PJM_O_NODEINF PJM_VNODE_CORE PJM_PROC_BY_NODE",
    "kubernetes": "K_MPI_JOB_ROLE HYDRA_HOST_FILE KUBERNETES_SERVICE_HOST",
    "flux": "FLUX_URI FLUX_JOB_ID",
}
FILES = {
    "pbs": ("PBS_NODEFILE", {"PBS_JOBID": "7.s", "NCPUS": "3"}),
    "torque": ("PBS_NODEFILE", {"PBS_JOBID": "7.s", "PBS_NP": "2"}),
    "sge": ("PE_HOSTFILE", {"JOB_ID": "7", "SGE_ROOT": "/sge"}),
    "lsf": ("LSB_DJOB_HOSTFILE", {"LSB_JOBID": "7"}),
    "affinity": ("LSB_AFFINITY_HOSTFILE", {"LSB_JOBID": "7", "LSB_MCPU_HOSTS": "a 2 b 1"}),
    "oar": ("OAR_NODEFILE", {"OAR_JOB_ID": "7"}),
    "cobalt": ("COBALT_NODEFILE", {"COBALT_JOBID": "7"}),
    "pjm": ("PJM_O_NODEINF", {"PJM_JOBID": "7", "PJM_VNODE_CORE": "2"}),
    "kubernetes": ("HYDRA_HOST_FILE", {"K_MPI_JOB_ROLE": "launcher"}),
}


def answers_or_refuses(env: dict[str, str], ask: Ask = nobody) -> None:
    """Any other exception fails the test that calls this."""
    try:
        found = managers.detect(env, ask=ask)
    except AllocationError as problem:
        assert str(problem)
    else:
        assert found.slots > 0
        assert all(host.slots > 0 < host.cores for host in found.hosts)
    assert managers.present(env, ask)[-1] == "local"


@pytest.mark.parametrize("manager", VARIABLES)
def test_any_text_in_its_variables(manager: str) -> None:
    names = VARIABLES[manager].split()

    @settings(deadline=None, max_examples=150)
    @given(st.dictionaries(st.sampled_from(names), TEXT), st.none() | TEXT)
    def read(env: dict[str, str], answer: str | None) -> None:
        answers_or_refuses(env, lambda words: answer)

    read()


@pytest.mark.parametrize("manager", FILES)
def test_any_bytes_in_its_file(tmp_path: Path, manager: str) -> None:
    variable, rest = FILES[manager]
    path = tmp_path / "hosts"
    env = {**rest, variable: str(path)}

    @settings(deadline=None, max_examples=150)
    @given(st.binary() | TEXT.map(lambda text: text.encode(errors="ignore")))
    def read(content: bytes) -> None:
        path.write_bytes(content)
        answers_or_refuses(env)

    read()


@given(TEXT, TEXT, TEXT, TEXT)
def test_any_answer_of_qstat(text: str, vnodes: str, hosts: str, select: str) -> None:
    said = f"exec_vnode = {vnodes}\nexec_host = {hosts}\nResource_List.select = {select}\n"
    for answer in (text, f"Job Id: 7.s\n{said}", f"Job Id: 7.s\n{said}{text}"):
        for chunk in qstat.chunks(answer, "7.s") or ():
            assert chunk.cores >= 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(TEXT | JSON.map(json.dumps), JSON, JSON, JSON)
def test_any_answer_of_flux(text: str, names: object, rank: object, core: object) -> None:
    entry = {"rank": rank, "children": {"core": core}}
    whole = {"execution": {"nodelist": [names], "R_lite": [entry]}}
    answers_or_refuses({"FLUX_URI": "x"}, lambda words: text)
    answers_or_refuses({"FLUX_URI": "x"}, lambda words: json.dumps(whole))


@given(st.lists(TEXT, max_size=4))
def test_any_text_as_host_file(lines: list[str]) -> None:
    for found in (
        lambda: hostlist.from_text("\n".join(lines), "a file", lambda: 4),
        lambda: hostlist.from_words(lines),
    ):
        try:
            assert found().slots > 0
        except AllocationError as problem:
            assert str(problem)


# What would never end, or fill the memory.

LINES_OF_MANY = "n[1-100000]\n" * 50


@pytest.mark.parametrize("text", [LINES_OF_MANY, "n[1-99999],m[1-99999]," * 20 + "n"])
def test_a_host_file_does_not_fill_the_memory(text: str) -> None:
    with pytest.raises(AllocationError, match="more than 1000000 hosts"):
        hostlist.from_text(text, "a file", lambda: 1)


@pytest.mark.parametrize("path", ["/dev/zero", "/nowhere", "a\0b", "/"])
def test_a_host_file_that_is_none(path: str) -> None:
    with pytest.raises(AllocationError, match="host file"):
        hostlist.from_file(path, lambda: 1)


def test_a_node_file_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "nodes"
    with path.open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(AllocationError, match="8589934592 bytes"):
        managers.detect({"PBS_JOBID": "7.s", "PBS_NODEFILE": str(path)})


def test_counts_without_end_are_not_unpacked() -> None:
    env = {
        "SLURM_JOB_ID": "1", "SLURM_JOB_NODELIST": "n[1-2]", "SLURM_NTASKS": "2",
        "SLURM_TASKS_PER_NODE": ",".join(["1(x999999999)"] * 999),
    }  # fmt: skip
    assert managers.detect(env).slots == 2
