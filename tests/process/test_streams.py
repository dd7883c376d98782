"""stdin, stdout and stderr of a program in a job: as they are for `python program.py`."""

from __future__ import annotations

import contextlib
import io
import os
import select
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from scoopmpi.process import streams
from scoopmpi.process.status import status_of
from tests.support.libraries import Library
from tests.support.starting import MYSCOOP
from tests.support.terminals import at_a_terminal

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(sys.platform != "linux", reason="the line to rank 0 is Linux's"),
]
MYMPIRUN = [sys.executable, "-m", "scoopmpi.mympirun", "--sched=local", "--universe", "2"]
PROGRAM = """
import os, subprocess, sys, time
from scoopmpi import futures

def double(x):
    return 2 * x

def reads(_):
    return sys.stdin.read()

def main(what):
    if what == "lines":
        print([line for line in sys.stdin])
    elif what == "until EOFError":
        found = []
        try:
            while True:
                found.append(input())
        except EOFError:
            print(found)
    elif what == "child":
        subprocess.run(["cat"])
    elif what == "task":
        print(list(futures.map(reads, range(3))))
    elif what == "nothing":
        print("nothing read")
    elif what == "prompt":
        print("hello", input("name? "))
    elif what == "bar":
        sys.stderr.write("\\r50 %"); sys.stderr.flush()
        time.sleep(2)
        print("end")
    elif what == "print":
        print("text" * int(sys.argv[2]))
    assert list(futures.map(double, range(3))) == [0, 2, 4]

if __name__ == "__main__":
    main(sys.argv[1])
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "streams.py"
    path.write_text(PROGRAM)
    return path


def job(program: Path, what: str) -> list[str]:
    return [*MYSCOOP, "-n", "2", str(program), what]


def run(library: Library, words: list[str], **more: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        words, env=library.env, capture_output="stdout" not in more, timeout=40, **more
    )  # type: ignore[call-overload,no-any-return]


TEXT = b"one\ntwo\nthe last without an end"
READ = {
    "lines": b"['one\\n', 'two\\n', 'the last without an end']\n",
    "until EOFError": b"['one', 'two', 'the last without an end']\n",
    "child": TEXT,
    "task": b"['', '', '']\n",
}


HOW = ["child", *(pytest.param(what, marks=pytest.mark.first) for what in READ if what != "child")]
"""Whoever reads: what it finds there is the launcher's."""


@pytest.mark.parametrize("what", HOW)
@pytest.mark.parametrize("source", ["pipe", "file", "nothing"])
def test_a_program_sees_the_end_of_stdin(
    library: Library, program: Path, tmp_path: Path, what: str, source: str
) -> None:
    (tmp_path / "input").write_bytes(TEXT)
    if source == "pipe":
        done = run(library, job(program, what), input=TEXT)
    else:
        path = tmp_path / "input" if source == "file" else Path(os.devnull)
        with path.open("rb") as file:
            done = run(library, job(program, what), stdin=file)
    expected = READ[what]
    if source == "nothing":
        expected = {"child": b"", "task": expected}.get(what, b"[]\n")
    assert (done.returncode, done.stdout) == (0, expected), done.stderr


@pytest.mark.parametrize("options", [["--checkpoint", "c"], ["--output-check-timeout", "50"]])
def test_the_same_with_options_for_which_the_command_watches(
    library: Library, program: Path, tmp_path: Path, options: list[str]
) -> None:
    words = [*MYSCOOP, "-n", "2", *options, str(program), "lines"]
    done = run(library, words, input=TEXT, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, READ["lines"]), done.stderr


def test_the_same_for_scoops_command_and_into_a_file(
    library: Library, program: Path, tmp_path: Path
) -> None:
    words = [sys.executable, "-m", "scoop", "-n", "2", str(program), "child"]
    with (tmp_path / "out").open("wb") as out:
        assert run(library, words, input=TEXT, stdout=out).returncode == 0
    assert (tmp_path / "out").read_bytes() == TEXT


@pytest.mark.parametrize("given", [TEXT, b""])
def test_a_foreign_program_sees_the_end_too(library: Library, given: bytes) -> None:
    done = run(library, [*MYMPIRUN, "cat"], input=given)
    assert (done.returncode, done.stdout) == (0, given), done.stderr


