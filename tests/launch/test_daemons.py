"""What Open MPI's daemons on other hosts are told for a farm: patience, and no signals."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scoopmpi.farm import host_watch
from scoopmpi.launch.commandline import daemons, deaf
from scoopmpi.launch.flavours import intelmpi, mpich, openmpi
from scoopmpi.launch.flavours.ranks import Daemons
from scoopmpi.launch.hosts.allocation import Host
from scoopmpi.process.signals import NOT_FOR_LAUNCHERS
from tests.support.launches import asking

PYTHON = "/opt/py/bin/python3"
OPENMPI_5, OPENMPI_4 = "Open MPI v5.0.11, package: …", "Open MPI v4.1.4, package: …"
TWO: dict[str, Any] = {"hosts": (Host("a", 9, 8), Host("b", 8)), "manager": "pbs"}
DEAF = f"{PYTHON} -I -S {deaf.__file__}"


def of_a_farm(env: dict[str, str], python: str = PYTHON, mpirun: str = "/no/mpirun") -> Daemons:
    return daemons.of_a_farm(python, mpirun, env)


def words(library: str = OPENMPI_5, **more: Any) -> list[str]:
    """The launcher's own words for a farm on two hosts."""
    env = {"PATH": "/bin", **more.pop("env", {})}
    told = replace(of_a_farm(env), agent_is_ours=more.pop("agent_is_ours", True))
    more = {"daemons": told} | TWO | more
    ranks = asking(**{"program": ["prog"], "env": env, "library": library, **more})
    return list(openmpi.command_line("/opt/mpi/bin/mpirun", ranks).argv)


def value(name: str, argv: list[str]) -> str | None:
    """What a parameter is set to."""
    return argv[argv.index(name) + 1] if name in argv else None


def keepalive(argv: list[str]) -> list[str | None]:
    return [value(f"oob_tcp_keepalive_{name}", argv) for name in ("time", "intvl", "probes")]


@pytest.mark.parametrize("library", [OPENMPI_5, OPENMPI_4])
def test_daemons_ask_each_other_sooner(library: str) -> None:
    """All in all one and a half times as long as rank 0 waits, so that it is the first."""
    assert keepalive(words(library)) == ["30", "10", "6"]
    assert keepalive(words(library, env={"SCOOPMPI_HOST_SECONDS": "6"})) == ["3", "1", "6"]
    assert keepalive(words(library, env={"SCOOPMPI_HOST_SECONDS": "600"})) == ["300", "100", "6"]
    option = "--prtemca" if library is OPENMPI_5 else "--mca"
    argv = words(library)
    assert argv[argv.index("oob_tcp_keepalive_time") - 1] == option


@pytest.mark.parametrize(
    "more",
    [
        {"env": {"SCOOPMPI_HOST_SECONDS": "0"}}, {"env": {"SCOOPMPI_HOST_SECONDS": "inf"}},
        {"env": {"PRTE_MCA_oob_tcp_keepalive_time": "7"}}, {"patience": None},
        {"env": {"OMPI_MCA_oob_tcp_keepalive_time": "7"}}, {"hosts": (Host("a", 9, 8),)},
    ],
)  # fmt: skip
def test_their_patience_may_be_the_librarys_or_the_users(more: dict[str, Any]) -> None:
    assert keepalive(words(**more)) == [None] * 3


@pytest.mark.parametrize("text", ["", "60", "7.5", "0", "inf", "-3", "soon", "nan"])
def test_the_launcher_reads_the_limit_as_rank_0_does(text: str) -> None:
    env = {"SCOOPMPI_HOST_SECONDS": text}
    assert (of_a_farm(env).patience or float("inf")) == host_watch.limit(env)


def test_daemons_and_their_remote_shell_are_deaf() -> None:
    argv = words(OPENMPI_5)
    assert value("prte_launch_agent", argv) == f"{DEAF} prted"
    assert value("plm_ssh_agent", argv) == f"{DEAF} ssh -x"
    argv = words(OPENMPI_4)
    assert value("orte_launch_agent", argv) == f"{DEAF} orted"
    assert value("plm_rsh_agent", argv) == f"{DEAF} ssh -x"


@pytest.mark.parametrize(
    ("more", "agent"),
    [
        ({"agent": "oarsh"}, "oarsh"), ({"agent": "slurm"}, None), ({"agent_is_ours": False}, None),
        ({"manager": "sge"}, None), ({"manager": "slurm"}, None), ({"deaf": ""}, None),
        ({"env": {"PRTE_MCA_plm_ssh_agent": "mine"}}, None), ({"hosts": (Host("a", 2),)}, None),
    ],
)  # fmt: skip
def test_a_remote_shell_that_somebody_has_chosen_stays(
    more: dict[str, Any], agent: str | None
) -> None:
    assert value("plm_ssh_agent", words(**more)) == agent


def test_daemons_that_somebody_has_chosen_stay() -> None:
    argv = words(env={"PRTE_MCA_prte_launch_agent": "valgrind prted"})
    assert value("prte_launch_agent", argv) is None


def test_other_launchers_need_no_such_words() -> None:
    for flavour, library in ((mpich, "MPICH Version: 5.0.2"), (intelmpi, "Intel(R) MPI Library")):
        ranks = asking(program=["prog"], env={}, library=library, **TWO)
        told = asking(program=["prog"], env={}, library=library, **TWO, daemons=of_a_farm({}))
        command = flavour.command_line("/opt/mpi/bin/mpirun", told)
        assert command == flavour.command_line("/opt/mpi/bin/mpirun", ranks)


@pytest.mark.parametrize("python", ["/my python/bin/python", "/a:b/python", "/a'b/python"])
def test_a_path_that_no_launcher_could_split_is_not_used(python: str) -> None:
    assert of_a_farm({}, python).deaf == ""


@pytest.mark.parametrize(
    ("file", "text", "ours"),
    [
        ("etc/openmpi-mca-params.conf", "plm_rsh_agent = /opt/site/ssh\n", False),
        ("etc/openmpi/openmpi-mca-params.conf", "  plm_rsh_agent=rsh", False),
        ("etc/prte-mca-params.conf", "a = b\nplm_ssh_agent = rsh\n", False),
        ("home/.prte/mca-params.conf", "prte_plm_ssh_agent=x\n", False),
        ("etc/openmpi-mca-params.conf", "# plm_rsh_agent = rsh\nmtl = ^ofi\n", True),
        ("etc/openmpi-mca-params.conf", "\xff plm_rsh_agentic = 1\n", True),
    ],
)
def test_a_remote_shell_in_a_file_is_found(
    file: str, text: str, ours: bool, tmp_path: Path
) -> None:
    env = {"HOME": str(tmp_path / "home")}
    mpirun = str(tmp_path / "bin" / "mpirun")
    before = of_a_farm(env, mpirun=mpirun).agent_is_ours
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_bytes(text.encode("latin-1"))
    assert of_a_farm(env, mpirun=mpirun).agent_is_ours is (ours and before)


@pytest.mark.ranks
def test_a_deaf_program_lives_on() -> None:
    assert set(deaf.UNHEARD) < NOT_FOR_LAUNCHERS
    lives = "import time; print(flush=True); time.sleep(0.5); print('on')"
    words = [sys.executable, "-I", "-S", deaf.__file__, sys.executable, "-c", lives]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for number in deaf.UNHEARD:
            os.kill(process.pid, number)
        assert process.stdout.read() == "on\n"
        assert process.wait(10) == 0
