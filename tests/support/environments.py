"""Environments of real batch jobs, as recorded, with what the programs there would answer.

`samples/` has a folder for each: `openpbs`, `slurm`, `gridengine`, in it one for each request
(`request.txt`), in it those of array elements, steps and ranks. Only the paths of node files are
turned to the copies beside them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from scoopmpi.launch.hosts.allocation import Allocation
from scoopmpi.process.asking import Ask

SAMPLES = Path(__file__).parent / "samples"
FILES = {"PBS_NODEFILE": "nodefile.txt", "PE_HOSTFILE": "pe_hostfile.txt"}
SHORT = {
    "pbs_2x8": "openpbs/nodes2_ppn8",
    "pbs_array": "openpbs/array_J0_3/index_2",
    "pbs_hetero": "openpbs/select_4_plus_2mpi2_scatter",
    "pbs_mixed": "openpbs/mixed_pbs1_vnodes_and_pbs2",
    "sge_array": "gridengine/array_t1_9_4_pe_smp2/task_5",
    "sge_mpirr4": "gridengine/pe_mpirr_4",
    "sge_serial": "gridengine/serial",
    "slurm_c2": "slurm/N1_c2",
    "slurm_exclusive": "slurm/N2_exclusive",
    "slurm_hetero": "slurm/n3_hetero",
    "slurm_n4": "slurm/N2_n4",
    "slurm_salloc": "slurm/salloc_no_request",
    "slurm_step": "slurm/substep_n1_in_N2_n4/step_N1_n1_w_n2",
}
"""The shapes that tests need most."""


def folder(name: str) -> Path:
    return SAMPLES / SHORT.get(name, name)


def samples(system: str) -> list[str]:
    """The names of all the environments recorded under a batch system."""
    found = (SAMPLES / system).rglob("environ.txt")
    return sorted(path.parent.relative_to(SAMPLES).as_posix() for path in found)


def recorded(name: str) -> dict[str, str]:
    lines = (folder(name) / "environ.txt").read_text().splitlines()
    env = dict(line.split("=", 1) for line in lines if "=" in line)
    for variable, file in FILES.items():
        if variable in env:
            env[variable] = str(folder(name) / file)
    return env


def qstat(name: str) -> Ask | None:
    """Who answers `qstat -f` for a recorded job of OpenPBS, None where nothing was recorded.

    Where only `facts.txt` was, the answer is made of it and of what was requested by `select`.
    """
    place = folder(name)
    if (place / "qstat_f.txt").exists():
        text = (place / "qstat_f.txt").read_text()
    else:
        facts = place / "facts.txt"
        said = facts.read_text() if facts.exists() else ""
        asked = re.search(r"select=(\S+)", (place / "request.txt").read_text()) if said else None
        if asked is None or "exec_vnode" not in said:
            return None
        lines = [line for line in said.splitlines() if line.startswith("exec_")]
        lines.append(f"Resource_List.select = {asked[1]}")
        text = f"Job Id: {recorded(name)['PBS_JOBID']}\n" + "".join(f"    {x}\n" for x in lines)
    return answering({("qstat", "-f", recorded(name)["PBS_JOBID"]): text})


def answering(answers: dict[tuple[str, ...], str]) -> Ask:
    """Whom programs ask: words in, what was printed out, None for other words."""

    def ask(words: Sequence[str]) -> str | None:
        return answers.get(tuple(words))

    return ask


def in_short(allocation: Allocation) -> str:
    """`n1:2 n2:2/8`: two workers each, on two cores and on eight."""
    return " ".join(
        f"{host.name}:{host.slots}" + (f"/{host.cores}" if host.cores != host.slots else "")
        for host in allocation.hosts
    )