def test_what_a_program_does_not_read_is_left_for_the_next_one(
    library: Library, program: Path
) -> None:
    """`while read x; do myscoop …; done` goes round for each line, where nobody else reads."""
    words = " ".join(f"'{word}'" for word in job(program, "nothing"))
    loop = ["bash", "-c", f"while read x; do echo $x; {words}; done"]
    done = run(library, loop, input=b"a\nb\n")
    assert done.stdout == b"a\nnothing read\nb\nnothing read\n", done.stderr


@pytest.mark.parametrize("size", [1, 100_000])
def test_a_full_disk_is_no_success(library: Library, program: Path, size: int) -> None:
    with Path("/dev/full").open("wb") as full:
        words = [*job(program, "print"), str(size)]
        done = run(library, words, stdout=full, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert done.returncode in (1, 120)
    assert done.stderr.count(b"No space left on device") == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_stay_closed(library: Library, program: Path, closed: str) -> None:
    words = " ".join(f"'{word}'" for word in job(program, "nothing"))
    done = run(library, ["bash", "-c", f"{words} {closed}"], stdin=subprocess.DEVNULL)
    assert done.returncode == 0
    assert done.stdout == (b"" if closed.count(">&-") - closed.count("2>&-") else b"nothing read\n")
    assert done.stderr == b""


# At a terminal.


def test_a_prompt_is_seen_before_it_is_answered(library: Library, program: Path) -> None:
    seen = at_a_terminal(job(program, "prompt"), library.env, [(b"name? ", b"you\n")])
    assert seen == b"name? you\r\nhello you\r\n<0>"


def test_ctrl_d_is_the_end_of_stdin(library: Library, program: Path) -> None:
    (program.parent / "ready.py").write_text("print('ready', flush=True)\n" + PROGRAM)
    words = job(program.parent / "ready.py", "lines")
    seen = at_a_terminal(words, library.env, [(b"ready", b"a\n"), (b"a\r\n", b"\x04")])
    assert b"\r\n['a\\n']\r\n" in seen
    assert seen.endswith(b"<0>")


def test_half_a_line_is_shown_while_the_program_goes_on(library: Library, program: Path) -> None:
    """As bars draw themselves."""
    read, write = os.pipe()
    process = subprocess.Popen(
        job(program, "bar"), env=library.env, stdin=subprocess.DEVNULL, stderr=write
    )
    os.close(write)
    try:
        assert select.select([read], [], [], 30)[0]
        assert os.read(read, 99) == b"\r50 %"
        assert process.poll() is None
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait(10)
        os.close(read)


def test_a_signal_ends_a_job_soon_whose_stderr_takes_nothing_any_more(
    first_library: Library, tmp_path: Path
) -> None:
    """As where the terminal was closed; tasks run for longer than this test waits."""
    (tmp_path / "naps.py").write_text(
        "import time\nfrom scoopmpi import futures\n"
        "if __name__ == '__main__':\n"
        "    print('begin', flush=True)\n"
        "    list(futures.map(time.sleep, [60] * 4))\n"
    )
    with Path("/dev/full").open("wb") as full, subprocess.Popen(
        [*MYSCOOP, "-n", "2", "naps.py"], cwd=tmp_path, env=first_library.env,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=full,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begin\n"
            process.terminate()
            assert process.wait(15) in (1, 128 + 15)
        finally:
            process.kill()


def test_a_pipe_that_nobody_empties_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "UNREAD_SECONDS", 0.01)
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    with open(reads, "rb"), open(writes, "w") as pipe:
        assert streams.is_read(pipe)
        with contextlib.suppress(BlockingIOError):
            while os.write(writes, b"x" * 4096):
                pass
        assert not streams.is_read(pipe)
    assert streams.is_read(None) and streams.is_read(io.StringIO())


@pytest.mark.parametrize(("status", "flushes"), [(0, 1), (143, 0)])
def test_only_a_program_that_no_signal_has_ended_waits_to_be_read(
    monkeypatch: pytest.MonkeyPatch, status: int, flushes: int
) -> None:
    flushed: list[str] = []
    stream = SimpleNamespace(flush=lambda: flushed.append("stdout"))
    monkeypatch.setattr(streams, "is_read", lambda stream: False)
    monkeypatch.setattr(sys, "stdout", stream)
    assert status_of(lambda: sys.exit(status)) == status
    monkeypatch.undo()
    assert len(flushed) == flushes
