"""The bar as a person sees it: commands and ranks, at a terminal that is looked at."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.libraries import Library
from tests.support.screens import Shown
from tests.support.starting import MYSCOOP, start
from tests.support.terminals import Typed, at_a_terminal, resize

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.skipif(sys.platform != "linux", reason="the line to rank 0 is Linux's"),
]
ALL_KINDS = """
import os, sys, time
from scoopmpi import futures

def simulate(x):
    time.sleep(0.03)
    if x % 50 == 7:
        os.system(f"echo past us {x}; echo and more {x}")
    if x == 90 and not os.path.exists("gone"):
        open("gone", "w").close()
        os.kill(os.getpid(), 9)
    return x

def inner(x):
    time.sleep(0.01)
    return 1

def outer(x):
    return sum(futures.map(inner, range(10)))

if __name__ == "__main__":
    for value in futures.map(simulate, range(300)):
        if value % 20 == 0:
            print("value", value)
        if value == 290:
            print("in", end=" ", flush=True)
            time.sleep(0.3)
            print("parts", value)
    print("nested", sum(futures.map(outer, range(50))))
"""
SLOW = """
import time
from scoopmpi import futures

def simulate(x):
    time.sleep(0.05)
    return x

if __name__ == "__main__":
    print("sum", sum(futures.map(simulate, range(SIZE), progress=SAID)), flush=True)
    print("again", sum(futures.map(simulate, range(60))))
"""
MANY = """
from scoopmpi import futures

def square(x):
    return x * x

if __name__ == "__main__":
    for number, value in enumerate(futures.map(square, range(10 ** 6))):
        if number % 10 == 0:
            print(value)
