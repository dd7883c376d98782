"""The environment of ranks and of launchers: what travels, what must not, what Slurm leaves."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest

from scoopmpi.launch.flavours import cray, intelmpi, mpich, mvapich, openmpi, srun
from scoopmpi.launch.flavours.command_line import CommandLine
from scoopmpi.launch.flavours.exported import MODULES
from scoopmpi.launch.flavours.ranks import LaunchError
from scoopmpi.launch.hosts.allocation import Host
from tests.launch.test_flavours import CRAY, INTEL, MPICH, MVAPICH_2, OPENMPI_4, OPENMPI_5
from tests.support.launches import asking

TWO = (Host("a", 2), Host("b", 2))
HYDRAS = [(mpich, MPICH), (mvapich, MVAPICH_2), (intelmpi, INTEL)]
BY_DAEMONS = [(openmpi, OPENMPI_4), (openmpi, OPENMPI_5), *HYDRAS]


def command(flavour: ModuleType, library: str, env: dict[str, str], **more: Any) -> CommandLine:
    ranks = asking(TWO, ["prog"], env, library=library, **{"manager": "slurm", **more})
    found: CommandLine = flavour.command_line("/opt/bin/mpirun", ranks)
    return found


def exported(env: dict[str, str], **more: Any) -> set[str]:
    """The names behind -x of Open MPI, the one that hands over nothing by itself."""
    argv = command(openmpi, OPENMPI_5, env, **more).argv
    return {name for option, name in pairwise(argv) if option == "-x"}


TRAVEL = """
    PATH LD_LIBRARY_PATH LD_PRELOAD PYTHONPATH PYTHONHASHSEED VIRTUAL_ENV CONDA_PREFIX
    MODULEPATH LOADEDMODULES LMOD_CMD SCOOP_DEBUG SCOOPMPI_WAIT MKL_NUM_THREADS OMP_PLACES
    OPENBLAS_NUM_THREADS BLIS_NUM_THREADS NUMEXPR_MAX_THREADS KMP_AFFINITY UCX_TLS FI_PROVIDER
    PSM2_DEVICES CUDA_DEVICE_ORDER MPI4PY_RC_THREADS OMPI_MCA_btl PRTE_MCA_x PMIX_MCA_y
""".split()  # noqa: SIM905
SECRETS = """
    AWS_SECRET_ACCESS_KEY GITHUB_TOKEN HF_TOKEN WANDB_API_KEY OPENAI_API_KEY PGPASSWORD
    SSH_AUTH_SOCK SSH_CONNECTION KRB5CCNAME XAUTHORITY DBUS_SESSION_BUS_ADDRESS SINGULARITY_KEY
    PYTHON_KEYRING_BACKEND PIP_INDEX_URL UV_PUBLISH_TOKEN TWINE_PASSWORD CONDA_TOKEN
    CUDA_LICENCE_KEY NCCL_SECRET MODULE_PASSWORD LMOD_SECRET FIREBASE_TOKEN OMPASSWORD PSMYKEY
    MKLICENSE VIRTUAL_ENV_TOKEN PATH_TO_KEYS HOME USER TERM LANG PBS_JOBID SLURM_JOB_ID
