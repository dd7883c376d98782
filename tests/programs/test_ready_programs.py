"""The programs that are ready to run: what they say, in pieces and on real ranks."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from pathlib import Path

import pytest

from scoopmpi import programs
from scoopmpi.program import finding, ready_programs
from scoopmpi.programs import sanity
from scoopmpi.programs.sanity import Row
from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start

pytestmark = pytest.mark.timeout(120)


TWO_CORES_OF_TWO = ((0, 2), (1, 3))


def row(
    rank: int,
    host: str = "n1",
    cpus: tuple[int, ...] | None = (0,),
    cpu: float = 1.0,
    cores: tuple[tuple[int, ...], ...] = ((0,),),
    threads: str = "all=1",
) -> Row:
    return Row(rank, host, 100 + rank, cpus, threads, "-", cores, 10, 1.0, cpu)


@pytest.mark.parametrize(
    ("env", "text"),
    [
        ({}, "-"),
        ({"OMP_NUM_THREADS": "4"}, "OMP=4"),
        ({"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}, "all=1"),
        ({"OMP_NUM_THREADS": "4,2", "MKL_NUM_THREADS": "1"}, "OMP=4,2 MKL=1"),
    ],
)
def test_thread_settings(env: dict[str, str], text: str) -> None:
    assert sanity.thread_settings(env) == text


@pytest.mark.parametrize(
    ("cpus", "text"),
    [(None, "-"), ((), ""), ((3,), "3"), ((0, 1), "0-1"), ((9, 0, 1, 2, 5), "0-2,5,9")],
)
def test_cpu_numbers(cpus: tuple[int, ...] | None, text: str) -> None:
    assert sanity.ranges(cpus) == text


@pytest.mark.parametrize(
    ("env", "text"),
    [
        ({}, "-"),
        ({"CUDA_VISIBLE_DEVICES": ""}, "none"),
        ({"CUDA_VISIBLE_DEVICES": "0,3", "ROCR_VISIBLE_DEVICES": "1"}, "0,3"),
        ({"ROCR_VISIBLE_DEVICES": "GPU-8932f937-d72c-4106, 1"}, "GPU-8932f937,1"),
    ],
)
def test_visible_gpus(env: dict[str, str], text: str) -> None:
    assert sanity.visible_gpus(env) == text


def test_the_column_of_gpus_is_there_where_a_worker_has_some() -> None:
    without = sanity.table([row(1)])
    assert "GPUs" not in without[0]
    assert sanity.table([row(1)._replace(gpus="0,3")])[0].split()[5] == "GPUs"
    assert "  0,3  " in sanity.table([row(1)._replace(gpus="0,3")])[1]


def test_tasks_are_summed_by_worker() -> None:
    probes = [
        sanity.Probe(rank, "n1", 100 + rank, (0,), "-", "-", (), 0.5, 0.25) for rank in (2, 1, 2)
    ]
    assert [(each.rank, each.tasks, each.seconds, each.on_cpu) for each in sanity.rows(probes)] == [
        (1, 1, 0.5, 0.25),
        (2, 2, 1.0, 0.5),
    ]


def test_the_table() -> None:
    found = [row(1)._replace(tasks=5), row(12, "node-2", (0, 1, 2, 3), 0.5)]
    assert sanity.table(found) == [
        "worker  host    pid  CPUs  threads  tasks  seconds  on CPU",
        "     1  n1      101  0     all=1        5     1.00   100 %  ##########",
        "    12  node-2  112  0-3   all=1       10     1.00    50 %  ####################",
    ]


@pytest.mark.parametrize(
    ("found", "workers", "said"),
    [
        ([row(1, cpus=(0,)), row(2, cpus=(1,))], 2, []),
        ([row(1, cpus=(0, 1)), row(2, cpus=(0, 1))], 2, []),
        ([row(1, cpus=None), row(2, cpus=None)], 2, []),
        ([row(1, "n1"), row(2, "n2")], 2, []),
        ([row(1), row(2)], 2, ["workers 1-2 share CPUs 0 of n1"]),
        (
            [row(rank, cpus=(0, 1), cores=((0,), (1,))) for rank in (1, 2, 3)],
            3,
            ["workers 1-3 share CPUs 0-1 of n1"],
        ),
        # pinned to one core, though there is another one
        (
            [row(rank, cpus=(0, 2), cores=TWO_CORES_OF_TWO) for rank in (1, 2)],
            2,
            ["workers 1-2 share CPUs 0,2 of n1, while CPUs 1,3 are free"],
        ),
        (
            [row(1, cpus=(0,), cores=TWO_CORES_OF_TWO), row(2, cpus=(2,), cores=TWO_CORES_OF_TWO)],
            2,
            ["workers 1-2 share CPUs 0,2 of n1, while CPUs 1,3 are free"],
        ),
        # all hyper-threads in use: as it was asked for
        (
            [row(rank, cpus=(rank - 1,), cores=TWO_CORES_OF_TWO) for rank in (1, 2, 3, 4)],
            4,
            [],
        ),
        (
            [row(1, cpus=(0,), cores=TWO_CORES_OF_TWO), row(2, cpus=(1,), cores=TWO_CORES_OF_TWO)],
            2,
            [],
        ),
        # a core is free, but nobody is crowded
        ([row(1, cpus=(0, 2), cores=TWO_CORES_OF_TWO)], 1, []),
        (
            [row(1, threads="OMP=4,2 MKL=1")],
            1,
            ["workers 1 run more threads than they have CPUs"],
        ),
        ([row(1, cpus=(0, 1), threads="all=2")], 1, []),
        ([row(1, cpu=0.4)], 1, ["workers 1 did not get a CPU each: something else runs there"]),
        ([row(2, "n2")], 4, ["no task came to workers 1,3-4: more tasks would tell more"]),
        ([row(0)], 1, []),
    ],
)
def test_complaints(found: list[Row], workers: int, said: list[str]) -> None:
    assert sanity.complaints(found, workers) == said


@pytest.mark.parametrize("words", [["x"], ["0"], ["-3"], ["5", "0"], ["5", "nan"], ["1", "2", "3"]])
def test_bad_numbers_for_sanity(words: list[str]) -> None:
    with pytest.raises(ValueError):
        ready_programs.tasks_and_seconds(words)


@pytest.mark.parametrize("words", [["x"], ["0"], ["3", "-1"], ["1", "2", "3"]])
def test_bad_numbers_for_picalc(words: list[str]) -> None:
    with pytest.raises(ValueError):
        ready_programs.batches_and_tries(words)


def test_what_the_words_of_ready_programs_mean() -> None:
    assert ready_programs.tasks_and_seconds([]) == (None, None)
    assert ready_programs.tasks_and_seconds(["4", "0.5"]) == (4, 0.5)
    assert ready_programs.batches_and_tries(["7"]) == (7, 5000)


@pytest.mark.parametrize("name", ready_programs.NAMES)
def test_every_ready_program_has_its_help(name: str) -> None:
    for word in ready_programs.HELP:
        said = ready_programs.answer(name, [word, "x"])
        assert said is not None and said.status == 0
        assert said.text.startswith(f"Usage: myscoop {name} [")
        assert max(map(len, said.text.splitlines())) <= 100
    assert (
        {*ready_programs.NAMES, "kernel", "sweep"}
        == set(finding.READY_NAMES)
        == {module.name for module in pkgutil.iter_modules(programs.__path__)}
    )


def test_help_of_a_command_is_the_commands_own() -> None:
    assert ready_programs.answer("simple_shell", ["ls", "--help"]) is None
    assert ready_programs.answer("simple_shell", ["3", "ls", "--help"]) is None
    said = ready_programs.answer("simple_shell", ["3", "--help"])
    assert said is not None and "/bin/sh" in said.text


def test_a_program_of_ones_own_answers_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert ready_programs.answer_to(["picalc", "--help"]) is not None
    (tmp_path / "picalc.py").touch()
    importlib.invalidate_caches()
    assert ready_programs.answer_to(["picalc", "--help"]) is None
    assert ready_programs.answer_to(["other", "--help"]) is None
    assert ready_programs.answer_to([]) is None


def test_sanity_accounts_for_every_worker(first_library: Library, tmp_path: Path) -> None:
    for words in (["--scoop-module=sanity", "30", "0.02"], ["sanity", "30", "0.02"]):
        answer = start(first_library, [*MYSCOOP, "-n", "3", *words], cwd=tmp_path)
        assert answer.returncode == 0, answer.stderr
        lines = answer.stdout.splitlines()
        assert lines[0].startswith("30 tasks of 0.02 s on 3 workers of 1 host: ")
        found = re.findall(
            r"^ +(\d+)  \S+ +(\d+)  [\d,-]+ +\S+ +(\d+) .* %  #+$", answer.stdout, re.M
        )
        assert (
            len({pid for _, pid, _ in found}) == len({rank for rank, _, _ in found}) == len(found)
        )
        assert sum(int(tasks) for _, _, tasks in found) == 30
        # on a busy machine a worker may come too late for all tasks; then that is said
        late = re.findall(r"^note: no task came to workers ([\d,-]+):", answer.stdout, re.M)
        silent = sorted({"1", "2", "3"} - {rank for rank, _, _ in found})
        assert found and late == ([sanity.ranges(map(int, silent))] if silent else [])
