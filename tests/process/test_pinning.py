"""Cores of a worker's own: which, whether at all, and what ranks are asked."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from scoopmpi.process import pinning, rank_settings, topology
from scoopmpi.process.launcher_variables import LocalRank
from scoopmpi.process.rank_settings import RankSettings
from scoopmpi.process.topology import Core
from tests.support.libraries import Library
from tests.support.starting import start_ranks

pytestmark = pytest.mark.timeout(120)

# Two packages of four cores with two hyper-threads: CPU n and n + 8 are one core.
CORES = [Core((cpu, cpu + 8), cpu // 4) for cpu in range(8)]
ALL = frozenset(range(16))


# which cores


@pytest.mark.parametrize(
    ("threads", "way", "cores"),
    [
        (1, "compact", [[0], [1], [2], [3], [4], [5], [6], [7]]),
        (2, "compact", [[0, 1], [2, 3], [4, 5], [6, 7]]),
        (3, "compact", [[0, 1, 2], [3, 4, 5]]),
        (8, "compact", [[0, 1, 2, 3, 4, 5, 6, 7]]),
        (1, "spread", [[0], [4], [1], [5], [2], [6], [3], [7]]),
        (2, "spread", [[0, 1], [4, 5], [2, 3], [6, 7]]),
        (3, "spread", [[0, 1, 2], [4, 5, 6]]),  # not 3 and 7 of two packages first
        (4, "spread", [[0, 1, 2, 3], [4, 5, 6, 7]]),
    ],
)
def test_a_share_is_whole_cores_with_their_hyper_threads(
    threads: int, way: str, cores: list[list[int]]
) -> None:
    expected = [{cpu for core in worker for cpu in (core, core + 8)} for worker in cores]
    assert [pinning.share(CORES, i, threads, way) for i in range(len(cores))] == expected
    assert not pinning.share(CORES, len(cores), threads, way), "no core is left"


@pytest.mark.parametrize("way", ["compact", "spread"])
@pytest.mark.parametrize("threads", range(1, 10))
@pytest.mark.parametrize("sizes", [(8,), (4, 4), (5, 1, 3), (1,) * 7, (2, 0, 64)])
def test_no_two_workers_share_a_cpu(sizes: tuple[int, ...], threads: int, way: str) -> None:
    machine = [Core((n,), package) for package, size in enumerate(sizes) for n in range(size)]
    machine = [Core((number,), core.package) for number, core in enumerate(machine)]
    fit = len(machine) // threads
    shares = [pinning.share(machine, index, threads, way) for index in range(fit)]
    assert [len(each) for each in shares] == [threads] * fit
    assert len(frozenset().union(*shares)) == fit * threads


def test_a_cpuset_with_holes_gives_what_it_has() -> None:
    holes = [Core((9,), 0), Core((2, 10), 0), Core((15,), 1)]  # half a core, a core, half a core
    shares = [pinning.share(holes, index, 1, "compact") for index in range(3)]
    assert shares == [{9}, {2, 10}, {15}]


# whether at all


@pytest.mark.parametrize(
    ("workers", "threads", "cores", "everyone", "why"),
    [
        # all cores are in use: whose else could they be?
        (8, 1, CORES, ALL, None),
        (2, 4, CORES, ALL, None),
        (8, 1, CORES, None, None),
        # a cpuset: fewer than the machine has
        (2, 1, CORES[:4], ALL, None),
        (1, 2, CORES[2:6], ALL, None),
        # other jobs may be there
        (4, 1, CORES, ALL, "others may use the 8 cores too, of which this job needs 4"),
        (7, 1, CORES, ALL, "others may use"),
        (4, 1, CORES, frozenset(range(8)), "others may use"),  # hyper-threads just offline
        (2, 1, CORES[:4], None, "others may use"),  # who knows
        # too few
        (9, 1, CORES, ALL, "9 workers of 1 core are more than 8 cores"),
        (5, 2, CORES, ALL, "5 workers of 2 cores are more than 8 cores"),
        (16, 1, CORES, ALL, "16 workers of 1 core are more than 8 cores"),
        # bound by the launcher, or nothing to choose
        (8, 1, CORES[3:4], ALL, "it may use 1 core only, which is its share"),
        (2, 4, CORES[4:], ALL, "it may use 4 cores only, which is its share"),
        (1, 8, CORES, ALL, "it may use 8 cores only, which is its share"),
        (1, 8, [], ALL, "it may use 0 cores only"),
        # bound by the launcher to a package, which others have too
        (8, 1, CORES[4:], ALL, "8 workers of 1 core are more than 4 cores"),
    ],
)
def test_pinned_only_where_the_cores_are_the_jobs(
    workers: int, threads: int, cores: list[Core], everyone: frozenset[int] | None, why: str | None
) -> None:
    cpus, said = pinning.decide(cores, everyone, LocalRank(0, workers), threads, "compact")
    assert bool(cpus) is (why is None)
    assert (why or "worker 1 of") in said


def test_two_jobs_of_a_shared_host_never_pin_to_its_first_cores() -> None:
    for workers in range(1, 8):
        for index in range(workers):
            assert not pinning.decide(CORES, ALL, LocalRank(index, workers), 1, "compact")[0]


@pytest.mark.parametrize(
    ("online", "isolated", "everyone"),
    [
        ("0-3\n", "\n", {0, 1, 2, 3}),
        ("0-1,4,6-7", "", {0, 1, 4, 6, 7}),  # 2, 3 and 5 are offline
        ("0-7", "4-7", {0, 1, 2, 3}),  # nobody gets these without asking
        ("0-7", None, set(range(8))),
        ("", "", None),
        ("all of them", "", None),
        ("3-0", "", None),
        (None, None, None),
    ],
)
def test_the_cpus_that_everyone_may_use(
    online: str | None, isolated: str | None, everyone: set[int] | None, tmp_path: Path
) -> None:
    for name, text in (("online", online), ("isolated", isolated)):
        if text is not None:
            (tmp_path / name).write_text(text)
    assert pinning.everyone(tmp_path) == everyone


def test_a_file_that_claims_too_many_cpus_is_not_believed_for_long(tmp_path: Path) -> None:
    (tmp_path / "online").write_text("0-9999999")
    assert len(pinning.everyone(tmp_path) or ()) < 2_000_000


def test_without_affinity_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    assert pinning.pin(LocalRank(0, 1), 1, "compact") == "not pinned: this system knows no affinity"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_what_the_kernel_refuses_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(pid: int, cpus: object) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    assert pinning.pin(LocalRank(0, 2), 1, "compact", tmp_path) == "not pinned: Invalid argument"
    assert pinning.pin(None, 1, "compact", tmp_path).startswith("not pinned: the launcher does not")


# which worker of its host


# what the ranks are asked


@pytest.mark.parametrize(
    ("env", "found"),
    [
        ({}, RankSettings()),
        ({"RANKS": "17"}, RankSettings(ranks=17)),
        ({"PIN": "compact"}, RankSettings(pin="compact")),
        ({"PIN": "spread", "THREADS": "4", "GPUS": "share"}, RankSettings(None, 4, "spread", True)),
    ],
)
def test_rank_settings(
    env: Mapping[str, str], found: RankSettings, caplog: pytest.LogCaptureFixture
) -> None:
    given = {"OMP_NUM_THREADS": "1"} | {f"SCOOPMPI_{name}": text for name, text in env.items()}
    assert rank_settings.take(given, tell=True) == found
    assert given == {"OMP_NUM_THREADS": "1"}, "what a rank starts is no rank of this job"
    assert not caplog.records


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "x", "²", "9" * 5000, "1048577", " 1"])
@pytest.mark.parametrize("name", ["RANKS", "THREADS", "PIN", "GPUS"])
def test_what_cannot_be_meant_is_a_warning_and_no_wish(
    name: str, text: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("scoopmpi"), "propagate", True)
    env = {"SCOOPMPI_PIN": "compact", f"SCOOPMPI_{name}": text}
    found = rank_settings.take(env, tell=True)
    assert found == RankSettings(pin="compact" if name in ("RANKS", "GPUS") else None)
    [record] = caplog.records
    assert f"SCOOPMPI_{name}=" in record.getMessage() and len(record.getMessage()) < 300


# on real ranks

WHO = """
import json, os, time
from scoopmpi import futures; from scoopmpi.process import identity
def who(number):
    time.sleep(0.02)
    told = [name for name in os.environ if name.startswith("SCOOPMPI_")]
    cpus, parents = (sorted(os.sched_getaffinity(pid)) for pid in (0, os.getppid()))
    return identity.this.rank, cpus, parents, told, os.environ["CUDA_VISIBLE_DEVICES"]
