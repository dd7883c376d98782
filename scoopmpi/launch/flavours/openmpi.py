"""Open MPI 4 (ORTE) and 5 (PRRTE): the same ideas under different names.

Layouts tried with 4.1.4 and 5.0.11, on real hosts, on hosts of a remote shell that goes nowhere,
and with the simulated allocations of both (`ras_simulator_*`).
"""

from __future__ import annotations

import os
import re

from ...process import words as process_words
from .command_line import CommandLine, for_daemons
from .ranks import Ranks

NAME = "openmpi"
TITLE = "Open MPI"
ALIASES = ("ompi", "open-mpi", "openrte", "prrte")
EXTRA = "openmpi"
LAUNCHERS = ("mpirun", "mpirun.openmpi", "mpiexec", "orterun", "prterun")
MOST_WORDS = None
MOST_BYTES = process_words.MOST_BYTES
PREFIXES = ("OMPI_MCA_", "PRTE_MCA_", "PMIX_MCA_")

_STARTERS = {"slurm": "slurm", "srun": "slurm", "pbs": "tm", "pbsdsh": "tm", "lsf": "lsf"}
"""What a bootstrap of Hydra is called here; users know one name for `--launcher`."""
_OWN_SHELLS = ("sge", "slurm", "lsf", "flux")
"""There daemons come by qrsh, srun, blaunch or flux, unless a remote shell is named."""
_KEEPALIVE = "oob_tcp_keepalive_"
_BATCH_SYSTEMS = "^slurm,pbs,tm,lsf,gridengine,flux"


def recognises(library: str) -> bool:
    """True for "Open MPI v5.0.11, package: …"."""
    return "Open MPI" in library


def starts(version: str, library: str) -> bool:
    """True for "mpirun (Open MPI) 5.0.11", where its major version is the library's."""
    if "Open MPI" not in version and "OpenRTE" not in version and "prterun" not in version:
        return False
    return _major(library) == (_major(version) or _major(library)) or not library


def command_line(mpirun: str, ranks: Ranks) -> CommandLine:
    """Return the command line; hosts and slots are handed over explicitly."""
    new = (_major(ranks.library) or 5) >= 5
    words = [mpirun, "--host", ",".join(f"{host.name}:{host.slots}" for host in ranks.hosts)]
    words += [*_places(ranks, new), *_daemons(ranks, new), *_for_one_host(ranks)]
    if not new and os.path.dirname(mpirun) == "/usr/bin":
        words.append("--noprefix")  # or /usr/bin stands before the user's environment on PATH
    if ranks.survive and new:  # costs nothing measurable; 4 has it in no release
        words += ["--with-ft", "ulfm"]
    if new and not any(word.startswith("--output") for word in ranks.asked.mpirun_options):
        words += ["--output", ":raw"]  # else only whole lines come out (openmpi/ompi#12594)
    if ranks.root:
        words.append("--allow-run-as-root")
    if ranks.asked.debug_mpi:
        words += ["--display", "map,bind"] if new else ["--display-map", "--report-bindings"]
    for name in () if ranks.local else ranks.exporting(*PREFIXES):
        words += ["-x", name]
    for name, value in ranks.variables.items():
        words += ["-x", f"{name}={value}"]
    needs, unset = for_daemons(ranks)
    words += [*ranks.asked.mpirun_options, "-n", str(ranks.count), *ranks.checked_program()]
    session = "PRTE_MCA_prte_local_tmpdir_base" if new else None
    return CommandLine(tuple(words), needs, unset, ends_stdin=not new, session=session)


def _places(ranks: Ranks, new: bool) -> tuple[str, ...]:
    """Return which host and cores ranks get; slots are ours to count.

    With rank 0 there is one rank more than the batch system knows: OVERSUBSCRIBE. A bare
    --oversubscribe puts all ranks on the first host in version 5, and so does that word where
    ranks are mapped by socket, with nothing said of binding.
    """
    if ranks.bound is None:
        return ("--map-by", "slot:OVERSUBSCRIBE", "--bind-to", "none")
    # A batch system may count hyper-threads as cores: then two ranks are on one.
    binding = ("--bind-to", "core:overload-allowed")
    if ranks.bound == "compact":
        return ("--map-by", f"slot:PE={ranks.threads}:OVERSUBSCRIBE", *binding)
    if not new:
        return ("--map-by", f"socket:PE={ranks.threads}", *binding)
    # Version 5 takes no more slots of a host than the batch system has told it of: it is not asked.
    unasked = () if ranks.local else ("--prtemca", "ras", _BATCH_SYSTEMS)
    return ("--map-by", f"package:PE={ranks.threads}", *binding, *unasked)


