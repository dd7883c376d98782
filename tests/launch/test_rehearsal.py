"""--as: a job before it is submitted, by the same code as in a job."""

from __future__ import annotations

import time
from typing import Any

import pytest

from scoopmpi.launch import managers
from scoopmpi.launch.hosts import placement
from scoopmpi.launch.rehearsal.jobs import MADE_UP, SYSTEMS, job
from scoopmpi.launch.rehearsal.shape import Shape, ShapeError, shape
from tests.support.environments import folder, in_short, recorded
from tests.support.wrappers import Prefix, of_slots, prefix

__all__ = ["prefix"]


@pytest.mark.parametrize(
    ("text", "numbers", "words"),
    [
        ("slurm:3x4x8", (3, 4, 8), "3 nodes, 4 tasks on each, 8 cores a task"),
        ("slurm:3X4", (3, 4, None), "3 nodes, 4 tasks on each"),
        ("slurm:1x1×1", (1, 1, 1), "1 node, 1 task on each, 1 core a task"),
        ("Slurm: 12", (None, 12, None), "12 tasks"),
    ],
)
def test_a_shape(text: str, numbers: tuple[Any, ...], words: str) -> None:
    found = shape(text)
    assert found == Shape(text, "slurm", *numbers)
    assert str(found) == words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("slurm", "is no shape of a job, as in slurm:3x4x8"),
        ("3x4x8", "is no shape"),
        ("slurm:", "is no shape"),
        ("slurm:3x", "is no shape"),
        ("slurm:3x4x8x2", "is no shape"),
        ("slurm:-3x4", "is no shape"),
        ("slurm:٣", "is no shape"),
        ("slurm:3x0", "each number must be 1 or more"),
        ("slurm:100001x1", "larger than any machine"),
        ("slurm:99999x999x999", "larger than any machine: 100000 nodes and 20000000 cores"),
        ("slrum:3", "'slrum' is none of slurm, pbs, torque, lsf, sge, oar, pjm, flux"),
        ("cobalt:3", "'cobalt' is none of"),
        ("local:3", "'local' is none of"),
    ],
)
def test_a_mistake_is_answered_with_an_example(text: str, said: str) -> None:
    with pytest.raises(ShapeError) as problem:
        job(shape(text))
    assert said in str(problem.value)
    assert "slurm:3x4x8" in str(problem.value) or "larger" in said


def seen(text: str) -> str:
    """The hosts that the module of the batch system finds."""
    made = job(shape(text))
    return in_short(made.allocation(made.environment({"PATH": "/bin"})))


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_module_of_each_system_finds_what_was_asked_for(system: str) -> None:
    assert seen(f"{system}:3x4") == "node1:4 node2:4 node3:4"
    assert seen(f"{system}:12") == "node1:12"
    assert seen(f"{system}:1x2x1") == "node1:2"
    made = job(shape(f"{system}:2x4x8"))
    each = 4 if made.hybrid is None else 32  # then --hybrid makes 4 of them
    assert made.hybrid in (None, 4)
    assert seen(f"{system}:2x4x8") == " ".join(
        f"node{n}:{each}/32" if each == 4 else f"node{n}:32" for n in (1, 2)
    )


@pytest.mark.parametrize(
    ("text", "directives"),
    [
        ("slurm:3x4x8", "#SBATCH --nodes=3|#SBATCH --ntasks-per-node=4|#SBATCH --cpus-per-task=8"),
        ("slurm:12", "#SBATCH --ntasks=12"),
        ("pbs:3x4x8", "#PBS -l select=3:ncpus=32:mpiprocs=4:ompthreads=8|#PBS -l place=scatter"),
        ("pbspro:3x8", "#PBS -l select=3:ncpus=8|#PBS -l place=scatter"),
        ("pbs:8", "#PBS -l select=1:ncpus=8"),
        ("torque:3x4x8", "#PBS -l nodes=3:ppn=32"),
        ("lsf:3x4x8", '#BSUB -n 12|#BSUB -R "span[ptile=4] affinity[core(8)]"'),
        ("lsf:12", "#BSUB -n 12"),
        ("GridEngine:3x4", "#$ -pe mpi 12"),
        ("sge:1x4", "#$ -pe smp 4"),
        ("oar:2x8", "#OAR -l /nodes=2/core=8"),
        ("pjm:2x8", '#PJM -L "node=2"|#PJM --mpi "max-proc-per-node=8"'),
        ("flux:2x4x2", "# flux: -N2|# flux: -n8|# flux: -c2"),
    ],
)
def test_the_lines_that_ask_for_it(text: str, directives: str) -> None:
    assert "|".join(job(shape(text)).directives) == directives


