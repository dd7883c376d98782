"""What users type, on real ranks: output, exit status, and how soon everything is over."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from scoopmpi.launch.commandline import launcher
from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, start

pytestmark = pytest.mark.timeout(120)
HERE = ROOT / "tests" / "support"
JOBSCRIPTS = ROOT / "jobscripts"


def run(library: Library, *words: str, workers: int = 2) -> subprocess.CompletedProcess[str]:
    return start(library, [*MYSCOOP, "-n", str(workers), "programs.py", *words], cwd=HERE)


def test_squares_as_on_the_documentations_page(first_library: Library) -> None:
    expected = f"First 100 squares: {[x * x for x in range(100)]}\n"
    for words in (["squares", "100"], ["--scoop-module=squares", "100"], ["squares.py", "100"]):
        answer = start(first_library, [*MYSCOOP, *words], cwd=JOBSCRIPTS)
        assert (answer.returncode, answer.stdout) == (0, expected), answer.stderr


def test_pi_from_anywhere(first_library: Library, tmp_path: Path) -> None:
    answer = start(first_library, [*MYSCOOP, "picalc", "30", "5000"], cwd=tmp_path)
    assert re.fullmatch(r"PI=3\.1\d+ \(in nr_batches=30,batch_size=5000\)\n", answer.stdout)


def test_modules_start_themselves(first_library: Library) -> None:
    for module in ("scoopmpi", "scoop"):
        words = [sys.executable, "-m", module, "squares.py", "5"]
        answer = start(first_library, words, cwd=JOBSCRIPTS)
        assert answer.stdout == "First 5 squares: [0, 1, 4, 9, 16]\n", answer.stderr


def test_under_a_plain_mpirun(library: Library) -> None:
    found = launcher.find(library.env)
    options = ["--oversubscribe"] if found.flavour.EXTRA == "openmpi" else []
    env = {**library.env, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    program = [sys.executable, "-m", "scoopmpi", "squares.py", "5"]
    for ranks in ("1", "2", "4"):
        words = [found.mpirun, *options, "-np", ranks, *program]
        answer = start(Library(library.name, env), words, cwd=JOBSCRIPTS)
        assert answer.stdout == "First 5 squares: [0, 1, 4, 9, 16]\n", answer.stderr


def test_without_any_launcher_it_is_serial_with_one_warning(first_library: Library) -> None:
    answer = start(first_library, [sys.executable, "squares.py", "5"], cwd=JOBSCRIPTS)
    assert answer.stdout == "First 5 squares: [0, 1, 4, 9, 16]\n"
    assert answer.stderr.count("RuntimeWarning") == 1 and "myscoop PROGRAM" in answer.stderr


def test_arguments_belong_to_the_program(first_library: Library) -> None:
    answer = run(first_library, "arguments", "-n", "--help", "--", "-D")
    assert answer.stdout.endswith(" __main__ programs.py\n")
    assert answer.stdout.startswith("['arguments', '-n', '--help', '--', '-D']")


def test_as_many_workers_as_asked_for(library: Library) -> None:
    answer = run(library, "where", workers=3)
    assert answer.stdout == "3 [('SCOOP_WORKER', '1')]\n", answer.stderr


def test_lines_of_tasks_arrive_whole_and_before_the_end(library: Library) -> None:
    answer = run(library, "chatter")
    lines = answer.stdout.splitlines()
    assert sorted(lines) == sorted(f"[{x} {'x' * 300}]" for x in range(500))
    assert sum(line.startswith("(error ") for line in answer.stderr.splitlines()) == 500


@pytest.mark.parametrize("status", [3, 42])
def test_the_programs_exit_status(library: Library, status: int) -> None:
    assert run(library, "status", str(status)).returncode == status


def test_a_text_as_exit_status(first_library: Library) -> None:
    answer = run(first_library, "text")
    assert answer.returncode == 1 and "a last word" in answer.stderr


def test_a_programs_exception_is_shown_once(library: Library) -> None:
    answer = run(library, "raise")
    assert answer.returncode == 1
    assert answer.stderr.count("Traceback") == 1
    assert answer.stderr.count("LookupError: from the program") == 1


def test_a_tasks_exception_shows_where_it_happened(first_library: Library) -> None:
    answer = run(first_library, "task raises")
    assert answer.returncode == 1
    assert re.search(r"Failed in reciprocal\(0\), task 1, on rank \d \(.+\)", answer.stderr)
    assert "return 1 / x" in answer.stderr


@pytest.mark.parametrize("task", ["nap", "spin"])
def test_the_end_does_not_wait_for_tasks_nobody_wants(library: Library, task: str) -> None:
    """With --no-finish; without it what was handed in runs first (`test_left`)."""
    begun = time.monotonic()
    words = ["-n", "2", "--no-finish", "programs.py", "leave", task]
    answer = start(library, [*MYSCOOP, *words], cwd=HERE)
    assert answer.returncode == 0, answer.stderr
    assert time.monotonic() - begun < 10


def test_a_function_below_the_guard_travels_by_value(first_library: Library) -> None:
    assert run(first_library, "guarded").stdout == "[1, 2, 5, 10]\n"


def test_an_unguarded_program_is_told_about_the_guard(library: Library, tmp_path: Path) -> None:
    program = tmp_path / "unguarded.py"
    program.write_text("from scoop import futures\nprint(list(futures.map(abs, [1])))\n")
    answer = start(library, [*MYSCOOP, "-n", "2", "unguarded.py"], cwd=tmp_path)
    assert answer.returncode != 0
    assert 'if __name__ == "__main__":' in answer.stderr


def test_a_missing_program_is_named_once(first_library: Library, tmp_path: Path) -> None:
    for words in (MYSCOOP, [sys.executable, "-m", "scoopmpi"]):
        answer = start(first_library, [*words, "nowhere.py"], cwd=tmp_path)
        assert answer.returncode != 0
        assert answer.stderr.count("nowhere.py") == 1, answer.stderr


SIGNALS = (signal.SIGINT, signal.SIGTERM)


def test_a_signal_ends_all_ranks_within_two_seconds(library: Library) -> None:
    """A program for each signal, at the same time: they wait for most of it."""
    words = [*MYSCOOP, "-n", "2", "programs.py", "wait"]
    with ExitStack() as stack:
        programs = [
            stack.enter_context(
                subprocess.Popen(
                    words, cwd=HERE, env=library.env, text=True, start_new_session=True,
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                )
            )
            for _ in SIGNALS
        ]  # fmt: skip
        for process in programs:
            stack.callback(process.kill)
        for process in programs:
            assert process.stdout is not None
            assert process.stdout.readline() == "waiting\n"
        time.sleep(0.5)
        begun = time.monotonic()
        for process, number in zip(programs, SIGNALS, strict=True):
            process.send_signal(number)
        said = [process.communicate(timeout=30)[1] for process in programs]
        took = time.monotonic() - begun
    assert took < 4, "two seconds, doubled for a loaded machine"
    for process, number, err in zip(programs, SIGNALS, said, strict=True):
        assert process.returncode != 0, number
        assert err.count("Traceback") <= 1, (number, err)
        deadline = time.monotonic() + 5
        while left := ranks_of(process.pid):
            assert time.monotonic() < deadline, f"{number}: ranks are left behind: {left}"
            time.sleep(0.1)


def ranks_of(session: int) -> str:
    words = ["pgrep", "-a", "-s", str(session)]
    return subprocess.run(words, capture_output=True, text=True, timeout=10).stdout


@pytest.mark.parametrize("what", ["forks", "last words"])
def test_what_programs_do_to_their_process(library: Library, what: str) -> None:
    answer = run(library, what)
    assert answer.returncode == 0, answer.stderr
    assert "all there" in answer.stdout


def test_a_program_with_a_pool_of_threads(first_library: Library) -> None:
    answer = run(first_library, "thread pool")
    assert (answer.returncode, answer.stdout) == (0, "9\n285\n"), answer.stderr


def test_the_program_configures_its_own_logging(first_library: Library) -> None:
    assert "mine: from the program" in run(first_library, "logging").stderr


def test_many_results_in_little_memory(first_library: Library) -> None:
    answer = run(first_library, "memory")
    assert answer.returncode == 0, answer.stderr
    assert int(answer.stdout) < 150, "MB at rank 0"


def test_the_mpirun_of_another_library_is_refused(library: Library) -> None:
    """Each rank would find itself alone and compute everything."""
    other = {"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "0"}
    if "openmpi" in library.name:
        other = {"PMI_SIZE": "4", "PMI_RANK": "0"}
    words = [sys.executable, "-m", "scoopmpi", "squares.py", "5"]
    answer = start(Library(library.name, {**library.env, **other}), words, cwd=JOBSCRIPTS)
    assert answer.returncode != 0 and "First" not in answer.stdout
    assert "one of 4 processes that cannot see each other" in answer.stderr or os.getenv("CI")
