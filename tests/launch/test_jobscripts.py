"""Each script of jobscripts/ in the environment of its batch system, with a stand-in for mpirun.

The script's body is run by bash as the batch system would, in a copy of the directory. The
stand-in answers `--version` as Open MPI 5 does and otherwise prints what it was given; a stand-in
of mpi4py names the library. Environments are recordings of real jobs (`samples`), some with a
change that the table names; those of LSF, OAR, Cobalt, Flux, PJM and Kubernetes, of which there is
no recording, are made up from the documentation that stands beside them.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from scoopmpi.launch import managers
from scoopmpi.launch.hosts.allocation import LOCAL
from scoopmpi.launch.managers import local
from scoopmpi.process.asking import asking
from tests.support.environments import recorded
from tests.support.libraries import ROOT

JOBSCRIPTS = ROOT / "jobscripts"
BASH = shutil.which("bash") or "bash"
LIBRARY = "Open MPI v5.0.11, package: a stand-in"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

MPIRUN = """
import json, os, sys
if sys.argv[1:] == ["--version"]:
    print("mpirun (Open MPI) 5.0.11")
else:
    print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]))
"""
FLUX = """
import json, sys
nodes = [{"rank": "0-1", "children": {"core": "0-7"}}]
if sys.argv[1:2] == ["resource"]:
    print(json.dumps({"version": 1, "execution": {"nodelist": ["h[1-2]"], "R_lite": nodes}}))
else:
    sys.exit("not asked here")
"""
MPI4PY = f"""
class rc: pass
class MPI:
    Get_library_version = staticmethod(lambda: {LIBRARY!r})
