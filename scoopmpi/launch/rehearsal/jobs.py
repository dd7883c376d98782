"""Jobs as batch systems give them: for each system, what a job of some shape asks for and finds.

The variables and files are those of recorded jobs (`tests/support/samples`), and otherwise of the
documentation that the module of the system in `managers` names. The hosts' names are made up.
To add one: a function here, and its place in `SYSTEMS`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .. import managers
from ..hosts.allocation import Allocation
from .shape import EXAMPLE, Shape, ShapeError

MADE_UP = "(made up)"
"""In the place of the path of a file that exists while it is read only."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job that might be submitted, and what it would find.

    manager: the name of its batch system. directives: lines of the job script that ask for it.
    variables: those of its environment. files: what stands in those that further variables name.
    answers: what commands of the batch system would print.
    hybrid: the workers of a node, where the batch system cannot be told; None where it can.
    notes: what the user should know, a sentence each.
    """

    shape: Shape
    manager: str
    directives: tuple[str, ...]
    variables: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    hybrid: int | None = None
    notes: tuple[str, ...] = ()

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment that such a job would have, submitted from this one."""
        others = tuple(beginning for each in managers.MANAGERS for beginning in each.VARIABLES)
        left = {name: value for name, value in env.items() if not name.startswith(others)}
        return {**left, **self.variables, **dict.fromkeys(self.files, MADE_UP)}

    def allocation(self, env: Mapping[str, str]) -> Allocation:
        """Return what the batch system's own module reads in such a job.

        env: as `environment` has made it. Raises AllocationError as in a job.
        """
        import tempfile  # late, as json: few starts are rehearsals

        with tempfile.TemporaryDirectory(prefix="scoopmpi-") as directory:
            paths = {name: os.path.join(directory, name) for name in self.files}
            for name, path in paths.items():
                with open(path, "w", encoding="ascii") as file:
                    file.write(self.files[name])
            return managers.detect({**env, **paths}, self.manager, self._answer)

    def _answer(self, words: Sequence[str]) -> str | None:
        return self.answers.get(tuple(words))


def job(shape: Shape) -> Job:
    """Return the job of a shape; raises ShapeError for a batch system that is not known here."""
    plain = shape.system.replace("-", "").replace("_", "")
    name = plain if plain in SYSTEMS else managers.ALIASES.get(plain, plain)
    if name not in SYSTEMS:
        known = ", ".join(SYSTEMS)
        raise ShapeError(f"{shape.text!r}: {shape.system!r} is none of {known}; as in {EXAMPLE}")
    return SYSTEMS[name](shape)


def _names(shape: Shape) -> list[str]:
    return [f"node{number}" for number in range(1, shape.hosts + 1)]


def _lines(shape: Shape, of_each: int) -> str:
    """Return a file with so many lines for each host."""
    return "".join(f"{name}\n" * of_each for name in _names(shape))


def _workers(shape: Shape) -> int | None:
    """Return the workers of a node where the batch system gives cores and no tasks."""
    return None if shape.cores in (None, 1) else shape.tasks


def _anywhere(shape: Shape) -> tuple[str, ...]:
    """Return what to say where the batch system may take several nodes."""
    if shape.nodes is not None:
        return ()
    return ("the batch system takes nodes as they are free, maybe several; one is shown here",)


# The batch systems.


def _slurm(shape: Shape) -> Job:
    times = "" if shape.hosts == 1 else f"(x{shape.hosts})"
    total = shape.hosts * shape.tasks
    variables = {
        "SLURM_JOB_ID": "1",
        "SLURM_JOB_NODELIST": "node1" if shape.hosts == 1 else f"node[1-{shape.hosts}]",
        "SLURM_JOB_NUM_NODES": f"{shape.hosts}",
        "SLURM_JOB_CPUS_PER_NODE": f"{shape.cores_of_host}{times}",
        "SLURM_CPUS_ON_NODE": f"{shape.cores_of_host}",
        "SLURM_NTASKS": f"{total}",
        "SLURM_TASKS_PER_NODE": f"{shape.tasks}{times}",
    }
    if shape.nodes is None:
        asked = [f"--ntasks={total}"]
    else:
        asked = [f"--nodes={shape.nodes}", f"--ntasks-per-node={shape.tasks}"]
        variables["SLURM_NTASKS_PER_NODE"] = f"{shape.tasks}"
    if shape.cores is not None:
        asked.append(f"--cpus-per-task={shape.cores}")
        variables["SLURM_CPUS_PER_TASK"] = f"{shape.cores}"
    directives = tuple(f"#SBATCH {word}" for word in asked)
    return Job(shape, "slurm", directives, variables, notes=_anywhere(shape))


def _openpbs(shape: Shape) -> Job:
    chunk, lines, threads = f"ncpus={shape.cores_of_host}", 1, shape.cores_of_host
    if shape.cores is not None:
        chunk += f":mpiprocs={shape.tasks}:ompthreads={shape.cores}"
        lines, threads = shape.tasks, shape.cores
    select = f"{shape.hosts}:{chunk}"
    vnodes = "+".join(f"({name}:ncpus={shape.cores_of_host})" for name in _names(shape))
    hosts = "+".join(f"{name}/0*{shape.cores_of_host}" for name in _names(shape))
    said = {"exec_host": hosts, "exec_vnode": vnodes, "Resource_List.select": select}
    answer = "".join(f"    {name} = {value}\n" for name, value in said.items())
    directives = [f"#PBS -l select={select}", "#PBS -l place=scatter"]
    note = f"Torque asks for these cores by #PBS -l nodes={shape.hosts}:ppn={shape.cores_of_host}"
    return Job(
        shape, "pbs", tuple(directives[: min(2, shape.hosts)]),
        {
            "PBS_JOBID": "1.server", "PBS_ENVIRONMENT": "PBS_BATCH",
            "NCPUS": f"{threads}", "OMP_NUM_THREADS": f"{threads}",
        },
        files={"PBS_NODEFILE": _lines(shape, lines)},
        answers={("qstat", "-f", "1.server"): f"Job Id: 1.server\n{answer}"},
        notes=(f"{note} (rehearse it: --as torque:{shape.text.partition(':')[2]})",),
    )  # fmt: skip


