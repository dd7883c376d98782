"""Real launchers, on hosts that are this machine: a remote shell that goes nowhere.

It runs here what it is given, in an environment with little more than the name of the host, as on a
real one, which has a /tmp of its own too: daemons of Open MPI 4 that share one fail at times. So it
is seen where ranks go, what they are told, and what reaches them of the caller's environment.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scoopmpi.launch.commandline import launcher
from scoopmpi.launch.hosts.allocation import Host
from tests.support.launches import asking
from tests.support.libraries import Library
from tests.support.starting import start

pytestmark = pytest.mark.timeout(120)

SHELL = """#!/bin/sh
while :; do case $1 in -o|-p|-l) shift 2;; -*) shift;; *) break;; esac; done
host=$1; shift
mkdir -p "$0.tmp/$host"
exec env -i PATH=/usr/bin:/bin HOME="$HOME" TMPDIR="$0.tmp/$host" ON_HOST="$host" sh -c "$*"
"""
RANK = """
import json, os, sys
path = os.path.join(os.path.dirname(sys.argv[0]), f"{os.getpid()}.json")
with open(path, "x") as file:
    json.dump([sys.argv[1:], dict(os.environ)], file)
"""
WORDS = [
    "two  words", "", "$HOME `x` \"q\" 's' ; & | * ?", "new\nline", "ü", "-n", "--host", "%s", "\\",
    "-hosts", "a=b", "::",
]  # fmt: skip
VALUE = "a;b,c d $HOME \"q\" 's' =x:y`z` %s*\\"


@pytest.fixture
def shell(tmp_path: Path) -> str:
    path = tmp_path / "shell"
    path.write_text(SHELL)
    path.chmod(0o755)
    return str(path)


def seen(
    library: Library, shell: str, tmp_path: Path, hosts: tuple[Host, ...], **more: Any
) -> list[tuple[list[str], dict[str, str]]]:
    """What each rank saw: its words and its environment."""
    program = tmp_path / "rank.py"
    program.write_text(RANK)
    found = launcher.find(library.env)
    env = library.env | {"SCOOP_TEST": VALUE, "MY_OWN": "1", "MY_SECRET": "1"}
    ranks = asking(
        hosts, [sys.executable, str(program), *WORDS], env, manager="hosts", agent=shell,
        library=found.library, root=os.geteuid() == 0, prefixes=("MY_OWN",), **more,
    )  # fmt: skip
    command = found.flavour.command_line(found.mpirun, ranks)
    answer = start(Library(library.name, {**env, **command.env}), list(command.argv), tmp_path)
    assert answer.returncode == 0, answer.stderr
    return [tuple(json.loads(path.read_text())) for path in tmp_path.glob("*.json")]


SHAPES = [
    (Host("n1", 1),),
    (Host("n1", 5), Host("n2", 2)),
    (Host("n2", 1), Host("n1", 3), Host("n3", 2)),
    (Host("n1.example.org", 2), Host("n2.example.org", 2)),
]


@pytest.mark.parametrize("hosts", SHAPES, ids=lambda hosts: " ".join(h.name for h in hosts))
def test_each_host_has_its_ranks(
    library: Library, shell: str, tmp_path: Path, hosts: tuple[Host, ...]
) -> None:
    ranks = seen(library, shell, tmp_path, hosts)
    assert Counter(env["ON_HOST"] for _, env in ranks) == {h.name: h.slots for h in hosts}


RANK_VARIABLES = ("OMPI_COMM_WORLD_RANK", "PMI_RANK")


def test_rank_0_is_on_the_first_host(library: Library, shell: str, tmp_path: Path) -> None:
    ranks = seen(library, shell, tmp_path, (Host("n3", 1), Host("n1", 2), Host("n2", 1)))
    first = [env for _, env in ranks if "0" in map(env.get, RANK_VARIABLES)]
    assert [env["ON_HOST"] for env in first] == ["n3"]


def test_words_and_variables_arrive_as_they_are(
    library: Library, shell: str, tmp_path: Path
) -> None:
    given = {"SPECIAL": VALUE, "EMPTY": "", "OMP_NUM_THREADS": "3"}
    hosts = (Host("n1", 2), Host("n2", 1))
    ranks = seen(library, shell, tmp_path, hosts, variables=given, branches=2, debug_mpi=True)
    assert len(ranks) == 3
    for words, env in ranks:
        assert words == WORDS
        assert {name: env.get(name) for name in given} == given
        assert (env.get("SCOOP_TEST"), env.get("MY_OWN")) == (VALUE, "1")
        assert env["PATH"].endswith(library.env["PATH"])
        assert "MY_SECRET" not in env or "openmpi" not in library.name


@pytest.mark.parametrize("pinning", ["compact", "spread"])
@pytest.mark.parametrize(("slots", "threads"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1)])
def test_binding_is_never_refused(
    library: Library, shell: str, tmp_path: Path, pinning: str, slots: int, threads: int
) -> None:
    """On two cores; where ranks want more of them, none is bound."""
    hosts = (Host("n1", slots, 2), Host("n2", 1, 2))
    ranks = seen(library, shell, tmp_path, hosts, pinning=pinning, threads=threads)
    assert Counter(env["ON_HOST"] for _, env in ranks) == {"n1": slots, "n2": 1}
