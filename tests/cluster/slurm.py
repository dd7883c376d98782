"""A real Slurm on this machine, from Debian's packages: two nodes, n1 and n2, of six CPUs each.

Starts `munged`, `slurmctld` and two `slurmd`, with all their files in one directory, and ends them
with everything that their jobs have left. Needs nothing but Python. By hand, until Ctrl-C:

    python -m tests.cluster.slurm [DIRECTORY]
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

NODES = ("n1", "n2")
CPUS = 6
PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "sinfo")
DIES_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")
"""So that tests which are killed leave no daemon; from util-linux."""
DAEMON = "DAEMON_OF_TESTS"
"""A variable that daemons have and slurmstepd inherits, but no job."""
START_SECONDS = 60
"""Three seconds on a quiet machine."""
END_SECONDS = 20

# config_overrides: more CPUs than this machine has. No accounting, no cgroups, no binding: neither
# a container nor a user who is not root may do these.
CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={directory}/munge.socket
CredType=cred/munge
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/%n
TmpFS={directory}/%n
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/%n.pid
SlurmctldLogFile={directory}/slurmctld.log
SlurmdLogFile={directory}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,bf_interval=1
KillWait=2
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs={cpus}
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs={cpus}
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=10 State=UP
"""


class NotStarted(Exception):
    """This machine runs no Slurm; the message says what is missing, or what the daemons say."""


@contextlib.contextmanager
def running(directory: Path) -> Iterator[dict[str, str]]:
    """A Slurm with its files in `directory`; gives the variables that its users need.

    Raises NotStarted. Afterwards all that was started has ended, in each case.
    """
    missing = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if missing:
        raise NotStarted(f"there is no {', '.join(missing)}: apt-get install slurm-wlm munge")
    variables = {"SLURM_CONF": str(directory / "slurm.conf"), "PATH": PATH}
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for words in _commands(directory):
            daemons += [_daemon(words, directory, variables)]
        _await_nodes(daemons, directory, variables)
        yield variables
    finally:
        _end(daemons, variables)


def processes(variables: Mapping[str, str], job: str = "") -> list[int]:
    """Those of a job, or the daemons and those of all jobs; no shell that just uses this Slurm."""
    ours = f"SLURM_CONF={variables['SLURM_CONF']}"
    marks = {f"SLURM_JOB_ID={job}"} if job else {f"{DAEMON}=1"}
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                env = (entry / "environ").read_text(errors="replace").split("\0")
                any_job = not job and any(each.startswith("SLURM_JOB_ID=") for each in env)
                if ours in env and (any_job or not marks.isdisjoint(env)):
                    found.append(int(entry.name))
    return found


def _commands(directory: Path) -> Iterator[list[str]]:
    """Writes what the daemons need and gives their command lines, for the foreground."""
    for name in ("state", *NODES):
        (directory / name).mkdir(parents=True, exist_ok=True)
    host = socket.gethostname().partition(".")[0]
    (directory / "slurm.conf").write_text(
        CONFIGURATION.format(
            host=host, ports=_free_ports(3), user=getpass.getuser(), directory=directory, cpus=CPUS
        )
    )
    key = directory / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))
    # --force: directories of tests are closed to others, which munged does not like.
    yield [
        "munged", "--foreground", "--force", f"--key-file={key}",
        *(f"--{what}-file={directory}/munge.{what}" for what in ("pid", "log", "seed")),
        f"--socket={directory}/munge.socket",
    ]  # fmt: skip
    yield ["slurmctld", "-D", "-c"]
    for node in NODES:
        yield ["slurmd", "-D", "-N", node]


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:  # all open at once: they differ
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _daemon(
    words: list[str], directory: Path, variables: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C in the terminal must not end it before its jobs."""
    prefix = DIES_WITH_US if shutil.which("setpriv", path=PATH) else ()
    with open(directory / f"{words[0]}.{words[-1].lstrip('-')[:2]}.out", "wb") as output:
        return subprocess.Popen(
            [*prefix, *words], env={**os.environ, **variables, DAEMON: "1"}, cwd=directory,
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip


def _await_nodes(
    daemons: list[subprocess.Popen[bytes]], directory: Path, variables: Mapping[str, str]
) -> None:
    limit = time.monotonic() + START_SECONDS
    wanted = [f"{node} idle" for node in NODES]
    while time.monotonic() < limit and all(each.poll() is None for each in daemons):
        if sorted(_ask(["sinfo", "-h", "-N", "-o", "%N %t"], variables).splitlines()) == wanted:
            return
        time.sleep(0.1)
    files = sorted([*directory.glob("*.out"), *directory.glob("*.log")])
    said = [f"{each.name}: {each.read_text(errors='replace')[-600:]}" for each in files]
    raise NotStarted("\n".join(["a daemon has ended, or the nodes do not become idle", *said]))


def _ask(words: list[str], variables: Mapping[str, str]) -> str:
    with contextlib.suppress(subprocess.TimeoutExpired):
        return subprocess.run(
            words, env={**os.environ, **variables}, capture_output=True, text=True, timeout=10
        ).stdout
    return ""


def _end(daemons: list[subprocess.Popen[bytes]], variables: Mapping[str, str]) -> None:
    """End the daemons, the last started first; then what is left of their jobs."""
    for each in reversed(daemons):
        each.terminate()
    limit = time.monotonic() + END_SECONDS
    for each in daemons:
        try:
            each.wait(max(0.1, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            each.kill()
            each.wait()
    limit = time.monotonic() + END_SECONDS
    while (left := processes(variables)) and time.monotonic() < limit:
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)


def main() -> None:
    """Print what to export, and stay until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = sys.argv[1:] or [tempfile.mkdtemp(prefix="slurm")]
    try:
        with contextlib.suppress(KeyboardInterrupt), running(Path(given[0]).resolve()) as variables:
            print(f"export SLURM_CONF={variables['SLURM_CONF']} PATH=$PATH:/usr/sbin", flush=True)
            signal.pause()
    except NotStarted as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