"""


class Job(NamedTuple):
    """A script, whose environment it runs in, and what mpirun must get.

    hosts: ranks on each, rank 0 with the first. inner: the program's words, for each command,
    behind options of ours; WORK is the directory.
    sample: the recording, or "". changes: to its variables. files: texts of files that variables
    name. at_home: the batch system starts the script in the home directory.
    """

    script: str
    manager: str
    hosts: str
    inner: tuple[str, ...]
    sample: str = ""
    changes: Mapping[str, str] = MappingProxyType({})
    files: Mapping[str, str] = MappingProxyType({})
    threads: int = 1
    at_home: bool = False


def lines(*counted: tuple[str, int]) -> str:
    return "".join(f"{host}\n" * count for host, count in counted)


SQUARES = ("squares 10000",)
SWEEP = (
    "--stop-before 60 sweep --data sweep.csv --log sweep.log"
    ' sh -c echo "$temperature K and $pressure bar make $((temperature * pressure))"'
)
TWO_BY_8 = "openpbs/nodes2_ppn8"
# Torque's manual, "Exported batch environment variables"; the recording is of OpenPBS.
TORQUE = {"PBS_NUM_NODES": "2", "PBS_NUM_PPN": "8", "PBS_NP": "16"}
TWO_BY_16 = {
    "PBS_NUM_NODES": "2", "PBS_NUM_PPN": "16", "PBS_NP": "32", "NCPUS": "16",
    "OMP_NUM_THREADS": "16",
}  # fmt: skip
ARRAY_OF_8 = {
    "SLURM_NTASKS": "8", "SLURM_NPROCS": "8", "SLURM_TASKS_PER_NODE": "8",
    "SLURM_JOB_CPUS_PER_NODE": "8", "SLURM_CPUS_ON_NODE": "8",
}  # fmt: skip
SIXTEEN_SLOTS = {"NSLOTS": "16", "NHOSTS": "2"}
PE = "pbs2 8 all.q@pbs2 UNDEFINED\npbs3 8 all.q@pbs3 UNDEFINED\n"

# "IBM Spectrum LSF: environment variables set for job execution".
LSF = {
    "LSB_JOBID": "71", "LSB_BATCH_JID": "71", "LSB_JOBNAME": "squares", "LSB_QUEUE": "normal",
    "LSB_DJOB_NUMPROC": "16", "LSB_MCPU_HOSTS": "h1 8 h2 8", "LSB_HOSTS": "h1 " * 8 + "h2 " * 8,
}  # fmt: skip
# oarsub(1): "environment variables".
OAR = {
    "OAR_JOB_ID": "72", "OAR_JOBID": "72", "OAR_JOB_NAME": "", "OAR_PROJECT_NAME": "default",
    "OAR_JOB_WALLTIME": "0:10:0", "OAR_JOB_WALLTIME_SECONDS": "600",
}  # fmt: skip
# Argonne's guide to Cobalt on clusters: a line for each node; nothing says how many cores it has.
COBALT = {"COBALT_JOBID": "73", "COBALT_JOBSIZE": "2", "COBALT_PARTNAME": "h1,h2"}
# As the R package parallelly reads it, and scripts for Fugaku: a line of the file for each node.
PJM = {
    "PJM_JOBID": "74", "PJM_ENVIRONMENT": "BATCH", "PJM_JOBNAME": "squares.pjm", "PJM_NODE": "2",
    "PJM_MPI_PROC": "16", "PJM_PROC_BY_NODE": "8",
}  # fmt: skip
# flux-environment(7): what the initial program of a batch job sees.
IN_FLUX = {"FLUX_URI": "local:///tmp/flux-75/local-0", "FLUX_KVS_NAMESPACE": ""}
# The operator's pkg/controller/mpi_job_controller.go, v2beta1.
KUBERNETES = {
    "K_MPI_JOB_ROLE": "launcher", "OMPI_MCA_orte_keep_fqdn_hostnames": "true",
    "OMPI_MCA_orte_set_default_slots": "8", "OMPI_MCA_plm_rsh_args": "-o ConnectionAttempts=10",
}  # fmt: skip
PODS = [f"squares-worker-{number}.squares.default.svc" for number in (0, 1)]
CORES = local.cores()

JOBS = (
    Job("squares_jobscript.pbs", "pbs", "pbs2:9,pbs3:8", SQUARES, TWO_BY_8, TORQUE, at_home=True),
    Job("picalc_job_script.pbs", "pbs", "pbs2:17,pbs3:16", ("picalc 10000 5000",), TWO_BY_8,
        TWO_BY_16, {"PBS_NODEFILE": lines(("pbs2", 16), ("pbs3", 16))}, at_home=True),
    Job("simple_shell_jobscript.pbs", "pbs", "pbs2:9,pbs3:8",
        ("sanity", "simple_shell 100:200 echo input_$SCOOP_COUNTER.dat"), TWO_BY_8, TORQUE,
        at_home=True),
    Job("squares_select.pbs", "pbs", "pbs2:9,pbs3:8", SQUARES, "openpbs/select2_ncpus8_scatter",
        at_home=True),
    Job("array.pbs", "pbs", "pbs2:9", ("picalc 1000 1000",), "openpbs/array_J0_3/index_2",
        {"NCPUS": "8", "OMP_NUM_THREADS": "8"}, at_home=True),
    Job("hybrid.pbs", "pbs", "pbs2:3,pbs3:2", ("spectra 100 2000",), TWO_BY_8, TORQUE,
        threads=4, at_home=True),
    Job("mympirun.pbs", "pbs", "pbs2:8,pbs3:8", ("hello_mpi.py",), TWO_BY_8, TORQUE,
        at_home=True),
    Job("sweep.pbs", "pbs", "pbs2:9,pbs3:8", (SWEEP,), TWO_BY_8, TORQUE, at_home=True),
    Job("squares.slurm", "slurm", "n1:3,n2:2", SQUARES, "slurm/N2_n4"),
    Job("threads.slurm", "slurm", "n1:3,n2:2", ("spectra 100 2000",), "slurm/N2_c2_tpn2",
        threads=2),
    Job("array.slurm", "slurm", "n2:9", ("picalc 1000 1000",), "slurm/array_0_3/task_2",
        ARRAY_OF_8),
    Job("chain.slurm", "slurm", "n2:9",
        ("--checkpoint WORK/picalc.ckpt --stop-before auto picalc 1000000 1000000",),
        "slurm/array_0_3/task_2", ARRAY_OF_8),
    Job("sweep.slurm", "slurm", "n2:9", (SWEEP,), "slurm/array_0_3/task_2", ARRAY_OF_8),
    Job("squares.sge", "sge", "pbs2:9,pbs3:8", SQUARES, "gridengine/pe_mpirr_4", SIXTEEN_SLOTS,
        {"PE_HOSTFILE": PE}),
    Job("squares.lsf", "lsf", "h1:9,h2:8", SQUARES, "", LSF,
        {"LSB_DJOB_HOSTFILE": lines(("h1", 8), ("h2", 8))}),
    Job("squares.oar", "oar", "h1:9,h2:8", SQUARES, "", OAR,
        {"OAR_NODEFILE": lines(("h1", 8), ("h2", 8))}),
    Job("squares.cobalt", "cobalt", f"h1:{CORES + 1},h2:{CORES}", SQUARES, "", COBALT,
        {"COBALT_NODEFILE": "h1\nh2\n"}),
    Job("squares.flux", "flux", "h1:9,h2:8", SQUARES, "", IN_FLUX),
    Job("squares.pjm", "pjm", "h1:9,h2:8", SQUARES, "", PJM, {"PJM_O_NODEINF": "h1\nh2\n"}),
    Job("squares_mpijob.yaml", "kubernetes", f"{PODS[0]}:9,{PODS[1]}:8", SQUARES, "", KUBERNETES,
        {"OMPI_MCA_orte_default_hostfile": "".join(f"{pod} slots=8\n" for pod in PODS)}),
)  # fmt: skip


class Site(NamedTuple):
    """A user's directory with the job scripts, and PATH with the commands."""

    home: Path
    submitted: Path
    env: dict[str, str]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    commands = tmp_path / "mpi" / "bin"
    commands.mkdir(parents=True)
    (tmp_path / "mpirun.py").write_text(MPIRUN)
    (tmp_path / "flux.py").write_text(FLUX)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "mpi4py.py").write_text(MPI4PY)
    (tmp_path / "home").mkdir()
    for name, words in (
        ("mpirun", f"-S -E '{tmp_path}/mpirun.py'"),
        ("myscoop", "-m scoopmpi.myscoop"),
        ("mympirun", "-m scoopmpi.mympirun"),
        ("python3", ""),
        ("flux", f"-S -E '{tmp_path}/flux.py'"),
    ):
        (commands / name).write_text(f"#!/bin/sh\nexec '{sys.executable}' {words} \"$@\"\n")
        (commands / name).chmod(0o755)
    submitted = shutil.copytree(JOBSCRIPTS, tmp_path / "work")
    env = {
        "PATH": str(commands), "HOME": str(tmp_path / "home"), "PYTHONPATH": str(tmp_path / "site"),
        "MPI4PY_LIBMPI": str(tmp_path / "mpi" / "lib" / "libmpi.so.40"),
        "BASH_FUNC_module%%": "() { echo \"module $*\" >&2; }",
    }  # fmt: skip
    return Site(tmp_path / "home", submitted, env)


