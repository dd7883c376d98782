"""What a farm opens to others: no port, no shell, no file of ours that outlives it."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoopmpi.launch import managers
from scoopmpi.launch.hosts.allocation import AllocationError, Host, merged
from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, start, start_ranks
from tests.support.wrappers import Prefix, of_slots, prefix, started

__all__ = ["prefix"]
pytestmark = pytest.mark.timeout(120)
PACKAGE = ROOT / "scoopmpi"
HOSTILE = [
    "$(touch x)", "`touch x`", "a;touch x", "a&touch", "a|b", "-rf", "--host", "../x", "a=b", "a'b",
    'a"b', "a,b", "a:b", "a\\b", "é", "a\x07",
]  # fmt: skip


# No shell.


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_nothing_is_passed_through_a_shell() -> None:
    """But by `simple_shell`, which is one: its user's words are commands, by intention."""
    for path in PACKAGE.rglob("*.py"):
        for name, call in calls(path):
            assert name not in {"os.system", "os.popen", "subprocess.getoutput"}, path
            shell = [word for word in call.keywords if word.arg == "shell"]
            assert not shell or path.stem == "simple_shell", path


@pytest.mark.parametrize("name", HOSTILE)
def test_a_host_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(AllocationError, match="is no host name"):
        merged([Host(name, 1)], "the file")


@pytest.mark.parametrize("name", HOSTILE)
def test_whoever_says_it(name: str, tmp_path: Path) -> None:
    """An error that names the variable or the file; nothing is executed."""
    nodes = tmp_path / "nodes"
    nodes.write_text(f"{name} 1 q u\n")
    jobs: list[dict[str, str]] = [
        {"PBS_JOBID": "1.s", "PBS_NODEFILE": str(nodes), "PBS_NP": "1"},
        {"JOB_ID": "1", "PE_HOSTFILE": str(nodes), "NSLOTS": "1", "SGE_TASK_ID": "undefined"},
        {"LSB_JOBID": "1", "LSB_MCPU_HOSTS": f"{name} 1", "LSB_HOSTS": name},
        {
            "SLURM_JOB_ID": "1", "SLURM_JOB_NODELIST": name, "SLURM_JOB_CPUS_PER_NODE": "1",
            "SLURM_TASKS_PER_NODE": "1", "SLURM_JOB_NUM_NODES": "1",
        },
        {"OAR_JOB_ID": "1", "OAR_NODEFILE": str(nodes)},
        {"COBALT_JOBID": "1", "COBALT_NODEFILE": str(nodes)},
    ]  # fmt: skip
    for env in jobs:
        with pytest.raises(AllocationError) as refused:
            managers.detect(env, None, lambda *_: "")
        assert any(word in str(refused.value) for word in (*env, str(nodes)))


def test_words_and_variables_stay_what_they_are(prefix: Prefix, tmp_path: Path) -> None:
    hostile = "$(touch executed) `touch executed`; touch executed #"
    job = of_slots(tmp_path, 2, 1, SCOOP_MINE=hostile, PBS_O_WORKDIR=hostile)
    shutil.copy(ROOT / "jobscripts" / "squares.py", tmp_path)
    done = started(prefix.myscoop("squares", hostile, "--", "-rf", cwd=tmp_path, **job))
    assert done.inner[-3:] == [hostile, "--", "-rf"]
    assert done.env["SCOOP_MINE"] == hostile
    assert not (tmp_path / "executed").exists()


# No port.

