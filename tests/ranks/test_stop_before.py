"""The end of a batch job, with real ranks: what would be cut is left, and another run goes on.

The seconds are a person's patience here, not a measure: a task that would be cut does not begin.
"""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, own_session, start

pytestmark = [pytest.mark.ranks, pytest.mark.timeout(90)]

PROGRAM = """
import asyncio, concurrent.futures, os, sys, threading, time
from scoopmpi import futures

TASKS = 32

def nap(x, seconds=0.5):
    began = time.time()
    time.sleep(seconds)
    with open(f"{x}.ran", "a") as file:
        file.write(f"{began} {time.time()}\\n")
    return x * x

def family(x):
    return sum(futures.map(nap, range(10 * x, 10 * x + 3), [0.2] * 3))

def straggles(x):
    return nap(x, 60 if x == 0 else 0.3)

def all_values():
    total = sum(futures.map(nap, range(TASKS)))
    print("total", total, flush=True)

def ways():
    heard = []
    def waits(name, wait):
        try:
            wait()
        except SystemExit as error:
            heard.append((name, error.code))
    calls, more = [futures.submit(nap, x) for x in range(50)], range(100, 150)
    threads = [
        threading.Thread(target=waits, args=("result", calls[-1].result)),
        threading.Thread(target=waits, args=("map", lambda: list(futures.map(nap, more)))),
        threading.Thread(
            target=waits,
            args=("as_completed", lambda: [c.result() for c in futures.as_completed(calls)]),
        ),
    ]
    for thread in threads:
        thread.start()
    own = [futures.submit(nap, x) for x in range(50, 100)]
    async def main():
        await asyncio.gather(*map(asyncio.wrap_future, own))
    try:
        asyncio.run(main())
    except SystemExit as error:
        heard.append(("asyncio", error.code))
    done, left = concurrent.futures.wait([*calls, *own])  # asyncio has cancelled some
    for thread in threads:
        thread.join()
    print(len(done), len(left), sorted(heard), flush=True)
    try:
        list(futures.map(nap, range(200, 203)))
    except SystemExit as error:
        print("again", error.code, flush=True)

def nested():
    try:
        for value in futures.map(family, range(1, 100)):
            print("family", value, flush=True)
    finally:
        print("clean-up", flush=True)

def long_one():
    print("begun", flush=True)
    list(futures.map(straggles, range(100)))

if __name__ == "__main__":
    globals()[sys.argv[1]]()
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "naps.py").write_text(PROGRAM)
    return tmp_path


def words(*options: str) -> list[str]:
    return [*MYSCOOP, "-n", "2", *options[:-1], "naps.py", options[-1]]


def ran(place: Path) -> dict[int, list[tuple[float, float]]]:
    """When each task has begun and ended, once for each time."""
    found = {}
    for path in place.glob("*.ran"):
        lines = [line.split() for line in path.read_text().splitlines()]
        found[int(path.stem)] = [(float(began), float(ended)) for began, ended in lines]
    return found


def test_two_runs_have_all_values_and_no_task_twice(first_library: Library, program: Path) -> None:
    options = (
        "--walltime", "7", "--stop-before", "1", "--checkpoint", "c.ckpt", "--restarts", "2",
    )  # fmt: skip
    answer = start(first_library, words(*options, "all_values"), program)
    first = ran(program)
    assert (answer.returncode, answer.stdout) == (75, ""), answer.stderr
    count, path = len(first), program / "c.ckpt"
    ends = f"{32 - count} of 32 tasks of nap are left; {count} are in {path}: run again, and it"
    said = answer.stderr.removeprefix("scoopmpi: stopped ")
    assert said[1:] == f" s before the end of the job: {ends} goes on from there\n"
    assert 0 < count < 32
    answer = start(first_library, words("--checkpoint", "c.ckpt", "all_values"), program)
    assert (answer.returncode, answer.stdout) == (0, f"total {sum(x * x for x in range(32))}\n")
    assert {task: len(times) for task, times in ran(program).items()} == dict.fromkeys(range(32), 1)


def test_whoever_waits_hears_of_it_and_a_program_that_catches_it_cannot_hang(
    first_library: Library, program: Path
) -> None:
    answer = start(first_library, words("--walltime", "6", "--stop-before", "1", "ways"), program)
    heard = [(name, 75) for name in ("as_completed", "asyncio", "map", "result")]
    assert answer.stdout.splitlines() == [f"100 0 {heard}", "again 75"], answer.stderr
    assert answer.returncode == 75
    assert "submitted calls are left; the outcomes of tasks that the program" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_slurm_job_ends_and_nested_tasks_do_not_hang(
    first_library: Library, program: Path
) -> None:
    """Slurm says when the job ends; nobody answers its commands here."""
    now = time.time()
    env = {
        **first_library.env, "SLURM_JOB_ID": "7", "SLURM_JOB_START_TIME": str(int(now) - 1),
        "SLURM_JOB_END_TIME": str(int(now) + 8), "PATH": "/usr/bin:/bin",
    }  # fmt: skip
    asked = words("--stop-before", "auto", "nested")
    answer = start(Library(first_library.name, env), asked, program)
    lines = answer.stdout.splitlines()
    assert answer.returncode == 75 and lines.pop() == "clean-up", answer.stderr
    values = [sum(x * x for x in range(10 * one, 10 * one + 3)) for one in range(1, len(lines) + 1)]
    assert lines == [f"family {value}" for value in values]
    done = {task // 10 for task in ran(program)}  # maybe some behind one that was given back
    assert set(ran(program)) == {10 * one + x for one in done for x in range(3)}, "each is whole"
    assert f"{99 - len(done)} of 99 tasks of family are left; " in answer.stderr
    assert max(ended for times in ran(program).values() for _, ended in times) < now + 8 - 1


def test_what_runs_is_left_running_and_a_signal_ends_it_as_ever(
    first_library: Library, program: Path
) -> None:
    asked = words("--walltime", "60", "--stop-before", "55", "long_one")
    process = subprocess.Popen(
        asked, cwd=program, env=own_session(asked, first_library.env), text=True,
        start_new_session=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        time.sleep(5.5)  # the margin has begun
        assert process.poll() is None
        held = len(ran(program))
        time.sleep(0.7)
        assert 0 < held == len(ran(program)), "nothing more begins"
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 143 and "stopped by SIGTERM" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("60",), "no batch system says when this job ends; add --walltime 12:00:00"),
        (("auto",), "no batch system says when"),
        (
            ("60", "--walltime", "60"),
            "nothing could run, as --walltime gives 60 s, and all are kept free",
        ),
    ],
)
def test_what_cannot_be_kept_is_said_before_anything_starts(
    program: Path, first_library: Library, options: tuple[str, ...], said: str
) -> None:
    answer = start(first_library, words("--stop-before", *options, "all_values"), program)
    assert answer.returncode == 2 and answer.stdout == ""
    assert said in answer.stderr and answer.stderr.count("\n") == 1
