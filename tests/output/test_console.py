"""Rank 0's stdout and stderr, each time in a process of its own: to a pipe, a file, a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.support.libraries import ROOT

pytestmark = pytest.mark.ranks

PRELUDE = """
import os, sys, threading, time, io, contextlib, logging
from scoopmpi.output import console
told = []
console.install(lambda *what: told.append(what))
sys.setswitchinterval(1e-5)
def all_at_once(*actions):
    threads = [threading.Thread(target=action) for action in actions]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
"""
WAYS = ("pipe", "file", "terminal", "unbuffered")


def printed(way: str, body: str, tmp_path: Path, status: int = 0) -> bytes:
    """What a program with consoles writes to stdout, which is a pipe, a file or a terminal."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    if way == "unbuffered":
        env["PYTHONUNBUFFERED"] = "1"
    words = [sys.executable, "-c", PRELUDE + body]
    if way == "terminal":
        return on_terminal(words, env)
    with open(tmp_path / "out", "wb") as file:
        target = file if way == "file" else subprocess.PIPE
        done = subprocess.run(
            words, env=env, cwd=ROOT, stdout=target, stderr=subprocess.PIPE, timeout=60
        )
    assert done.returncode == status, done.stderr
    return (tmp_path / "out").read_bytes() if way == "file" else done.stdout


def on_terminal(words: list[str], env: dict[str, str]) -> bytes:
    ours, theirs = pty.openpty()
    out = b""
    with subprocess.Popen(words, env=env, cwd=ROOT, stdout=theirs, stdin=theirs) as process:
        os.close(theirs)
        try:
            while data := os.read(ours, 65536):
                out += data
        except OSError:
            pass  # the terminal has no other end any more
        assert process.wait(60) == 0
    os.close(ours)
    return out.replace(b"\r\n", b"\n")


@pytest.mark.parametrize("way", WAYS)
def test_lines_of_threads_and_of_tasks_are_whole_and_in_order(way: str, tmp_path: Path) -> None:
    body = """
def prints(name):
    for n in range(400):
        print(name, n, "x" * 50)
def writes(name):
    for n in range(400):
        sys.stdout.buffer.write(f"{name} {n} {'x' * 50}\\n".encode())
def task():
    for n in range(400):
        console.show(1, f"task {n} {'x' * 50}\\n".encode())
other = threading.Thread(target=all_at_once, args=(
    lambda: prints("a"), lambda: prints("b"), lambda: writes("bytes"), task))
other.start()
prints("main")
other.join()
"""
    came = defaultdict(list)
    for line in printed(way, body, tmp_path).decode().splitlines():
        name, number, filler = line.split(" ")
        assert filler == "x" * 50
        came[name].append(int(number))
    assert dict(came) == {name: list(range(400)) for name in ("main", "a", "b", "bytes", "task")}


@pytest.mark.parametrize("way", WAYS)
def test_what_was_printed_before_stands_before(way: str, tmp_path: Path) -> None:
    body = """
for n in range(200):
    print(3 * n)
    console.show(1, b"%d\\n" % (3 * n + 1))
    other = threading.Thread(target=print, args=(3 * n + 2,))
    other.start()
    other.join()
"""
    assert printed(way, body, tmp_path).split() == [b"%d" % n for n in range(600)]


@pytest.mark.parametrize("way", WAYS)
def test_long_lines_are_whole(way: str, tmp_path: Path) -> None:
    body = """
def prints(letter):
    for n in range(20):
        print(letter * 30000)
all_at_once(lambda: prints("a"), lambda: prints("b"),
            lambda: [console.show(1, b"c" * 30000 + b"\\n") for n in range(20)])
prints("d")
"""
    lines = printed(way, body, tmp_path).split()
    assert Counter(lines) == Counter({letter * 30000: 20 for letter in (b"a", b"b", b"c", b"d")})


@pytest.mark.parametrize("way", WAYS)
def test_a_line_in_parts_is_whole_unless_it_was_shown_for_long(way: str, tmp_path: Path) -> None:
    body = """
print("value", end=" ")
if not console.held(1):
    other = threading.Thread(target=console.show, args=(1, b"task\\n"))
    other.start()
    time.sleep(0.02)
print(1)
time.sleep(0.3)
print("prompt: ", end="", flush=True)
all_at_once(lambda: console.show(1, b"task\\n"))
"""
    out = printed(way, body, tmp_path)
    value, prompt = out[:13], out[13:]
    assert value in (b"value 1\ntask\n", b"task\nvalue 1\n")
    assert prompt == b"prompt: task\n"


def test_what_is_flushed_without_a_newline_is_shown_at_once(tmp_path: Path) -> None:
    body = """
print("name", end="? ")
sys.stdout.flush()
os.write(1, b"[a]")
print("more", end=" ", flush=True)
os.write(1, b"[b]")
all_at_once(lambda: (print("thread", end="", flush=True), os.write(1, b"[c]")))
try:
    input("prompt ")
except EOFError:
    os.write(1, b"[d]")
"""
    assert printed("pipe", body, tmp_path) == b"name? [a]more [b]thread[c]prompt [d]"


@pytest.mark.parametrize("way", WAYS)
def test_text_and_bytes_are_written_in_their_order(way: str, tmp_path: Path) -> None:
    body = """
for n in range(50):
    print("text", n)
    sys.stdout.buffer.write(b"bytes\\n")
    sys.stdout.writelines(["one\\n", "two\\n"])
sys.stdout.buffer.write(bytes(range(256)).replace(b"\\n", b""))
"""
    expected = b"".join(b"text %d\nbytes\none\ntwo\n" % n for n in range(50))
    out = printed(way, body, tmp_path)
    assert out.startswith(expected)
    if way != "terminal":
        assert out == expected + bytes(range(256)).replace(b"\n", b"")


