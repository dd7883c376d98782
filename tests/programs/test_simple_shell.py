"""Commands for counters: which run, what is printed in which order, what is left of them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scoopmpi.checkpoint import record
from scoopmpi.program import ready_programs
from scoopmpi.programs import simple_shell
from scoopmpi.programs.simple_shell import Commands
from scoopmpi.sweep.items.ended import Ended
from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, start

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize(
    ("words", "counters", "command"),
    [
        (["3", "echo", "hi"], range(3), "echo hi"),
        (["100:200", "echo", "$SCOOP_COUNTER"], range(100, 200), "echo $SCOOP_COUNTER"),
        (["1:10:3", "true"], range(1, 10, 3), "true"),
        (["5:0:-1", "true"], range(5, 0, -1), "true"),
        (["-5:-2", "true"], range(-5, -2), "true"),
        (["0", "true"], range(0), "true"),
        (["7:7", "true"], range(7, 7), "true"),
        (["echo", "5"], range(10), "echo 5"),
        (["./run:5", "x"], range(10), "./run:5 x"),
        ([":"], range(10), ":"),
        (["7z", "x"], range(10), "7z x"),
        (["echo $SCOOP_COUNTER; exit 1"], range(10), "echo $SCOOP_COUNTER; exit 1"),
        (["2", "3"], range(2), "3"),
    ],
)
def test_a_range_and_a_command(words: list[str], counters: range, command: str) -> None:
    assert ready_programs.counters(words) == (counters, command)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["10:0", "true"], "'10:0' never reaches its end. Is 10:0:-1 meant?"),
        (["0:10:-1", "true"], "Is 0:10:1 meant?"),
        (["-5", "true"], "'-5' never reaches its end"),
        (["1:5:0", "true"], "the step of '1:5:0' is 0"),
        (["1:2:3:4", "true"], "'1:2:3:4' is not a range: simple_shell [[START:]STOP[:STEP]]"),
        (["10:", "true"], "'10:' is not a range"),
        ([":10", "true"], "':10' is not a range"),
        (["a:3", "true"], "'a:3' is not a range"),
        (["1.5", "true"], "'1.5' is not a range"),
        (["١", "true"], "'١' is not a range"),
        (["--1", "true"], "'--1' is not a range"),
        (["3", "--checkpoint", "x", "run"], "--checkpoint is no command; options stand before the"),
        (["5"], "which command?"),
        (["5", " "], "which command?"),
        ([], "which command?"),
    ],
)
def test_what_cannot_be_meant_is_said(words: list[str], said: str) -> None:
    with pytest.raises(ValueError) as problem:
        ready_programs.counters(words)
    assert said in str(problem.value)


def run(command: str, counter: int = 0) -> Ended:
    return Commands(command)(counter)


def test_a_command_sees_its_counter_and_who_runs_it() -> None:
    ended = run("env | grep ^SCOOP_ | sort | cut -d= -f1; echo $SCOOP_COUNTER", -7)
    names = "SCOOP_COUNTER SCOOP_WORKER_FREEORIGIN SCOOP_WORKER_NAME SCOOP_WORKER_ORIGIN -7"
    assert (ended.number, ended.status) == (-7, 0)
    assert ended.out == "\n".join([*names.split(), ""]).encode()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("true", None),
        ("exit 3", "simple_shell: counter 1: exit status 3"),
        ("kill -9 $$", "simple_shell: counter 1: the shell was killed by SIGKILL"),
        ("kill -40 $$", "simple_shell: counter 1: the shell was killed by signal 40"),
        ("sh -c 'kill -SEGV $$'; exit $?", "exit status 139: it was killed by SIGSEGV"),
        ("there_is_no_such_command", "simple_shell: counter 1: exit status 127"),
        ("exit 255", "simple_shell: counter 1: exit status 255"),
    ],
)
def test_how_a_command_failed(command: str, said: str | None) -> None:
    found = simple_shell.problem(run(command, 1))
    assert found == said if said is None else found is not None and found.endswith(said)


def test_a_checkpoint_has_failed_commands_run_again() -> None:
    tells = record.judge(Commands("true"))
    assert tells is not None
    assert [tells(run(command)) for command in ("true", "exit 1", "kill $$")] == [False, True, True]
    assert record.judge(len) is None and record.judge(Commands) is None


def test_a_command_that_takes_too_long_is_said() -> None:
    ended = run("exit 1")._replace(why="time", seconds=2.004)
    said = "simple_shell: counter 0: it was ended after 2 s, as --task-timeout asks"
    assert simple_shell.problem(ended) == said
    assert simple_shell.problem(ended._replace(why="no room")) == "simple_shell: counter 0: no room"


def test_errors_and_output_of_a_command_keep_their_order() -> None:
    command = "echo one; echo two >&2; echo three"
    assert run(command).out == b"one\ntwo\nthree\n"


def test_a_command_that_reads_finds_nothing_and_does_not_wait() -> None:
    assert run("cat; echo end").out == b"end\n"


def test_what_a_command_leaves_in_the_background_is_not_waited_for() -> None:
    begun = time.monotonic()
    ended = run("sleep 30 & echo $!")
    os.kill(int(ended.out), 9)
    assert time.monotonic() - begun < 10


def test_bytes_are_printed_as_they_are(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    for output in (b"\xff\x00 no end", b"", b"\n", b"a\r\nb\n"):
        simple_shell.show(Ended(0, b"", 1, "host", 0, 0.0, 0.0, out=output))
    assert capfdbinary.readouterr().out == b"\xff\x00 no end\n\na\r\nb\n"


def shell(library: Library, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return start(library, [*MYSCOOP, "-n", "2", *words], cwd=cwd)


def test_commands_for_counters(first_library: Library, tmp_path: Path) -> None:
    expected = "".join(f"{counter}\n" for counter in range(100, 200))
    for words in (["--scoop-module=simple_shell"], ["simple_shell"]):
        answer = shell(first_library, *words, "100:200", "echo", "$SCOOP_COUNTER", cwd=tmp_path)
        assert (answer.returncode, answer.stdout) == (0, expected), answer.stderr


def test_outputs_keep_their_order_whoever_is_first(first_library: Library, tmp_path: Path) -> None:
    command = 'sleep 0.$((10 - SCOOP_COUNTER)); printf "$SCOOP_COUNTER $SCOOP_WORKER_NAME"'
    answer = shell(first_library, "simple_shell", "1:10", command, cwd=tmp_path)
    lines = [line.split() for line in answer.stdout.splitlines()]
    assert [number for number, _ in lines] == list("123456789")
    assert len({worker for _, worker in lines}) == 2, "both workers"


def test_a_failed_command_is_said_and_the_others_go_on(
    first_library: Library, tmp_path: Path
) -> None:
    command = "echo $SCOOP_COUNTER; if [ $SCOOP_COUNTER = 1 ]; then kill -9 $$; fi"
    answer = shell(first_library, "simple_shell", "4", command, cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (1, "0\n1\n2\n3\n")
    assert "counter 1: the shell was killed by SIGKILL" in answer.stderr
    assert "1 of 4 commands failed" in answer.stderr


def test_large_outputs_of_many_commands(first_library: Library, tmp_path: Path) -> None:
    answer = shell(first_library, "simple_shell", "8", "head -c 2000000 /dev/zero", cwd=tmp_path)
    assert (answer.returncode, len(answer.stdout)) == (0, 8 * 2000001), answer.stderr


def test_a_bad_range_ends_with_a_sentence(first_library: Library, tmp_path: Path) -> None:
    answer = shell(first_library, "simple_shell", "9:1", "echo", "x", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "simple_shell: the range '9:1' never reaches its end" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_commands_of_the_page(first_library: Library, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "myscoop.md").read_text()
    (block,) = re.findall(r"(?s)leave alone:\n\n```bash\n(.*?)```", page)
    (tmp_path / "model.sh").write_text("#!/bin/bash\na=(x y z w)\necho ${a[$1]}\n")
    (tmp_path / "model.sh").chmod(0o755)
    outputs = []
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        answer = start(first_library, [*MYSCOOP, "-n", "2", *words[1:]], cwd=tmp_path)
        assert (answer.returncode, answer.stderr) == (0, ""), line
        outputs.append(answer.stdout.split())
    assert outputs[0] == [word for n in range(4) for word in ("counter", str(n))]
    assert [(tmp_path / f"out.{n}").read_text() for n in range(4)] == ["0\n", "1\n", "2\n", "3\n"]
    assert outputs[1:] == [[], ["x", "y", "z", "w"], ["1", "2", "3"]]


def test_mpi_programs_as_commands(library: Library, tmp_path: Path) -> None:
    code = "from mpi4py import MPI; print(MPI.COMM_WORLD.size, MPI.COMM_WORLD.rank)"
    command = f'{sys.executable} -c "{code}"'
    answer = shell(library, "simple_shell", "3", command, cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "1 0\n" * 3), answer.stderr
