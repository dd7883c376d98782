"""The line between a command and rank 0: what goes over it, and who may take part.

The other end is a process of its own, as descriptors and signals belong to processes.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from scoopmpi.launch.beside.lifeline import Lifeline
from scoopmpi.process import stdin
from scoopmpi.process.lifeline import ENDED, VARIABLE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="an abstract socket of Linux")

RANK_0 = """
import os, signal, sys, time
from scoopmpi.process import lifeline
line = lifeline.command
assert line.connect(os.environ, 0)
assert "SCOOPMPI_LIFELINE" not in os.environ
{}
"""


@pytest.fixture
def pipes() -> Iterator[tuple[int, int, int, int]]:
    """The reading and writing ends of two pipes."""
    ends = (*os.pipe(), *os.pipe())
    yield ends
    for end in ends:
        os.close(end)


def rank_0(line: Lifeline, does: str, **more: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", RANK_0.format(does)], env=os.environ | line.variables,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **more,
    )  # type: ignore[call-overload,no-any-return]  # fmt: skip


def heard(line: Lifeline, seconds: float = 20) -> None:
    """Until rank 0 has ended."""
    deadline = time.monotonic() + seconds
    while line.fileno() >= 0:
        left = deadline - time.monotonic()
        assert left > 0, "rank 0 says nothing"
        if select.select([line], [], [], left)[0]:
            line.hear()


@pytest.mark.ranks
def test_rank_0_reads_and_writes_where_the_user_does_and_says_how_it_ended(
    pipes: tuple[int, int, int, int],
) -> None:
    asked, answer, shown, show = pipes
    os.write(answer, b"a question\n")
    does = "print(sys.stdin.readline().upper(), end=''); line.ends_with(33)"
    with closing(Lifeline({0: asked, 1: show, 2: 2})) as line:
        process = rank_0(line, does)
        heard(line)
        assert process.wait(20) == 0
        assert (line.pid, line.status) == (process.pid, 33)
    assert os.read(shown, 99) == b"A QUESTION\n"


@pytest.mark.ranks
def test_the_program_says_when_it_hears_signals() -> None:
    with closing(Lifeline({1: 1, 2: 2})) as line:
        process = rank_0(line, "assert not sys.argv[1:]; line.ready()")
        assert not line.ready
        heard(line)
        assert line.ready
        process.wait(20)


@pytest.mark.ranks
@pytest.mark.parametrize("does", ["os._exit(0)", "sys.exit(0)", "os.kill(os.getpid(), 9)"])
def test_who_does_not_say_it_has_not_ended_well(does: str) -> None:
    with closing(Lifeline({1: 1, 2: 2})) as line:
        process = rank_0(line, does)
        heard(line)
        assert line.status is None
        process.wait(20)


@pytest.mark.ranks
def test_it_is_said_once_and_the_launcher_hears_of_no_failure() -> None:
    does = "assert line.ends_with(7) == 0; line.say(); line.ends_with(8); line.say()"
    with closing(Lifeline({1: 1, 2: 2})) as line:
        process = rank_0(line, does)
        heard(line)
        assert process.wait(20) == 0
        assert line.status == 7


@pytest.mark.ranks
def test_it_is_said_after_the_programs_own_last_lines(pipes: tuple[int, ...]) -> None:
    shown, show = pipes[:2]
    does = (
        "import atexit; atexit.register(lambda: (time.sleep(0.3), print('late', flush=True)))\n"
        "line.ends_with(0)"
    )
    with closing(Lifeline({1: show, 2: 2})) as line:
        process = rank_0(line, does)
        heard(line)
        assert line.status == 0
        assert select.select([shown], [], [], 0)[0], "it had not been printed by then"
        process.wait(20)


@pytest.mark.ranks
def test_a_forked_child_is_not_rank_0() -> None:
    does = (
        "if os.fork() == 0:\n"
        "    signal.signal(signal.SIGUSR1, lambda *_: None)\n"
        "    os.kill(os.getpid(), signal.SIGUSR1)\n"
        "    sys.exit(6 + line.ends_with(6))\n"
        "assert os.waitstatus_to_exitcode(os.wait()[1]) == 6; line.ends_with(5)"
    )
    with closing(Lifeline({1: 1, 2: 2})) as line:
        process = rank_0(line, does)
        heard(line)
        assert process.wait(20) == 0
        assert line.status == 5
        assert not line.noted


@pytest.mark.ranks
def test_it_is_known_which_signals_have_reached_rank_0() -> None:
    does = (
        "signal.signal(signal.SIGTERM, lambda *_: print('own'))\n"
        "os.kill(os.getpid(), signal.SIGTERM); line.ends_with(128 + signal.SIGTERM)"
    )
    begun = time.monotonic()
    with closing(Lifeline({1: 1, 2: 2})) as line:
        process = rank_0(line, does)
        heard(line)
        assert process.wait(20) == 0
        assert line.told_of(signal.SIGTERM, begun)
        assert not line.told_of(signal.SIGTERM, begun), "it was one only"
        assert not line.told_of(signal.SIGINT, begun)
        assert line.ended_by_signal


@pytest.mark.ranks
def test_a_signal_that_the_command_has_sent_is_not_one_of_others() -> None:
    """Or a second Ctrl-C, soon after the first, would be taken for it."""
    does = (
        "came = []; signal.signal(signal.SIGINT, lambda *_: came.append(1))\n"
        "print('ready', flush=True)\n"
        "while len(came) < 1: time.sleep(0.01)\n"
        "line.ends_with(0)"
    )
    shown, show = os.pipe()
    begun = time.monotonic()
    with closing(Lifeline({1: show, 2: 2})) as line:
        process = rank_0(line, does)
        assert select.select([line], [], [], 20)[0]
        line.hear()
        assert select.select([shown], [], [], 20)[0]
        line.send(signal.SIGINT)
        heard(line)
        assert process.wait(20) == 0
        assert signal.SIGINT in line.noted
        assert not line.told_of(signal.SIGINT, begun)
    os.close(shown)
    os.close(show)


@pytest.mark.ranks
@pytest.mark.parametrize("closed", [0, 1, 2])
def test_what_the_user_has_closed_is_closed_for_python_and_its_number_is_held(closed: int) -> None:
    does = (
        f"name = ('stdin', 'stdout', 'stderr')[{closed}]\n"
        "assert getattr(sys, name) is None and getattr(sys, f'__{name}__') is None\n"
        f"assert os.path.samestat(os.fstat({closed}), os.stat(os.devnull))\n"
        "print('to nobody, or somebody'); line.ends_with(0)"
    )
    given = {number: number for number in (0, 1, 2) if number != closed}
    with closing(Lifeline(given)) as line:
        process = rank_0(line, does)
        heard(line)
        assert process.wait(20) == 0
        assert line.status == 0


def test_another_user_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any process of the host may knock: the kernel says whose it is."""
    with closing(Lifeline({1: 1})) as line:
        monkeypatch.setattr(os, "geteuid", lambda: 4_000_001)
        monkeypatch.setattr(os, "getuid", lambda: 4_000_001)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
            stranger.settimeout(10)
            stranger.connect("\0" + line.variables[VARIABLE])
            line.hear()
            assert line.pid is None
            assert stranger.recv(99) == b""


def test_a_second_caller_is_not_rank_0() -> None:
    """Ranks that cannot see each other all believe to be it."""
    with closing(Lifeline({1: 1})) as line:
        name = "\0" + line.variables[VARIABLE]
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as first,
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as second,
        ):
            first.connect(name)
            line.hear()
            with pytest.raises(ConnectionRefusedError):
                second.connect(name)
            first.send(ENDED + b"0")
            line.hear()
        assert line.status == 0


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_marked_stdin_ends_at_its_mark_however_it_arrives(size: int) -> None:
    text = b"a line\n" * 40 + stdin.END[:-2] + b"\n\x04 no mark\n"
    data, passed, kept = text + stdin.END + b"behind it", b"", b""
    for start in range(0, len(data), size):
        whole, kept, ended = stdin.unmarked(kept + data[start : start + size])
        passed += whole
        if ended:
            break
    assert ended and passed == text


def test_a_whole_line_is_never_held_back() -> None:
    assert stdin.unmarked(b"name\n") == (b"name\n", b"", False)