def environment(job: Job, site: Site) -> dict[str, str]:
    """What the batch system gives to the script."""
    found = {**(recorded(job.sample) if job.sample else {}), **job.changes, **site.env}
    for variable, text in job.files.items():
        path = site.home.parent / f"{variable}.txt"
        path.write_text(text)
        found[variable] = str(path)
    if "PBS_O_WORKDIR" in found:
        found["PBS_O_WORKDIR"] = str(site.submitted)
    return found


class Asked(NamedTuple):
    """What mpirun was told: its own words, the program's, where, and in which environment."""

    options: list[str]
    inner: str
    place: str
    env: dict[str, str]


def command_of(job: Job) -> list[str]:
    """The words that the batch system runs; a manifest has them in its launcher's container."""
    if not job.script.endswith(".yaml"):
        return [BASH, job.script]
    text = (JOBSCRIPTS / job.script).read_text()
    (words,) = re.findall(r"name: launcher\n(?:.*\n)*? +command: (\[.*\])", text)
    command: list[str] = json.loads(words)
    return command


def run(job: Job, site: Site) -> tuple[list[Asked], str]:
    words = command_of(job)
    start = site.home if job.at_home else site.submitted
    words = [str(site.submitted / word) if word == job.script else word for word in words]
    done = subprocess.run(
        words, cwd=start, env=environment(job, site), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return [asked(json.loads(line)) for line in done.stdout.splitlines()], done.stderr


def asked(printed: tuple[list[str], str, dict[str, str]]) -> Asked:
    words, place, env = printed
    python = next(i for i, word in enumerate(words) if "python" in word and i > words.index("-n"))
    inner = words[python + 1 :]
    if inner[:2] == ["-m", "scoopmpi"]:
        inner = inner[2:]
    options = words[:python]
    given = (word.split("=", 1) for flag, word in pairwise(options) if flag == "-x" and "=" in word)
    return Asked(options, " ".join(inner), place, env | dict(given))


@pytest.mark.ranks
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.script)
def test_what_mpirun_gets(job: Job, site: Site) -> None:
    everything, said = run(job, site)
    work = str(site.submitted)
    assert [one.inner.replace(work, "WORK") for one in everything] == list(job.inner)
    ranks = sum(int(host.rpartition(":")[2]) for host in job.hosts.split(","))
    for one in everything:
        assert one.options[one.options.index("--host") + 1] == job.hosts
        assert one.options[one.options.index("-n") + 1] == str(ranks)
        assert one.place == str(site.submitted)
        assert {one.env[name] for name in THREADS} == {str(job.threads)}
    if "module load" in (JOBSCRIPTS / job.script).read_text().replace("# module load", ""):
        assert re.search(r"^module load (scoopmpi|vsc-mympirun-scoop)$", said, re.MULTILINE)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.script)
