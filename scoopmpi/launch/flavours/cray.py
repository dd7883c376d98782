"""Cray MPICH: HPE's PALS (`mpiexec`), or ALPS (`aprun`) on older machines; `srun` where Slurm is.

Not tried: PALS from the help of its mpiexec (CrayLabs/SmartSim issue 354, Cray-HPE/craycli), its
order of hosts from radical.pilot issue 3014; aprun from HPE's page "Run Applications Using the
aprun Command". What these do not allow to say is refused.
"""

from __future__ import annotations

import os
import re

from ..hosts.allocation import Host
from .command_line import CommandLine
from .ranks import LaunchError, Ranks

NAME = "cray"
TITLE = "Cray MPICH"
ALIASES = ("craympich", "cray-mpich", "pals", "aprun", "alps")
EXTRA = ""
LAUNCHERS = ("mpiexec", "aprun")
MOST_WORDS = None
MOST_BYTES = None
_NODE = re.compile(r"nid0*(\d+)")


def recognises(library: str) -> bool:
    """True for "MPI VERSION : CRAY MPICH version 8.1.25.17 (ANL base 3.4a2)"."""
    return "CRAY MPICH" in library


def starts(version: str, library: str) -> bool:
    """True for "aprun (ALPS) 6.6", "mpiexec (PALS) 1.2"; the pages do not show these words.

    So for a library of Cray's every mpiexec is good that is nobody else's.
    """
    if re.search(r"\b(PALS|ALPS|aprun)\b", version):
        return True
    others = any(name in version for name in ("HYDRA", "Open MPI", "OpenRTE", "Intel(R)"))
    return bool(library) and not others and bool(re.search(r"\bmpiexec\b.*\d\.\d", version))


def command_line(mpirun: str, ranks: Ranks) -> CommandLine:
    """Return the command line; both launchers hand over the environment by themselves."""
    own = _aprun if os.path.basename(mpirun).startswith("aprun") else _pals
    notes = []
    if ranks.asked.agent is not None:
        notes.append(f"--launcher {ranks.asked.agent}: {TITLE} starts ranks in its own way")
    return CommandLine((mpirun, *own(ranks)), {}, ranks.withheld, tuple(notes), environs=False)


def _pals(ranks: Ranks) -> tuple[str, ...]:
    words = ["--hosts", ",".join(host.name for host in ranks.hosts), *_per_host(ranks.hosts)]
    # By default it copies the program: an interpreter that is elsewhere misses its library.
    words += ["--no-transfer", "--envall"]
    for name, value in ranks.variables.items():
        words += ["--env", f"{name}={value}"]
    if ranks.bound is None:
        words += ["--cpu-bind", "none"]
    else:
        words += ["--cpu-bind", "depth", "--depth", str(ranks.threads)]
    words += ["--label"] * ranks.asked.debug_mpi
    return (*words, *ranks.asked.mpirun_options, "--np", str(ranks.count), *ranks.checked_program())


def _per_host(hosts: tuple[Host, ...]) -> tuple[str, ...]:
    """Return so many on each host; without a number they are dealt to the hosts in turn."""
    counts = [host.slots for host in hosts]
    if len(set(counts)) == 1:
        return ("--ppn", str(counts[0]))
    if counts[0] - counts[-1] == 1 and counts == sorted(counts, reverse=True):
        return ()
    shown = ", ".join(f"{host.name} {host.slots}" for host in hosts)
    raise LaunchError(
        f"the mpiexec of PALS cannot place these numbers of ranks: {shown}. Ask for as many on "
        "each host (--hybrid), or dealt to the hosts in turn (--universe)"
    )


def _aprun(ranks: Ranks) -> tuple[str, ...]:
    words = []
    for name, value in ranks.variables.items():
        words += ["-e", f"{name}={value}"]
    words += ["-D", "1"] * ranks.asked.debug_mpi
    binding = ("none",) if ranks.bound is None else ("cpu", "-d", str(ranks.threads))
    program = ranks.checked_program()
    for host in ranks.hosts:
        if host.slots > host.cores:
            raise LaunchError(
                f"aprun starts no more ranks than cores: {host.slots} on the {host.cores} cores "
                f"of {host.name}. Ask for fewer workers (--universe, --hybrid): rank 0 is one more"
            )
        number, node = str(host.slots), _NODE.sub(r"\1", host.name)
        words += ["-n", number, "-N", number, "-L", node, "-cc", *binding]
        words += [*ranks.asked.mpirun_options, *program, ":"]
    return tuple(words[:-1])
