"""Every recorded environment x every flavour x the main options: the whole command, as text.

The texts are in `golden/`, a file for each batch system, a line for each command: options, flavour,
command. A sample whose commands are all those of an earlier one just names it. After a change that
is meant, write them again and read the difference:

    GOLDEN=write pytest tests/launch/test_golden_commands.py
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from scoopmpi.launch import managers
from scoopmpi.launch.flavours import cray, intelmpi, mpich, mvapich, openmpi, srun
from scoopmpi.launch.flavours.command_line import CommandLine
from scoopmpi.launch.flavours.ranks import LaunchError, Ranks
from scoopmpi.launch.hosts import placement
from scoopmpi.launch.hosts.allocation import Allocation, AllocationError
from scoopmpi.process.asking import nobody
from tests.support.environments import in_short, qstat, recorded, samples
from tests.support.launches import asking

GOLDEN = Path(__file__).parent / "golden"
SYSTEMS = ("openpbs", "slurm", "gridengine")
LAUNCHERS = "/mpi"
PROGRAM = ("prog", "-n", "; $HOME", "")

FLAVOURS: dict[str, tuple[ModuleType, str, str]] = {
    "openmpi-4": (openmpi, "mpirun", "Open MPI v4.1.4, package: Debian OpenMPI"),
    "openmpi-5": (openmpi, "mpirun", "Open MPI v5.0.11, package: Open MPI"),
    "mpich": (mpich, "mpirun", "MPICH Version: 5.0.2"),
    "intelmpi": (intelmpi, "mpiexec.hydra", "Intel(R) MPI Library 2021.17 for Linux* OS"),
    "mvapich": (mvapich, "mpiexec", "MVAPICH Version: 4.0"),
    "pals": (cray, "mpiexec", "CRAY MPICH version 8.1.25"),
    "aprun": (cray, "aprun", "CRAY MPICH version 8.1.25"),
    "srun-openmpi": (srun, "srun", "Open MPI v5.0.11, package: Open MPI"),
    "srun-mpich": (srun, "srun", "MPICH Version: 5.0.2"),
}
ONLY = {cray: ("openpbs",), srun: ("slurm",)}
"""Where there are such launchers."""
Placing = Callable[[Allocation], Allocation]


def farm(place: Placing) -> tuple[Placing, dict[str, Any]]:
    """As myscoop asks: a rank more than workers, nobody bound, and who dies dies alone."""
    return lambda allocation: placement.with_rank_0(place(allocation)), {"survive": True}


def plain(place: Placing, **more: Any) -> tuple[Placing, dict[str, Any]]:
    """As mympirun asks: as many ranks as slots."""
    return place, more


OPTIONS: dict[str, tuple[Placing, dict[str, Any]]] = {
    "farm": farm(lambda allocation: allocation),
    "farm, hybrid 1": farm(lambda allocation: placement.hybrid(allocation, 1)),
    "farm, universe 2": farm(lambda allocation: placement.exactly(allocation, 2)),
    "farm, multi 2": farm(lambda allocation: placement.multiplied(allocation, 2)),
    "farm, order": farm(lambda allocation: placement.ordered(allocation, "random_2")),
    "compact": plain(lambda allocation: allocation, pinning="compact"),
    "hybrid 1, spread": plain(lambda allocation: placement.hybrid(allocation, 1), pinning="spread"),
    "debug, words": plain(
        lambda allocation: allocation,
        debug_mpi=True,
        mpirun_options=("--foo", "x y"),
        branches=4,
        agent="oarsh",
    ),
}


def allocated(sample: str) -> Allocation:
    return managers.detect(recorded(sample), ask=qstat(sample) or nobody)


def ranks_of(sample: str, option: str, library: str) -> Ranks:
    place, more = OPTIONS[option]
    given = allocated(sample)
    placed = place(given)
    env = {name: value for name, value in recorded(sample).items() if name != "PATH"}
    return asking(
        placed.hosts, PROGRAM, env | {"PATH": f"{LAUNCHERS}:/bin"}, {"OMP_NUM_THREADS": "1"},
        given.manager, library, threads=placed.threads, **more,
    )  # fmt: skip


def commands(sample: str) -> Iterator[tuple[str, str, Ranks | None, CommandLine | str]]:
    """Options, flavour, what was asked for, and the command, or why there is none."""
    for option in OPTIONS:
        for name, (flavour, launcher, library) in FLAVOURS.items():
            if sample.partition("/")[0] not in ONLY.get(flavour, SYSTEMS):
                continue
            try:
                ranks = ranks_of(sample, option, library)
                yield option, name, ranks, flavour.command_line(f"{LAUNCHERS}/{launcher}", ranks)
            except (AllocationError, LaunchError) as problem:
                yield option, name, None, f"refused: {problem}"


def shown(command: CommandLine | str) -> str:
    """As --dry-run shows it."""
    return command if isinstance(command, str) else command.for_shell()


@cache
def text(system: str) -> str:
    """The golden text of a batch system, as the code has it now."""
    blocks: list[str] = []
    seen: dict[str, str] = {}
    for sample in samples(system):
        try:
            hosts = in_short(allocated(sample))
        except AllocationError as problem:
            reason = re.sub(r"\S*/(?=samples/)", "", str(problem))
            blocks.append(f"{sample} | refused: {reason}")
            continue
        body = "\n".join(f"  {how} | {name} | {shown(c)}" for how, name, _, c in commands(sample))
        earlier = seen.setdefault(body, sample)
        same = f" | as {earlier}" if earlier != sample else f"\n{body}\n"
        blocks.append(f"{sample} | {hosts}{same}")
    return "\n".join(blocks).rstrip() + "\n"


@pytest.mark.parametrize("system", SYSTEMS)
def test_commands_are_the_golden_ones(system: str) -> None:
    path = GOLDEN / f"{system}.txt"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(text(system))
    for number, (is_now, was) in enumerate(
        zip(text(system).splitlines(), path.read_text().splitlines(), strict=False), 1
    ):
        assert is_now == was, f"{path}, line {number}"
    assert text(system) == path.read_text(), "lines were added or are missing at the end"


# What holds whatever the texts say.

CASES = [pytest.param(sample, id=sample) for system in SYSTEMS for sample in samples(system)]


@pytest.mark.parametrize("sample", CASES)
def test_each_host_once_with_its_ranks_and_the_program_unchanged(sample: str) -> None:
    seen = 0
    for option, name, ranks, command in commands(sample):
        if ranks is None or isinstance(command, str):
            continue
        case, argv, seen = f"{option}, {name}", command.argv, seen + 1
        assert all(type(word) is str for word in argv), case
        assert argv[-len(PROGRAM) :] == PROGRAM, case
        expected = [(host.name, host.slots) for host in ranks.hosts]
        assert list(READERS[name](argv)) == expected, case
        assert sum(host.slots for host in ranks.hosts) == ranks.count, case
    assert seen >= 5 * 7, "most can be said"


def of_colons(argv: tuple[str, ...], option: str) -> list[tuple[str, int]]:
    """`--host a:9,b:8 … -n 17`"""
    pairs = [pair.split(":") for pair in argv[argv.index(option) + 1].split(",")]
    hosts = [(name, int(count)) for name, count in pairs]
    assert int(argv[argv.index("-n") + 1]) == sum(count for _, count in hosts)
    return hosts


def of_sets(argv: tuple[str, ...], host: str) -> Iterator[tuple[str, int]]:
    """`-host a -n 9 prog : -host b -n 8 prog`"""
    words = list(argv)
    while words:
        end = words.index(":") if ":" in words else len(words)
        this, words = words[:end], words[end + 1 :]
        assert tuple(this[-len(PROGRAM) :]) == PROGRAM
        assert this.count(host) == 1
        place = this.index("-n")
        yield this[this.index(host) + 1], int(this[place + 1])


def of_repetitions(argv: tuple[str, ...]) -> list[tuple[str, int]]:
    """`--nodelist=a,a,b … --ntasks=3`"""
    said = dict(word.split("=", 1) for word in argv if word.startswith("--") and "=" in word)
    names = said["--nodelist"].split(",")
    assert int(said["--ntasks"]) == len(names)
    assert int(said["--nodes"]) == len(set(names))
    return [(name, names.count(name)) for name in dict.fromkeys(names)]


def of_turns(argv: tuple[str, ...]) -> list[tuple[str, int]]:
    """`--hosts a,b --ppn 2 … --np 4`, or without --ppn in turn"""
    names, count = argv[argv.index("--hosts") + 1].split(","), int(argv[argv.index("--np") + 1])
    if "--ppn" in argv:
        each = int(argv[argv.index("--ppn") + 1])
        assert each * len(names) == count
        return [(name, each) for name in names]
    return [(name, len(range(place, count, len(names)))) for place, name in enumerate(names)]


READERS: dict[str, Callable[[tuple[str, ...]], Any]] = {
    "openmpi-4": lambda argv: of_colons(argv, "--host"),
    "openmpi-5": lambda argv: of_colons(argv, "--host"),
    "mpich": lambda argv: of_colons(argv, "-hosts"),
    "mvapich": lambda argv: of_colons(argv, "-hosts"),
    "intelmpi": lambda argv: of_sets(argv, "-host"),
    "aprun": lambda argv: of_sets(argv, "-L"),
    "pals": of_turns,
    "srun-openmpi": of_repetitions,
    "srun-mpich": of_repetitions,
}


def test_every_flavour_is_in_the_table() -> None:
    from scoopmpi.launch import flavours

    assert {module for module, *_ in FLAVOURS.values()} == set(flavours.FLAVOURS)
    assert READERS.keys() == FLAVOURS.keys()