@pytest.mark.parametrize(
    ("text", "sample"),
    [
        ("slurm:2x2", "slurm/N2_tpn2"),
        ("pbs:2x2x2", "openpbs/select2_ncpus4_mpiprocs2_scatter"),
        ("pbs:2x8", "openpbs/select2_ncpus8_scatter"),
        ("sge:2", "gridengine/pe_mpi_2"),
    ],
)
def test_what_is_made_up_is_as_in_recorded_jobs(text: str, sample: str) -> None:
    """The variables of a job are there, with its values but for names and numbers of jobs."""
    made, there = job(shape(text)), recorded(sample)
    own = {
        "SLURM_JOB_NODELIST", "SLURM_JOB_ID", "PBS_JOBID", "JOB_ID", "SGE_ROOT",
        "OMP_NUM_THREADS", "NCPUS",  # a recorded job has not asked for ompthreads
    }  # fmt: skip
    for name, value in made.variables.items():
        assert name in there
        assert name in own or value == there[name], name
    for name in made.files:
        assert name in there
    for name, file in (("PBS_NODEFILE", "nodefile.txt"), ("PE_HOSTFILE", "pe_hostfile.txt")):
        if name in made.files:
            lines = (folder(sample) / file).read_text().splitlines()
            ours = made.files[name].splitlines()
            assert [len(line.split()) for line in ours] == [len(line.split()) for line in lines]


def test_the_largest_jobs_are_placed_within_a_moment() -> None:
    """Each step looks at each host once or twice: there are clusters of ten thousand."""
    made = job(shape("slurm:10000x48x2"))
    found = made.allocation(made.environment({}))
    begun = time.process_time()
    assert placement.pinning(found, placement.Binding(), farm=True) == ("compact", "")
    assert placement.crowded(found, placement.hybrid(found, 4)) is None
    assert time.process_time() - begun < 2


def test_the_job_that_this_shell_is_in_does_not_count() -> None:
    env = recorded("slurm_n4") | {"PBS_NODEFILE": "/nowhere", "MINE": "1"}
    made = job(shape("sge:2x3"))
    inside = made.environment(env)
    assert inside["MINE"] == "1" and inside["PE_HOSTFILE"] == MADE_UP
    assert not any(name.startswith(("SLURM", "PBS")) for name in inside)
    assert managers.present(inside) == ["sge", "local"]
    assert in_short(made.allocation(inside)) == "node1:3 node2:3"


def test_the_command(prefix: Prefix) -> None:
    done = prefix.myscoop("--explain", "--as", "slurm:3x4x8", "squares", "10")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Rehearsal     slurm:3x4x8: 3 nodes, 4 tasks on each, 8 cores a")
    for text in (
        "\nHosts         3 hosts, 12 workers, 96 cores\n",
        "              node2    [########][########][########][########]\n",
        "\nThreads       8 for each worker: OMP_NUM_THREADS=8",
        "\nJob script\n#SBATCH --nodes=3\n#SBATCH --ntasks-per-node=4\n#SBATCH --cpus-per-task=8\n",
        "\n\nCommand\n",
        "--host node1:5,node2:4,node3:4",
    ):
        assert text in done.stdout
    assert prefix.myscoop("--as", "slurm:3x4x8", "squares", "10").stdout == done.stdout
    dry = prefix.myscoop("--dry-run", "--as=slurm:3x4x8", "squares", "10")
    assert done.stdout.endswith(f"\nCommand\n{dry.stdout}") and dry.stdout.count("\n") == 1


def test_other_options_count(prefix: Prefix) -> None:
    torque = prefix.myscoop("--as", "torque:2x4x2", "squares")
    assert "Hosts         2 hosts, 8 workers of 16 slots, 16 cores" in torque.stdout
    assert "#PBS -l nodes=2:ppn=8\n# below: myscoop --hybrid 4 PROGRAM\n" in torque.stdout
    mine = prefix.myscoop("--as", "torque:2x4x2", "--hybrid", "2", "squares")
    assert "Hosts         2 hosts, 4 workers of 16 slots" in mine.stdout
    assert "--hybrid" not in mine.stdout
    fewer = prefix.mympirun("--as", "slurm:2x8", "--universe", "5", "true", PATH="/bin:/usr/bin")
    assert "Hosts         2 hosts, 5 ranks of 16 slots" in fewer.stdout
    many = prefix.myscoop("--as", "slurm:2x8", "-n", "17", "squares")
    assert many.returncode == 1
    assert "Workers       FAILED: --universe 17 is more than the 16 slots" in many.stdout


def test_without_a_launcher(prefix: Prefix) -> None:
    """As on a login node where the module of the MPI is not loaded."""
    (prefix.path / "bin" / "mpirun").unlink()
    done = prefix.myscoop("--as", "slurm:3x4x8", "squares")
    assert done.returncode == 1
    assert "Hosts         3 hosts, 12 workers, 96 cores" in done.stdout
    assert "\nMPI           FAILED: " in done.stdout
    assert "\nThreads       8 for each worker\n" in done.stdout
    assert "#SBATCH --cpus-per-task=8" in done.stdout


def test_what_cannot_be_meant(prefix: Prefix, tmp_path: Any) -> None:
    wrong = prefix.myscoop("--as", "slurm:3x", "squares")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "--as: 'slurm:3x' is no shape of a job, as in slurm:3x4x8 (3 nodes" in wrong.stderr
    both = prefix.myscoop("--as", "slurm:3", "--sched", "pbs", "squares", **of_slots(tmp_path, 2))
    assert both.returncode == 2
    assert "--as slurm:3 or --sched pbs: in which batch system?" in both.stderr
    typed = prefix.myscoop("--as", "slurm:3", "squares", MYMPIRUN_SCHED="local")
    assert "Rehearsal     slurm:3: 3 tasks" in typed.stdout, typed.stderr