LISTENING = """
import os, time

def listening(_=0):
    own = set()
    for entry in os.listdir("/proc/self/fd"):
        try:
            own.add(os.readlink("/proc/self/fd/" + entry))
        except OSError:
            pass
    return len(still(sockets() & own))

def still(found):
    time.sleep(0.1)  # a library asks for names and interfaces by sockets that it closes at once
    return found & sockets()

def sockets():
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        with open("/proc/net/" + table) as file:
            for line in list(file)[1:]:
                words = line.split()
                if words[3] in ("0A", "07"):
                    found.add("socket:[%s]" % words[9])
    return found
"""
BARE = (
    LISTENING
    + """
from mpi4py import MPI
print(*MPI.COMM_WORLD.gather(listening()) or (), flush=True)
"""
)
FARM = (
    LISTENING
    + """
from scoopmpi import futures, shared
if __name__ == "__main__":
    shared.setConst(name=1)
    print(listening(), *futures.map(listening, range(8)), flush=True)
"""
)


def test_no_port_of_ours_listens(library: Library, tmp_path: Path) -> None:
    """A rank of a farm listens where a bare rank of that MPI library does, and nowhere else."""
    if not os.path.exists("/proc/net/tcp"):
        pytest.skip("needs /proc")
    (tmp_path / "bare.py").write_text(BARE)
    (tmp_path / "farm.py").write_text(FARM)
    bare = start_ranks(library, 3, ["bare.py"], cwd=tmp_path)
    farm = start_ranks(library, 3, ["-m", "scoopmpi", "farm.py"], cwd=tmp_path)
    assert (bare.returncode, farm.returncode) == (0, 0), bare.stderr + farm.stderr
    allowed = max(map(int, bare.stdout.split()))
    assert max(map(int, farm.stdout.split())) <= allowed


def test_no_module_of_ours_opens_one() -> None:
    """But for the line to rank 0, which no other host and no other user can reach."""
    for path in PACKAGE.rglob("*.py"):
        line = path == PACKAGE / "launch" / "beside" / "lifeline.py"
        for name, call in calls(path):
            if name == "socket.socket" and line:
                assert ast.unparse(call.args[0]) == "socket.AF_UNIX"
            else:
                last = name.rpartition(".")[2]
                assert line or last not in {"listen", "create_server", "start_server"}, path


# No files.

WAITS = """
import time
import numpy
from scoopmpi import futures, shared
if __name__ == "__main__":
    shared.setConst(table=numpy.zeros(1 << 20))
    list(futures.map(abs, range(10)))
    print("here", flush=True)
    list(futures.map(time.sleep, [60] * 2))
"""


LIBRARYS = ("ompi.", "prte.", "pmix", "openmpi")
"""How names begin that Open MPI gives to its own session directories."""


def traces(place: Path) -> set[str]:
    """What stands in the temporary directory and in shared memory."""
    shared = Path("/dev/shm")
    names = {path.name for path in shared.iterdir()} if shared.exists() else set()
    return {name for name in names if "scoop" in name} | {path.name for path in place.iterdir()}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_leaves_no_file_of_ours_behind(
    first_library: Library, tmp_path: Path, number: signal.Signals
) -> None:
    """After its end and after that of the launcher: what is left are the MPI library's own."""
    place = tmp_path / "tmp"
    place.mkdir()
    (tmp_path / "waits.py").write_text(WAITS)
    library = Library(first_library.name, {**first_library.env, "TMPDIR": str(place)})
    with subprocess.Popen(
        [*MYSCOOP, "-n", "2", "waits.py"], cwd=tmp_path, env=library.env, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as job:  # fmt: skip
        assert job.stdout is not None
        assert job.stdout.readline() == "here\n"
        job.send_signal(number)
        job.communicate(timeout=30)
    deadline = time.monotonic() + 10
    while left := [name for name in traces(place) if not name.startswith(LIBRARYS)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_what_is_written_is_the_users_alone(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(
        "from scoopmpi import futures\n"
        "if __name__ == '__main__':\n    print(list(futures.map(abs, [-1])))\n"
    )
    before = os.umask(0)
    try:
        words = [*MYSCOOP, "-n", "1", "--checkpoint", "run.ckpt", "prog.py"]
        assert start(first_library, words, cwd=tmp_path).stdout == "[1]\n"
    finally:
        os.umask(before)
    assert (tmp_path / "run.ckpt").stat().st_mode & 0o777 == 0o600
