"""Which batch system a job is in: order, other names, contradictions; all recorded jobs."""

from __future__ import annotations

import pytest

from scoopmpi.launch import managers
from scoopmpi.launch.hosts.allocation import AllocationError, Host
from scoopmpi.launch.managers import local
from scoopmpi.process.asking import nobody
from tests.support.environments import answering, in_short, recorded, samples

SLURM = ("SLURM_JOB_NODELIST", "SLURM_TASKS_PER_NODE")
CPUS = ("SLURM_JOB_NODELIST", "SLURM_JOB_CPUS_PER_NODE")
STEP = ("SLURM_STEP_NODELIST", "SLURM_TASKS_PER_NODE")
PER_TASK = "SLURM_CPUS_PER_TASK"


def group(place: int, *more: str) -> tuple[str, ...]:
    """The variables of a component of a heterogeneous job."""
    return tuple(f"{name}_HET_GROUP_{place}" for name in (*SLURM, *more))


# What OpenPBS gave is in test_managers_pbs.
RECORDED = [
    ("slurm/N1_c2", "n1:1/2", (*CPUS, PER_TASK)),
    ("slurm/N1_exclusive", "n1:1/2", (*SLURM, "SLURM_JOB_CPUS_PER_NODE")),
    ("slurm/N1_n1", "n1:1", SLURM),
    ("slurm/N2_c2_exclusive", "n1:2/4 n2:2/4", (*CPUS, PER_TASK)),
    ("slurm/N2_c2_tpn2", "n1:2/4 n2:2/4", (*SLURM, PER_TASK)),
    ("slurm/N2_exclusive", "n1:2 n2:2", CPUS),
    ("slurm/N2_n4", "n1:2 n2:2", SLURM),
    ("slurm/N2_only", "n1:1 n2:1", CPUS),
    ("slurm/N2_tpn2", "n1:2 n2:2", SLURM),
    ("slurm/array_0_3/task_2", "n2:1", SLURM),
    ("slurm/array_1_7_step3_max1/task_7", "n1:1", SLURM),
    ("slurm/het_c4_c2tpn2", "n1:1/4 n2:2/4", group(0, PER_TASK) + group(1, PER_TASK)),
    ("slurm/het_n1_n3", "n1:1 n2:3", group(0) + group(1)),
    ("slurm/het_no_request", "n1:1 n2:4", group(0) + group(1)),
    ("slurm/het_substep", "n2:3", STEP),
    ("slurm/mem_1", "n1:1 n2:1", SLURM),
    ("slurm/mem_per_cpu", "n1:2", SLURM),
    ("slurm/n2_N1_2", "n1:1 n2:1", SLURM),
    ("slurm/n3_c2", "n1:2/4 n2:1/2", (*SLURM, PER_TASK)),
    ("slurm/n3_hetero", "n1:2 n2:1", SLURM),
    ("slurm/no_request", "n1:1", CPUS),
    ("slurm/salloc_N2_c2", "n1:1/2 n2:1/2", (*CPUS, PER_TASK)),
    ("slurm/salloc_het_n2_c3", "n1:2 n2:1/3", group(0) + group(1, PER_TASK)),
    ("slurm/salloc_n3", "n1:3", SLURM),
    ("slurm/salloc_no_request", "n1:1", CPUS),
    ("slurm/srun_direct_N2_c2", "n1:1/2 n2:1/2", (*STEP, PER_TASK)),
    ("slurm/srun_direct_N2_n4/rank_0", "n1:2 n2:2", STEP),
    ("slurm/srun_direct_N2_n4/rank_3", "n1:2 n2:2", STEP),
    ("slurm/substep_n1_in_N2_n4/batch", "n1:2 n2:2", SLURM),
    ("slurm/substep_n1_in_N2_n4/step_N1_n1", "n1:1", STEP),
    ("slurm/substep_n1_in_N2_n4/step_N1_n1_w_n2", "n2:1", STEP),
    ("slurm/substep_n1_in_N2_n4/step_N2_n2_rank0", "n1:1 n2:1", (*STEP, PER_TASK)),
    ("slurm/substep_n1_in_N2_n4/step_pmi2_rank0", "n1:2 n2:2", STEP),
    ("slurm/substep_n1_in_N2_n4/step_pmi2_rank3", "n1:2 n2:2", STEP),
    ("slurm/time_1min", "n1:1", SLURM),
    ("gridengine/array_t1_3/task_2", "localhost:1", ("NSLOTS",)),
    ("gridengine/array_t1_9_4_pe_smp2/task_5", "pbs3:2", ("PE_HOSTFILE",)),
    ("gridengine/binding_env", "localhost:1", ("NSLOTS",)),
    ("gridengine/binding_linear1", "pbs3:2/1", ("PE_HOSTFILE", "SGE_BINDING")),
    ("gridengine/cwd_j_y_N", "localhost:1", ("NSLOTS",)),
    ("gridengine/pe_fixed2_4", "pbs3:2 pbs2:2", ("PE_HOSTFILE",)),
    ("gridengine/pe_mpi_2", "pbs3:2", ("PE_HOSTFILE",)),
    ("gridengine/pe_mpi_range", "pbs3:6", ("PE_HOSTFILE",)),
    ("gridengine/pe_mpirr_4", "pbs2:2 pbs3:2", ("PE_HOSTFILE",)),
    ("gridengine/pe_smp_4", "pbs2:4", ("PE_HOSTFILE",)),
    ("gridengine/serial", "localhost:1", ("NSLOTS",)),
]


