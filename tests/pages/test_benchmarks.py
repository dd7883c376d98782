"""The benchmarks can be started: they break silently otherwise, as nobody runs them every day."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from scoopmpi.watching import grown_file
from tests.support.libraries import ROOT, Library
from tests.support.starting import start


def benchmark(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_peer_has_a_command(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in library.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    peers, systems = benchmark("peers"), benchmark("systems")
    for driver in systems.DRIVERS:
        words, env = systems.command(driver, "calls", 3)
        assert words[-5:] == [driver, "calls", "3", "1.0", "0"]
        assert library.env.items() <= env.items()
    assert words[0] == sys.executable
    assert all(set(each) <= set(systems.DRIVERS) for each in peers.SYSTEMS.values())
    assert peers.SYSTEMS.keys() == peers.PARTS.keys()


@pytest.mark.ranks
@pytest.mark.parametrize(
    ("driver", "part", "rows"), [("DEAP on scoopmpi", "generations", 8), ("scoopmpi", "calls", 6)]
)
def test_a_part_is_measured_on_a_farm(
    driver: str, part: str, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    systems = benchmark("systems")
    words, env = systems.command(driver, part, 2, 0.01)
    found = systems.figures_of(driver, words, env)
    assert len(found) == rows and all(figure > 0 for figure in found.values())


@pytest.mark.ranks
def test_large_arrays_are_measured_beside_what_mpi_gives(
    first_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice, into the same file: rounds add up."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    cases = benchmark("array_cases")
    program = [sys.executable, str(ROOT / "benchmarks" / "arrays.py"), "--sizes", "64 KiB"]
    words = ["--rounds", "1", "--seconds", "0", "--total", "1", "--into", "kept"]
    for _ in range(2):
        answer = start(
            first_library, [*program, *words, "--systems", "scoopmpi,raw MPI"], cwd=tmp_path
        )
        assert answer.returncode == 0 and "failed" not in answer.stderr, answer.stderr
    rows = {line.split(" | ")[0].strip("| "): line for line in answer.stdout.splitlines()}
    assert {case.name for case in cases.cases(65536, 1 << 20)} <= rows.keys(), answer.stdout
    assert all(row.count(" to ") == 2 for name, row in rows.items() if name in cases.WAYS)
    kept = [json.loads(line) for line in (tmp_path / "kept").read_text().splitlines()]
    assert [each["system"] for each in kept] == ["scoopmpi", "raw MPI"] * 2


def test_every_case_of_arrays_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    cases = benchmark("array_cases")
    mine = cases.System(
        map, lambda *words: list(map(*words)),
        lambda function, rows, more: [function(row, **more) for row in rows], 1, by_value=True,
    )  # fmt: skip
    found = cases.cases(cases.BYTES_SIZE, 2 * cases.BYTES_SIZE)
    assert len(found) == len({case.name for case in found}) == 20
    for case in found:
        cases.job(mine, case._replace(size=8000, seconds=case.seconds / 1000))()
    assert [case.way for case in cases.cases(cases.MIB, 0, ["in a c"])] == ["in a closure"] * 2
    assert cases.Case("", False, 10**9, 4).figure(2.0, workers=2) == 2.0


def test_processor_time_of_ranks_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    ranks, work = benchmark("ranks"), benchmark("work")
    idle, busy = (
        ranks.shares([os.getpid()], lambda job=job: job(0.2))[0] for job in (work.nap, work.spin)
    )
    assert 0 <= idle < 0.5 and idle < busy < 2


def test_elapsed_is_compared_with_the_ideal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    changing, work = benchmark("changing"), benchmark("work")
    maps = [(work.spin, [0.001] * 8), (work.spin, [0.05])]
    serial = changing.over_ideal(maps, [0], mapped=map)
    assert serial >= changing.WORKERS
    assert changing.over_ideal(maps, [1], mapped=map) >= 1


def test_pinned_workers_are_measured_as_the_peers_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    pinning = benchmark("pinning")
    assert set(pinning.WAYS) == {"pinned", "not pinned"} and pinning.square(3) == 9


@pytest.mark.ranks
def test_the_benchmark_beside_scoop_says_how_it_is_used() -> None:
    answer = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "scoop072.py"), "--help"],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert answer.returncode == 0 and "--limit" in answer.stdout


@pytest.mark.ranks
def test_two_versions_are_compared_by_what_each_measures(tmp_path: Path) -> None:
    versions = benchmark("versions")
    found = versions.started(sys.executable, str(tmp_path))
    assert len(found) > 8 and all(figure > 0 for figure in found.values())


@pytest.mark.alone
@pytest.mark.timeout(60)
def test_naps_are_as_long_as_they_are_simulated(
    first_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the tables of large farms, which nobody can measure here, say nothing."""
    for name, value in first_library.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    scale = benchmark("scale")
    # Tasks as long as the sleeps were: on busy cores they are longer, and no farm can help it.
    expected = {
        name + scale.AS_SLEPT: scale.simulated(seconds, tasks, 2, 1, False)
        for name, (seconds, tasks) in scale.naps_for(2).items()
    }
    best = dict.fromkeys(expected, 0.0)
    for _ in range(3):  # a busy machine makes waits longer, never shorter
        real = scale.over_mpi(2)
        assert 0 < real["us"] < 500
        best = {name: max(known, real[name]) for name, known in best.items()}
        if best == pytest.approx(expected, abs=0.05):
            break
    assert best == pytest.approx(expected, abs=0.06)


def test_what_a_batch_costs_rank_0_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    scale = benchmark("scale")
    assert 0 < scale.in_memory(2, 500) < 0.001
    small_maps = scale.simulated(0.001, 8, 2, 20, False)
    assert 0.8 < small_maps < 1.0


def test_what_logs_cost_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grown_file, "GATHER", grown_file.GATHER)  # the benchmark sets it for itself
    assert all(figure > 0 for figure in benchmark("logs").measured(1).values())


@pytest.mark.ranks
def test_what_watching_costs_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal, with all that this version has; the figures stand below each other then."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    watching = benchmark("watching")
    ways = watching.ways(None)
    assert set(ways) == {*watching.WAYS}
    asked = ways["all four"][1]
    assert len(asked) == 4
    found = watching.one_start(sys.executable, asked, ["round trip, us"])
    assert all(figure > 0 for figure in found.values()) and len(found) == 6
    without = {name: 2 * figure for name, figure in found.items() if "file of" not in name}
    table = watching.table([{"without": without, "all four": found}])
    assert "round trip, us | " in table and table.count(" | 2.000 |") == 3
    assert "| file of --trace, MB |  | " in table


def test_sweeps_are_measured_beside_others(
    first_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in first_library.env.items():
        monkeypatch.setenv(name, value)
    sweep = benchmark("sweep")
    monkeypatch.setattr(sweep, "ITEMS", {"2 x /bin/true": (2, ("/bin/true",))})
    rows = list(sweep.table(sweep.measured(1)))
    assert rows[0].startswith("| | myscoop sweep | myscoop sweep, logs | ")
    assert rows[-1].startswith("| 2 x /bin/true | ") and len(rows) == 3


def test_libraries_are_measured_with_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a case that needs nothing but Python: the others are recipes, which are tested."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    libraries = benchmark("libraries")
    assert libraries.WAYS.keys() == {"usual", "scoopmpi"}
    assert libraries.WAYS["usual"]().backend == "loky"
    assert all(callable(case) for case in libraries.CASES.values())