def test_it_is_a_stream_as_pythons_own(tmp_path: Path) -> None:
    body = """
import json
new, old = sys.stdout, sys.stdout._like
assert isinstance(new, io.TextIOWrapper) and sys.__stdout__ is new
for name in ("encoding", "errors", "newlines", "name", "mode", "line_buffering",
             "write_through", "closed"):
    assert getattr(new, name) == getattr(old, name), name
for name in ("fileno", "isatty", "readable", "writable", "seekable"):
    assert getattr(new, name)() == getattr(old, name)(), name
assert new.buffer.fileno() == 1 and new.buffer.raw is not None and new.buffer.name == "<stdout>"
assert repr(new).startswith("<_io.TextIOWrapper name='<stdout>'")
assert new.write("four\\n") == 5 and new.buffer.write(b"five\\n") == 5
try:
    new.read()
except io.UnsupportedOperation:
    print("not readable")
"""
    assert printed("pipe", body, tmp_path) == b"four\nfive\nnot readable\n"


def test_the_program_changes_the_encoding(tmp_path: Path) -> None:
    body = """
before = sys.stdout.errors
print("ü")
sys.stdout.reconfigure(encoding="latin-1", newline="\\r\\n")
print("ü")
all_at_once(lambda: print("ü"))
console.show(1, b"bytes\\n")
assert told[0] == (1, {"encoding": "utf-8", "errors": before, "newline": "\\n"}), told
assert told[-1] == (1, {"encoding": "latin-1", "errors": "strict", "newline": "\\r\\n"}), told
sys.stdout.reconfigure(line_buffering=True, write_through=True)
assert sys.stdout.line_buffering and sys.stdout.write_through
print("at once", end="")
os.write(1, b".")
"""
    out = printed("pipe", body, tmp_path)
    assert out == "ü\n".encode() + b"\xfc\r\n\xfc\r\nbytes\nat once."


def test_streams_of_the_programs_own_making(tmp_path: Path) -> None:
    body = """
with contextlib.redirect_stdout(io.StringIO()) as text:
    print("program")
    console.show(1, "täsk\\n".encode())
assert text.getvalue() == "program\\ntäsk\\n"
with open("out", "w") as file, contextlib.redirect_stdout(file):
    print("program")
    console.show(1, b"task\\n")
assert open("out").read() == "program\\ntask\\n"
sys.stdout = io.TextIOWrapper(sys.stdout.detach(), "utf-8")
print("program")
console.show(1, b"task\\n")
print("again")
sys.stdout.flush()
sys.stdout = None
console.show(1, b"to nobody\\n")
"""
    assert printed("pipe", f"os.chdir({str(tmp_path)!r})" + body, tmp_path) == (
        b"program\ntask\nagain\n"
    )


def test_closed_is_closed(tmp_path: Path) -> None:
    body = """
print("before")
sys.stdout.close()
console.show(1, b"to nobody\\n")
assert sys.stdout.closed
try:
    print("after")
except ValueError as problem:
    print(problem, file=sys.stderr)
"""
    assert printed("pipe", body, tmp_path) == b"before\n"


def test_children_of_the_program_print_once(tmp_path: Path) -> None:
    body = """
import multiprocessing
print("program", flush=True)
stop = []
def busy():
    while not stop:
        console.show(1, b"task\\n")
other = threading.Thread(target=busy)
other.start()
context = multiprocessing.get_context("fork")
children = [context.Process(target=print, args=("child",)) for _ in range(20)]
[child.start() for child in children]
[child.join(20) for child in children]
assert not any(child.exitcode for child in children)
stop.append(1)
other.join()
"""
    count = Counter(printed("pipe", body, tmp_path).splitlines())
    assert count[b"program"] == 1 and count[b"child"] == 20 and len(count) == 3


def test_a_reader_that_goes_ends_the_program_as_python_does() -> None:
    body = """
try:
    for n in range(100000):
        print(n, flush=True)
except BrokenPipeError:
    print("broken", file=sys.stderr)
"""
    words = [sys.executable, "-c", PRELUDE + body]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "0\n"
        process.stdout.close()
        assert process.stderr.readline() == "broken\n"
        assert process.wait(30) in (0, 120)


def test_stdout_and_stderr_in_one_file_have_one_order(tmp_path: Path) -> None:
    body = """
sys.stderr.flush()
handler = logging.StreamHandler()
def logs(name):
    for n in range(300):
        handler.emit(logging.makeLogRecord({"msg": f"{name} {n}"}))
def prints(name):
    for n in range(300):
        print(name, n)
all_at_once(lambda: logs("a"), lambda: prints("b"), lambda: prints("c"))
"""
    words = [sys.executable, "-c", PRELUDE + body]
    done = subprocess.run(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    came = defaultdict(list)
    for line in done.stdout.splitlines():
        name, number = line.split()
        came[name].append(int(number))
    assert dict(came) == {name: list(range(300)) for name in "abc"}


def test_write_can_be_replaced_for_a_while(tmp_path: Path) -> None:
    """As IPython does, to keep what a cell prints."""
    body = """
before, kept = sys.stdout.write, []
sys.stdout.write = kept.append
print("kept")
sys.stdout.write = before
print("shown", kept)
"""
    assert printed("pipe", body, tmp_path) == b"shown ['kept', '\\n']\n"