if __name__ == "__main__":
    rows, begun = [], time.monotonic()
    while len({row[0] for row in rows}) < 2 and time.monotonic() < begun + 30:
        rows += futures.map(who, range(20))  # the second worker may begin late
    print(json.dumps(who(0)), *sorted({json.dumps(row) for row in rows}), sep="\\n")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs affinity")
def test_two_workers_on_two_cores(library: Library, tmp_path: Path) -> None:
    cores = topology.cores(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("one core only")
    first, second = (core.cpus[0] for core in cores[:2])
    both = sorted([first, second])
    (tmp_path / "who.py").write_text(WHO)
    asked = {"RANKS": "3", "THREADS": "1", "PIN": "compact", "GPUS": "share"}
    env = {f"SCOOPMPI_{name}": text for name, text in asked.items()}
    env["CUDA_VISIBLE_DEVICES"] = "5,6,7"
    program = f"import os; os.sched_setaffinity(0, {both}); import runpy; "
    program += "runpy.run_module('scoopmpi', run_name='__main__', alter_sys=True)"
    of_job = Library(library.name, {**library.env, **env})
    answer = start_ranks(of_job, 3, ["-c", program, "who.py"], tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[1:] == [
        f'[1, [{first}], {both}, [], "5,6"]',
        f'[2, [{second}], {both}, [], "7"]',
    ]
    assert answer.stdout.startswith(f"[0, {both}, ")
    assert answer.stdout.splitlines()[0].endswith('[], "5,6,7"]'), "rank 0 sees all"


def test_hostile_settings_do_not_stop_a_job(library: Library, tmp_path: Path) -> None:
    (tmp_path / "sum.py").write_text(
        "from scoopmpi import futures\n"
        "if __name__ == '__main__':\n    print(sum(futures.map(abs, range(-9, 9))))\n"
    )
    env = {
        "SCOOPMPI_PIN": "x",
        "SCOOPMPI_THREADS": "-1",
        "SCOOPMPI_RANKS": "",
        "SCOOPMPI_GPUS": "?",
    }
    answer = start_ranks(
        Library(library.name, {**library.env, **env}), 3, ["-m", "scoopmpi", "sum.py"], tmp_path
    )
    assert (answer.returncode, answer.stdout) == (0, "81\n"), answer.stderr
    assert answer.stderr.count(" is ignored: it may be ") == 4, "once, by rank 0"