def test_which_batch_system_is_seen(job: Job, site: Site) -> None:
    env = environment(job, site)
    assert managers.detect(env, ask=asking(env)).manager == job.manager


@pytest.mark.parametrize("script", ["squares_jobscript.pbs", "squares.slurm"])
def test_a_missing_module_command_does_not_end_a_script(script: str, site: Site) -> None:
    (job,) = (job for job in JOBS if job.script == script)
    del site.env["BASH_FUNC_module%%"]
    assert len(run(job, site)[0]) == 1


NOTEBOOKS = {"notebook.slurm", "notebook.pbs"}
"""Scripts in which `jupyter` starts the kernel: `tests/kernel/test_batch_notebook.py` runs them."""


def scripts() -> set[str]:
    others = (".py", ".md", ".csv", ".ipynb")
    return {path.name for path in JOBSCRIPTS.iterdir() if path.suffix not in others}


def test_every_script_is_run_here() -> None:
    assert {job.script for job in JOBS} == scripts() - {"__pycache__"} - NOTEBOOKS


def test_every_batch_system_has_a_script() -> None:
    known = {module.NAME for module in managers.MANAGERS} - {LOCAL}
    assert {job.manager for job in JOBS} == known


def test_the_readme_lists_every_script_and_program() -> None:
    listed = re.findall(r"^\| `([^`]+)` \|", (JOBSCRIPTS / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted({*NOTEBOOKS, *(job.script for job in JOBS)})
    text = (JOBSCRIPTS / "README.md").read_text()
    files = [*JOBSCRIPTS.glob("*.py"), *JOBSCRIPTS.glob("*.csv")]
    assert all(f"`{path.name}`" in text for path in files)


def test_no_script_names_a_place_of_one_site() -> None:
    for name in scripts() - {"__pycache__"}:
        text = (JOBSCRIPTS / name).read_text()
        paths = set(re.findall(r"(?<![\w.$/])/\w[\w/.]*", text))
        assert paths <= {"/bin/bash", "/work", "/usr/sbin/sshd", "/nodes"}, name


VSC = """
#PBS -l nodes=2:ppn={ppn}
module load vsc-mympirun-scoop
cd $PBS_O_WORKDIR
export PYTHONPATH=.:$PYTHONPATH
myscoop --scoop-module={words}
"""


@pytest.mark.parametrize(
    ("script", "ppn", "words"),
    [
        ("squares_jobscript.pbs", 8, "squares 10000"),
        ("picalc_job_script.pbs", 16, "picalc 10000 5000"),
    ],
)
def test_the_scripts_of_the_vsc_documentation_are_as_there(
    script: str, ppn: int, words: str
) -> None:
    text = (JOBSCRIPTS / script).read_text()
    meant = re.sub(r"^#( .*|!.*)?\n|\n(?=\n)", "", text, flags=re.MULTILINE)
    assert meant.strip() == VSC.format(ppn=ppn, words=words).strip()


@pytest.mark.parametrize("script", ["squares.oar", "squares.cobalt"])
def test_what_must_be_executable_is(script: str) -> None:
    assert (JOBSCRIPTS / script).stat().st_mode & 0o111