def _torque(shape: Shape) -> Job:
    cores = shape.cores_of_host
    return Job(
        shape, "pbs", (f"#PBS -l nodes={shape.hosts}:ppn={cores}",),
        {
            "PBS_JOBID": "1.server", "PBS_ENVIRONMENT": "PBS_BATCH",
            "PBS_NUM_NODES": f"{shape.hosts}", "PBS_NUM_PPN": f"{cores}",
            "PBS_NP": f"{shape.hosts * cores}",
        },
        files={"PBS_NODEFILE": _lines(shape, cores)}, hybrid=_workers(shape),
    )  # fmt: skip


def _lsf(shape: Shape) -> Job:
    total = shape.hosts * shape.tasks
    needs = [] if shape.nodes is None else [f"span[ptile={shape.tasks}]"]
    files: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    if shape.cores is not None:
        needs.append(f"affinity[core({shape.cores})]")
        first = range(0, shape.cores_of_host, shape.cores)
        cpus = [",".join(map(str, range(n, n + shape.cores))) for n in first]
        lines = [f"{name} {each}\n" for name in _names(shape) for each in cpus]
        files["LSB_AFFINITY_HOSTFILE"] = "".join(lines)
        notes = ("affinity[...] needs LSF's affinity plugin: ask your site whether it is there",)
    directives = [f"#BSUB -n {total}", *([f'#BSUB -R "{" ".join(needs)}"'] if needs else ())]
    return Job(
        shape, "lsf", tuple(directives),
        {
            "LSB_JOBID": "1", "LSB_DJOB_NUMPROC": f"{total}",
            "LSB_MCPU_HOSTS": " ".join(f"{name} {shape.tasks}" for name in _names(shape)),
        },
        files=files, notes=(*_anywhere(shape), *notes),
    )  # fmt: skip


def _gridengine(shape: Shape) -> Job:
    cores = shape.cores_of_host
    total = shape.hosts * cores
    name, rule = ("smp", "$pe_slots") if shape.nodes == 1 else ("mpi", f"{cores}")
    notes = [f"the name {name} is the site's: qconf -spl lists those of its parallel environments"]
    if shape.nodes is not None:
        notes.append(
            f"how many slots are on a host is the site's too: {cores} need an environment with "
            f"allocation_rule {rule}, or hosts that have so many (qconf -sp NAME)"
        )
    return Job(
        shape, "sge", (f"#$ -pe {name} {total}",),
        {
            "SGE_ROOT": "/var/lib/gridengine", "JOB_ID": "1", "PE": name,
            "NSLOTS": f"{total}", "NHOSTS": f"{shape.hosts}",
        },
        files={
            "PE_HOSTFILE": "".join(f"{x} {cores} all.q@{x} UNDEFINED\n" for x in _names(shape))
        },
        hybrid=_workers(shape), notes=(*_anywhere(shape), *notes),
    )  # fmt: skip


def _oar(shape: Shape) -> Job:
    directive = f"#OAR -l /nodes={shape.hosts}/core={shape.cores_of_host}"
    return Job(
        shape, "oar", (directive,), {"OAR_JOB_ID": "1"},
        files={"OAR_NODEFILE": _lines(shape, shape.cores_of_host)}, hybrid=_workers(shape),
    )  # fmt: skip


def _pjm(shape: Shape) -> Job:
    return Job(
        shape, "pjm",
        (f'#PJM -L "node={shape.hosts}"', f'#PJM --mpi "max-proc-per-node={shape.tasks}"'),
        {
            "PJM_JOBID": "1", "PJM_PROC_BY_NODE": f"{shape.tasks}",
            "PJM_VNODE_CORE": f"{shape.cores_of_host}",
        },
        files={"PJM_O_NODEINF": _lines(shape, 1)},
        notes=("nodes are given whole: the workers of one share all its cores",),
    )  # fmt: skip


def _flux(shape: Shape) -> Job:
    import json

    total = shape.hosts * shape.tasks
    asked = [f"-N{shape.nodes}"] if shape.nodes is not None else []
    asked += [f"-n{total}", *([f"-c{shape.cores}"] if shape.cores is not None else ())]
    ranks = {
        "rank": f"0-{shape.hosts - 1}", "children": {"core": f"0-{shape.cores_of_host - 1}"},
    }  # fmt: skip
    resources = {"execution": {"R_lite": [ranks], "nodelist": [f"node[1-{shape.hosts}]"]}}
    return Job(
        shape, "flux", tuple(f"# flux: {word}" for word in asked),
        {"FLUX_URI": "local:///tmp/flux/local-0"},
        answers={("flux", "resource", "R", "-s", "up"): json.dumps(resources)},
        hybrid=_workers(shape), notes=_anywhere(shape),
    )  # fmt: skip


SYSTEMS: Mapping[str, Callable[[Shape], Job]] = {
    "slurm": _slurm, "pbs": _openpbs, "torque": _torque, "lsf": _lsf, "sge": _gridengine,
    "oar": _oar, "pjm": _pjm, "flux": _flux,
}  # fmt: skip
"""By the names that `--as` takes, beside other names of the same managers."""