"""
ELSEWHERE = """
import scoopmpi.launch.hosts.thishost as here
here.is_this = lambda name: False
from scoopmpi.myscoop import main
main()
"""
DRAWN = re.compile(rb"\x1b7\r+\n(.*?)\x1b\[K")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def job(tmp_path: Path, program: str, *options: str, **values: object) -> list[str]:
    """The words of a job; the program is written with these values in it."""
    for name, value in values.items():
        program = program.replace(name, repr(value))
    (tmp_path / "program.py").write_text(program)
    return [*MYSCOOP, "--quiet", *options, str(tmp_path / "program.py")]


def seen(
    words: Sequence[str], env: Mapping[str, str], script: Sequence[tuple[bytes, Typed]],
    cwd: Path, columns: int = 100,
) -> tuple[bytes, Shown]:  # fmt: skip
    """The bytes that come to a terminal, and what it shows in the end."""
    env = {**env, "TERM": "xterm-256color"}
    raw = at_a_terminal(words, env, script, cwd, size=(columns, 30))
    screen = Shown(columns, 30)
    screen.feed(raw)
    assert b"?25l" not in raw
    return raw, screen


def bars(raw: bytes) -> list[str]:
    """The lines that were drawn, without colours."""
    return [COLOUR.sub("", line.decode()) for line in DRAWN.findall(raw)]


def smaller(pid: int) -> None:
    time.sleep(0.3)
    with open(f"/proc/{pid}/fd/0") as terminal:
        resize(terminal.fileno(), 60, 30)


def test_nothing_that_a_program_prints_is_torn(first_library: Library, tmp_path: Path) -> None:
    """Lines, parts of lines, children of tasks, a lost worker, nested jobs, another size."""
    words = job(tmp_path, ALL_KINDS, "-n", "3", "--multi", "3", "--progress")
    script: list[tuple[bytes, Typed]] = [(b"/300", smaller)]
    raw, screen = seen(words, first_library.env, script, tmp_path, columns=200)
    lines = [line for line in screen.lines if not line.startswith("scoopmpi: ")]
    values = [line for line in lines if line.startswith(("value", "in parts"))]
    expected = [*(f"value {value}" for value in range(0, 300, 20)), "in parts 290"]
    assert values == expected
    for number in range(7, 300, 50):
        at = lines.index(f"past us {number}")
        assert f"and more {number}" in lines[at + 1 : at + 3]
    assert lines.count("nested 500") == 1 and lines[-1] == "<0>"
    last = next(line for line in lines if "300/300" in line)
    assert last.startswith("simulate") and "retried" in last and " in " in last
    drawn = bars(raw)
    assert any(re.search(r"\d/2 busy, 1 lost", line) for line in drawn), drawn
    assert max(map(len, drawn)) > 70 and len(drawn[-1]) < 60
    others = {*lines} - {*expected, "nested 500", "<0>", ""}
    others = {line for line in others if not line.startswith(("past us", "and more"))}
    assert len(others) <= 3, others  # what stays of both maps, and of the tasks of tasks


def test_stdout_may_be_a_pipe(first_library: Library, tmp_path: Path) -> None:
    """10^6 tasks, of which 10^5 lines are printed: to the pipe goes what the program prints."""
    words = " ".join(f"'{word}'" for word in job(tmp_path, MANY, "-n", "2", "--progress"))
    shell = ["bash", "-c", f"{words} | cat > '{tmp_path}/out'; exit ${{PIPESTATUS[0]}}"]
    _, screen = seen(shell, first_library.env, [], tmp_path)
    lines = (tmp_path / "out").read_bytes().split(b"\n")
    assert lines == [*(b"%d" % (number * number) for number in range(0, 10**6, 10)), b""]
    assert screen.lines[-1] == "<0>" and len(screen.lines) <= 2
    if len(screen.lines) == 2:  # not where a machine does all of it within two seconds
        assert screen.lines[0].startswith("square") and "1000000/1000000" in screen.lines[0]


def test_ctrl_c_leaves_a_clean_terminal(first_library: Library, tmp_path: Path) -> None:
    def interrupt(pid: int) -> None:
        time.sleep(0.3)
        os.killpg(pid, signal.SIGINT)

    words = job(tmp_path, SLOW, "-n", "2", SIZE=4000, SAID="A fit")
    _, screen = seen(words, first_library.env, [(b"/4000", interrupt)], tmp_path)
    lines = screen.lines
    assert lines[0].startswith("A fit") and "/4000" in lines[0] and " in " in lines[0]
    assert lines[1].startswith("Traceback") and "KeyboardInterrupt" in lines
    assert lines[-1] == "<130>" and not any("/4000" in line for line in lines[1:])


def test_rank_0_may_be_on_another_host(library: Library, tmp_path: Path) -> None:
    """Through the launcher's pipes: the command knows the terminal, and draws."""
    *_, quiet, number, workers, program = job(tmp_path, ALL_KINDS, "-n", "2")
    (tmp_path / "gone").touch()
    words = [sys.executable, "-c", ELSEWHERE, "--sched=local", "--progress"]
    words += [quiet, number, workers, program]
    raw, screen = seen(words, library.env, [], tmp_path)
    lines = screen.lines
    assert [line for line in lines if line.startswith("value")] == [
        f"value {value}" for value in range(0, 300, 20)
    ]
    for number in range(7, 300, 50):
        assert f"and more {number}" in lines
    assert "nested 500" in lines and lines[-1] == "<0>"
    (last,) = [line for line in lines if "300/300" in line]
    assert last.startswith("simulate") and len(bars(raw)) > 5
    assert b"]scoopmpi;" not in raw


def test_a_map_that_asks_for_it_is_told_of_in_a_log(
    first_library: Library, tmp_path: Path
) -> None:  # fmt: skip
    done = start(first_library, job(tmp_path, SLOW, "-n", "2", SIZE=100, SAID="Fits"), tmp_path)
    assert (done.returncode, done.stdout) == (0, "sum 4950\nagain 1770\n")
    first, *_, last = done.stderr.splitlines()
    assert re.fullmatch(r"scoopmpi: Fits: \d+ of 100 done, .* 2 of 2 workers busy", first)
    assert re.fullmatch(r"scoopmpi: Fits: 100 of 100 done in .* s, .*/s", last)
    assert "\r" not in done.stderr and "\x1b" not in done.stderr
    assert "simulate" not in done.stderr