@pytest.mark.parametrize(("name", "hosts", "evidence"), RECORDED, ids=[row[0] for row in RECORDED])
def test_recorded(name: str, hosts: str, evidence: tuple[str, ...]) -> None:
    found = managers.detect(recorded(name))
    manager = {"slurm": "slurm", "gridengine": "sge"}[name.partition("/")[0]]
    assert (found.manager, in_short(found), found.evidence) == (manager, hosts, evidence)
    assert managers.present(recorded(name)) == [manager, "local"]


@pytest.mark.parametrize("system", ["slurm", "gridengine"])
def test_the_table_has_all_that_was_recorded(system: str) -> None:
    assert samples(system) == sorted(name for name, *_ in RECORDED if name.startswith(system))


FLUX = {"FLUX_URI": "local:///run/flux/local"}
R = """{"version": 1, "execution": {
    "R_lite": [{"rank": "0", "children": {"core": "0-3"}}], "nodelist": ["f1"]
}}"""


def test_an_instance_of_flux_comes_before_slurm_and_slurm_before_pbs() -> None:
    ask = answering({("flux", "resource", "R", "-s", "up"): R})
    both = recorded("pbs_2x8") | recorded("slurm_n4")
    assert managers.detect(both | FLUX, ask=ask).manager == "flux"
    assert managers.detect(both, ask=ask).manager == "slurm"
    assert managers.detect(both, "pbs").manager == "pbs"
    assert managers.present(both | FLUX, ask) == ["flux", "slurm", "pbs", "local"]


@pytest.mark.parametrize("name", ["local", "none", "Local"])
def test_forced_local(name: str) -> None:
    found = managers.detect(recorded("pbs_2x8"), name)
    assert found.local
    assert found.hosts == (Host("localhost", local.cores()),)


@pytest.mark.parametrize(
    ("sample", "names"),
    [
        ("pbs_2x8", "pbs PBS torque openpbs pbspro PBS-Pro pbs_pro"),
        ("sge_array", "sge gridengine uge Grid-Engine"),
        ("slurm_n4", "slurm Slurm SLURM"),
    ],
)
def test_other_names_of_a_manager(sample: str, names: str) -> None:
    found = {managers.detect(recorded(sample), name).manager for name in names.split()}
    assert found == {names.split()[0]}


def test_each_other_name_is_of_a_manager() -> None:
    assert set(managers.ALIASES.values()) <= set(managers.NAMES)
    assert not set(managers.ALIASES) & set(managers.NAMES)
    assert managers.NAMES[-1] == "local"


@pytest.mark.parametrize(
    ("name", "said"),
    [("cron", "cron is unknown; known are flux, slurm"), ("slurm", "this is no slurm job")],
)
def test_forced_but_not_there(name: str, said: str) -> None:
    with pytest.raises(AllocationError, match=said):
        managers.detect(recorded("pbs_2x8"), name)


HALF_SET = [
    ("flux", {"FLUX_URI": "local:///run/x"}, "FLUX_URI=local:///run/x"),
    ("flux", {"FLUX_JOB_ID": "f1"}, "FLUX_JOB_ID=f1 is set but FLUX_URI is not"),
    ("slurm", {"SLURM_JOB_ID": "1"}, "SLURM_JOB_NODELIST is not set"),
    ("slurm", {"SLURM_JOB_NODELIST": "n1"}, "SLURM_JOB_NODELIST=n1 is set but SLURM_JOB_ID is not"),
    ("cobalt", {"COBALT_JOBID": "1"}, "COBALT_JOBID=1 is set, but neither COBALT_NODEFILE"),
    ("pbs", {"PBS_JOBID": "1.s"}, "PBS_JOBID=1.s is set but PBS_NODEFILE is not"),
    ("pbs", {"PBS_NODEFILE": "/a"}, "PBS_NODEFILE=/a is set but PBS_JOBID is not"),
    ("lsf", {"LSB_JOBID": "1"}, "LSB_JOBID=1 is set, but none of LSB_MCPU_HOSTS"),
    ("sge", {"PE_HOSTFILE": "/nowhere"}, "PE_HOSTFILE=/nowhere cannot be read"),
    ("oar", {"OAR_JOB_ID": "1"}, "OAR_JOB_ID=1 is set but OAR_NODEFILE is not"),
    ("oar", {"OAR_NODEFILE": "/a"}, "OAR_NODEFILE=/a is set but OAR_JOB_ID is not"),
    ("pjm", {"PJM_JOBID": "1"}, "PJM_JOBID=1 is set but PJM_O_NODEINF is not"),
    ("pjm", {"PJM_O_NODEINF": "/a"}, "PJM_O_NODEINF=/a is set but PJM_JOBID is not"),
    ("kubernetes", {"K_MPI_JOB_ROLE": "worker"}, "K_MPI_JOB_ROLE=worker"),
]


@pytest.mark.parametrize(("manager", "env", "said"), HALF_SET)
def test_half_set_is_refused_with_the_remedy(manager: str, env: dict[str, str], said: str) -> None:
    with pytest.raises(AllocationError) as caught:
        managers.detect(env)
    assert said in str(caught.value)
    assert "--sched=local" in str(caught.value)
    assert managers.present(env) == [manager, "local"]
    assert managers.detect(env, "local").local


def test_no_batch_system_asks_nobody() -> None:
    def ask(words: object) -> str | None:
        raise AssertionError(words)

    assert managers.detect({}, ask=ask).local
    assert managers.present({"SLURM_CONF": "/etc/s", "SGE_ROOT": "/sge"}, nobody) == ["local"]