def _daemons(ranks: Ranks, new: bool) -> tuple[str, ...]:
    """Return how the daemons are started; host names stay as the batch system writes them."""
    option, words = "--prtemca" if new else "--mca", []
    if not new and len(ranks.hosts) > 1:
        # Daemons of 4.1.4 (Debian) crashed in 1 of 15 starts, where they put what they know of the
        # machine into shared memory. Without, none of 80 did, though some spread ones took 5 s.
        words += [option, "rtc_hwloc_vmhole", "none"]
    words += [*_asking(ranks, option), *_deaf_daemons(ranks, new)]
    if any("." in host.name for host in ranks.hosts):
        name = "prte_keep_fqdn_hostnames" if new else "orte_keep_fqdn_hostnames"
        words += [option, name, "1"]
    shell = "ssh" if new else "rsh"
    if ranks.asked.agent in _STARTERS:
        words += [option, "plm", _STARTERS[ranks.asked.agent]]
    elif ranks.asked.agent is not None:
        words += [option, "plm", shell]
    if agent := _agent(ranks):
        words += [option, f"plm_{shell}_agent", agent]
    if ranks.asked.branches is not None:
        words += [option, "rml_base_radix" if new else "routed_radix", str(ranks.asked.branches)]
    return tuple(words)


def _asking(ranks: Ranks, option: str) -> list[str]:
    """Return how soon the daemons notice that a host is off; by itself it takes 8 minutes.

    Later than rank 0 of a farm, which tells which host that is and ends the program in good order.
    """
    chosen = any(name + _KEEPALIVE + "time" in ranks.env for name in PREFIXES)
    seconds = ranks.daemons.patience
    if seconds is None or len(ranks.hosts) == 1 or chosen:
        return []
    idle, between = max(1, round(seconds / 2)), max(1, round(seconds / 6))
    pairs = {"time": idle, "intvl": between, "probes": 6}
    return [
        word for name, value in pairs.items() for word in (option, _KEEPALIVE + name, str(value))
    ]  # fmt: skip


def _deaf_daemons(ranks: Ranks, new: bool) -> list[str]:
    """Have daemons of other hosts end by the launcher's word, not by the batch system's signal."""
    name = "prte_launch_agent" if new else "orte_launch_agent"
    chosen = any(prefix + name in ranks.env for prefix in PREFIXES)
    if not ranks.daemons.deaf or len(ranks.hosts) == 1 or chosen:
        return []
    daemon = "prted" if new else "orted"
    return ["--prtemca" if new else "--mca", name, f"{ranks.daemons.deaf} {daemon}"]


def _agent(ranks: Ranks) -> str | None:
    """Return the remote shell: the user's, else a deaf ssh; None for the launcher's own choice."""
    agent, deaf = ranks.asked.agent, ranks.daemons.deaf
    if agent is not None:
        return None if agent in _STARTERS else agent
    chosen = any(name.endswith(("_ssh_agent", "_rsh_agent")) for name in ranks.env)
    ours = ranks.daemons.agent_is_ours and not chosen and ranks.manager not in _OWN_SHELLS
    if not ours or not deaf or len(ranks.hosts) == 1:
        return None
    return f"{deaf} ssh -x"  # where it is called ssh they add -x: no windows for daemons


def _for_one_host(ranks: Ranks) -> tuple[str, ...]:
    """Leave out its network transport `ofi`, whose library sleeps for a second while it starts.

    Measured with version 5.0.11 from PyPI: three ranks start and end in 0.18 s, not in 1.18 s.
    """
    if len(ranks.hosts) > 1 or "OMPI_MCA_btl" in ranks.env:
        return ()
    return ("--mca", "btl", "^ofi")


def _major(text: str) -> int | None:
    found = re.search(r"(?:Open MPI|OpenRTE)\)? v?(\d+)\.", text)
    return int(found[1]) if found else None