""".split()  # noqa: SIM905


def test_what_ranks_need_travels_and_nothing_else() -> None:
    assert exported(dict.fromkeys(TRAVEL + SECRETS, "x")) == set(TRAVEL)


def test_each_host_keeps_the_gpus_that_it_was_given() -> None:
    names = "CUDA_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES HIP_VISIBLE_DEVICES GPU_DEVICE_ORDINAL"
    assert exported(dict.fromkeys(names.split(), "0")) == set()


def test_secrets_do_not_stand_on_the_command_line() -> None:
    """Anybody on the host can read it: names only, as far as nobody set another value."""
    argv = command(openmpi, OPENMPI_5, dict.fromkeys(TRAVEL, "the value")).argv
    assert not any("the value" in word for word in argv)


@pytest.mark.parametrize(
    ("prefixes", "more"),
    [
        (("MYAPP",), {"MYAPP", "MYAPP_X"}),
        (("MYAPP_X", "HOME"), {"MYAPP_X", "HOME"}),
        (("",), set()),
        ((), set()),
    ],
)
def test_further_variables_by_name_or_beginning(prefixes: tuple[str, ...], more: set[str]) -> None:
    env = dict.fromkeys(("PATH", "MYAPP", "MYAPP_X", "HOME", "OTHER"), "x")
    assert exported(env, prefixes=prefixes) == {"PATH", *more}


def test_names_that_are_none_stay_here() -> None:
    """Shells export functions; a launcher would read more than a name."""
    assert exported({"SCOOP_F%%": "x", "SCOOP_A=B": "x", "OMP_ X": "x", "OMP_Ä": "x"}) == set()


def test_what_ranks_have_anyway_is_not_said_twice() -> None:
    env = {"OMP_NUM_THREADS": "1", "PATH": "/bin"}
    assert exported(env, variables={"OMP_NUM_THREADS": "4"}) == {"PATH", "OMP_NUM_THREADS=4"}


def test_variables_of_modules_can_stay_here() -> None:
    env = dict.fromkeys((*MODULES, "PATH", "OMPI_MCA_x"), "x")
    assert exported(env, modules=False) == {"PATH", "OMPI_MCA_x"}
    assert exported(env, modules=False, prefixes=("LMOD", "M")) == {"PATH", "OMPI_MCA_x"}
    for flavour, library in (*HYDRAS, (srun, MPICH), (cray, CRAY)):
        assert set(command(flavour, library, env, modules=False).unset) == MODULES
        assert command(flavour, library, env).unset == ()


@pytest.mark.parametrize(("flavour", "library"), HYDRAS)
def test_hydras_daemons_are_no_ranks_of_slurm(flavour: ModuleType, library: str) -> None:
    env = {"PATH": "/opt/bin:/bin"}
    assert command(flavour, library, env).env == {"SLURM_MPI_TYPE": "none"}
    assert command(flavour, library, env, manager="pbs").env == {}


@pytest.mark.parametrize(("flavour", "library"), BY_DAEMONS)
def test_what_sbatch_exports_does_not_reach_daemons(flavour: ModuleType, library: str) -> None:
    env = {"SLURM_EXPORT_ENV": "NONE", "PATH": "/opt/bin"}
    assert command(flavour, library, env).unset == ("SLURM_EXPORT_ENV",)
    assert command(flavour, library, {"PATH": "/opt/bin"}).unset == ()


@pytest.mark.parametrize(
    ("step", "within"),
    [("0", True), ("17", True), ("4294967291", False), ("4294967290", False), ("", False)],
)
def test_daemons_within_a_step_do_not_wait_for_its_end(step: str, within: bool) -> None:
    env = {"SLURM_STEP_ID": step, "PATH": "/opt/bin"}
    for flavour, library in BY_DAEMONS:
        assert ("SLURM_OVERLAP" in command(flavour, library, env).env) is within
    assert ("--overlap" in command(srun, MPICH, env).argv) is within
    assert "SLURM_OVERLAP" not in command(mpich, MPICH, env, manager="pbs").env


def test_intels_script_finds_its_parts_and_hydra_needs_no_help() -> None:
    assert command(intelmpi, INTEL, {"PATH": "/bin"}, manager="pbs").env["PATH"] == "/opt/bin:/bin"
    assert command(intelmpi, INTEL, {"PATH": "/bin:/opt/bin"}, manager="pbs").env == {}
    ranks = asking(TWO, ["prog"], {"PATH": "/bin"}, library=INTEL)
    assert intelmpi.command_line("/opt/bin/mpiexec.hydra", ranks).env == {}


@pytest.mark.parametrize(
    ("library", "plugin"),
    [
        (OPENMPI_4, "pmix"), (OPENMPI_5, "pmix"), (MPICH, "pmi2"), (INTEL, "pmi2"),
        (MVAPICH_2, "pmi2"), (CRAY, "cray_shasta"), ("slurm 22.05", None),
    ],
)  # fmt: skip
def test_srun_wires_the_library_up(library: str, plugin: str | None) -> None:
    assert srun.plugin(library) == plugin
    words = [word for word in command(srun, library, {}).argv if word.startswith("--mpi")]
    assert words == [f"--mpi={plugin}"] * (plugin is not None)


def test_srun_forgets_what_the_job_wanted_of_its_tasks() -> None:
    env = {
        "SLURM_NTASKS_PER_NODE": "2", "SLURM_CPUS_PER_TASK": "2", "SLURM_TRES_PER_TASK": "cpu=2",
        "SLURM_DISTRIBUTION": "block", "SLURM_JOB_ID": "1", "SLURM_CONF": "/x",
    }  # fmt: skip
    assert set(command(srun, MPICH, env).unset) == env.keys() - {"SLURM_JOB_ID", "SLURM_CONF"}


def test_a_list_of_hosts_that_no_command_line_takes_is_refused() -> None:
    hosts = tuple(Host(f"node{place:05}", 128) for place in range(200))
    with pytest.raises(LaunchError, match=r"25600 ranks.*Load the mpirun"):
        srun.command_line("/bin/srun", asking(hosts, ["prog"], {}, manager="slurm", library=MPICH))
