"""`myscoop status FILE`: which words mean it, what it prints, and with which status it ends."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from scoopmpi.launch import own_commands, status_command
from scoopmpi.watching.status import replaced_file
from scoopmpi.watching.status.contents import at
from tests.support.command_runner import runner

GONE = 2**22 + 1
"""No process has this number: it is beyond the largest that Linux gives."""


def said(state: str = "running", old: float = 1.0, **more: Any) -> dict[str, Any]:
    return {
        "format": replaced_file.FORMAT, "version": 1, "state": state, "exit_status": None,
        **at("written", time.time() - old), "every": 10, "seconds": 5.0, "command": "prog.py",
        "host": "elsewhere", "pid": GONE, "tasks": {"known": 10, "done": 3}, **more,
    }  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    def made(**more: Any) -> str:
        path = str(tmp_path / "run.json")
        replaced_file.write(path, said(**more))
        return path

    return made


def shown(*words: str) -> Result:
    return runner().invoke(status_command.command, words, standalone_mode=False)


def test_the_word_is_a_program_where_one_lies_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert own_commands.meant(["status", "run.json"]) and own_commands.meant(("status",))
    assert not own_commands.meant([]) and not own_commands.meant(["status.py"])
    (tmp_path / "status.py").write_text("")
    assert not own_commands.meant(["status", "run.json"])
    assert own_commands.meant(["status", "--help"])
    replaced_file.write("run.json", said())
    assert own_commands.meant(["status", "run.json"])
    replaced_file.write("status", said())  # that of a run
    assert own_commands.meant(["status", "--watch", "status"])


@pytest.mark.parametrize(("more", "status", "text"), [
    ({}, 0, "prog.py: running, 5 s"),
    ({"old": 312.0}, 3, "written 5 min 12 s ago: rank 0 is not there any more, or cannot write"),
    ({"host": socket.gethostname()}, 3, "written 1 s ago: rank 0 is not there any more"),
    ({"host": socket.gethostname(), "pid": os.getpid()}, 0, "written 1 s ago"),
    ({"state": "ended", "exit_status": 0, "old": 9999.0}, 0, "prog.py: ended well"),
    ({"state": "failed", "exit_status": 1}, 1, "prog.py: failed, status 1"),
    ({"state": "stopped", "exit_status": 75}, 1, "stopped before the end of its job"),
])  # fmt: skip
def test_what_is_printed_and_the_exit_status(
    file: Callable[..., str], more: dict[str, Any], status: int, text: str
) -> None:
    done = shown(file(**more))
    assert done.return_value == status
    assert text in done.stdout and "3 of 10 tasks done" in done.stdout
    assert "\x1b" not in done.stdout, "no colours in a pipe"


def test_what_cannot_be_shown_is_a_line_and_2(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("remember")
    for name, why in (("notes.txt", "is no status file"), ("none", "No such file")):
        done = shown(str(tmp_path / name))
        assert done.return_value == 2
        assert re.fullmatch(rf"Error: .*{name} .*{why}.*\n", done.stderr), done.stderr


def test_json_is_what_the_file_says(file: Callable[..., str]) -> None:
    path = file()
    assert json.loads(shown(path, "--json").stdout) == replaced_file.read(path)


def test_watching_goes_on_until_the_end(
    file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_command, "_PAUSE", 0.05)
    path = file()
    os.unlink(path)
    steps: list[dict[str, Any]] = [
        {}, {"tasks": {"known": 10, "done": 7}}, {"state": "failed", "exit_status": 1},
    ]  # fmt: skip

    def run() -> None:
        for step in steps:
            time.sleep(0.3)
            file(**step)

    runs = threading.Thread(target=run)
    runs.start()
    try:
        done = shown(path, "--watch")
    finally:
        runs.join()
    assert done.return_value == 1
    assert done.stderr == f"{path} is not there yet: waiting for the run to begin\n"
    blocks = re.findall(r"^prog\.py: (\w+)", done.stdout, re.MULTILINE)
    assert blocks == ["running", "running", "failed"], "a block for each file, and no more"
    assert "\x1b" not in done.stdout


def test_a_run_that_dies_while_it_is_watched_is_said_to_be_gone(
    file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_command, "_PAUSE", 0.01)
    looks = iter([False, False, True, True])
    monkeypatch.setattr(status_command, "_gone", lambda said: next(looks))
    done = shown(file(), "--watch")
    assert done.return_value == 3
    assert done.stdout.count("prog.py: running") == 2, "a block for each state"
    assert done.stdout.count("rank 0 is not there any more") == 1


def test_a_file_that_nobody_writes_is_given_up(
    file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_command, "_PAUSE", 0.01)
    done = shown(file(old=299.7), "--watch")
    assert done.return_value == 3 and "or cannot write" in done.stdout


@pytest.mark.ranks
def test_on_a_terminal_it_is_drawn_in_its_place(file: Callable[..., str]) -> None:
    path, (ours, theirs) = file(), os.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 6, 80, 0, 0))
    words = [sys.executable, "-m", "scoopmpi.myscoop", "status", path, "--watch"]
    env = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        text = b""
        while b"\x1b[J" not in text:
            text += os.read(ours, 4096)
        file(state="ended", exit_status=0)
        assert process.wait(30) == 0
    with suppress(OSError):  # nobody has the other end any more
        while True:
            text += os.read(ours, 4096)
    os.close(ours)
    *drawn, rest = text.split(b"\x1b[J")
    assert rest == b"" and len(drawn) >= 2
    for each in drawn:
        assert each.startswith(b"\x1b[H")
        assert each.count(b"\n") == 5, "as many lines as there is room for"
    assert b"running" in drawn[0] and b"ended well" in drawn[-1]


def test_watching_a_run_that_is_gone_ends(file: Callable[..., str]) -> None:
    done = shown(file(host=socket.gethostname()), "--watch", "--json")
    assert done.return_value == 3 and len(done.stdout.splitlines()) == 1


@pytest.mark.ranks
def test_ctrl_c_ends_it_quietly(file: Callable[..., str]) -> None:
    words = [sys.executable, "-m", "scoopmpi.myscoop", "status", file(), "--watch"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"prog.py: running")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")


def test_colours_are_for_terminals_that_want_them(
    file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file(state="failed", exit_status=1)
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)

    def printed() -> str:
        done = runner().invoke(status_command.command, [path], standalone_mode=False, color=True)
        return done.stdout

    assert printed().startswith("\x1b[31mprog.py: failed")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in printed()
