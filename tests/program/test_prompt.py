"""Python's prompt on rank 0: what a person at a terminal sees and types."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.libraries import Library
from tests.support.terminals import at_a_terminal

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.skipif(sys.platform != "linux", reason="the line to rank 0 is Linux's"),
]
PROMPT = [sys.executable, "-m", "scoopmpi", "-n", "2"]


def at_home(library: Library, home: Path) -> dict[str, str]:
    return {**library.env, "HOME": str(home), "TERM": "xterm"}


def after(seconds: float, number: int) -> Callable[[int], None]:
    """Return what waits and sends the command a signal; 0 is none."""

    def send(pid: int) -> None:
        time.sleep(seconds)
        os.kill(pid, number)

    return send


def test_the_prompt_is_as_without_ranks(library: Library, tmp_path: Path) -> None:
    """Lines of several, line editing, errors, Ctrl-C while typing, history, Ctrl-D."""
    script = [
        (b">>> ", b"from scoopmpi import futures\n"),
        (b">>> ", b"def times(x):\n"),
        (b"... ", b"    return factor * x\n"),
        (b"... ", b"\n"),
        (b">>> ", b"factor = 1xx\x7f\x7f0\x1b[D\x1b[D1\n"),  # backspace, and left to 110
        (b">>> ", b"list(futures.map(times, range(4)))\n"),
        (b"[0, 110, 220, 330]", b"1 / 0\n"),
        (b"ZeroDivisionError", b""),
        (b">>> ", b"half a line\x1b[D"),
        # Only when the cursor has moved, and Python waits for the next key: it misses a Ctrl-C that
        # comes just behind one (1 of 1000 so quick ones, without ranks as with them), or before it
        # reads any, when the terminal shows letters by itself.
        (b"\x08", after(0.5, 0)),
        (b"", b"\x03"),
        (b"KeyboardInterrupt", b""),
        (b">>> ", b"import time; time.sleep(50)\n"),
        (b"sleep(50)", after(0.5, signal.SIGINT)),
        (b"\nKeyboardInterrupt", b""),
        (b">>> ", b"futures.map_as\t"),
        (b"completed", b"\x15\n"),
        (b">>> ", b"input('name? ')\n"),
        (b"name? ", b"ada\n"),
        (b"'ada'", b""),
        (b">>> ", b"\x04"),
    ]
    seen = at_a_terminal(PROMPT, at_home(library, tmp_path), script, tmp_path)
    assert seen.endswith(b"<0>")
    assert b"stopping.py" not in seen
    assert "list(futures.map(times, range(4)))" in (tmp_path / ".python_history").read_text()


def test_the_terminal_is_given_back_when_the_job_is_ended(
    first_library: Library, tmp_path: Path
) -> None:
    script = [
        (b">>> ", b"print('not' + 'ing')\n"),
        (b"\nnoting", after(0.3, signal.SIGTERM)),
    ]
    seen = at_a_terminal(PROMPT, at_home(first_library, tmp_path), script)
    assert seen.endswith(b"<143>")


def test_ctrl_z_leaves_the_terminal_to_the_shell(first_library: Library, tmp_path: Path) -> None:
    words = ["bash", "--norc", "--noprofile", "-i"]
    env = {**at_home(first_library, tmp_path), "PS1": "shell$ "}
    script = [
        (b"shell$ ", " ".join(PROMPT).encode() + b"\n"),
        (b">>> ", b"print(1)\n"),
        (b"\n1\r\n", b"\x1a"),
        (b"Stopped", b""),
        (b"shell$ ", b"echo mi$((1 + 1))ne\n"),
        (b"mi2ne", b""),
        (b"shell$ ", b"fg\n"),
        (b"scoopmpi", b"\n"),
        (b">>> ", b"exit(7)\n"),
        (b"shell$ ", b"exit $?\n"),
    ]
    assert at_a_terminal(words, env, script).endswith(b"<7>")


def test_a_prompt_when_the_program_is_over(first_library: Library, tmp_path: Path) -> None:
    """Its functions, one redefined, and those that are typed; after its own exception."""
    (tmp_path / "prog.py").write_text(
        "from scoopmpi import futures\n"
        "def square(x):\n    return x * x\n"
        "if __name__ == '__main__':\n"
        "    found = list(futures.map(square, range(4)))\n"
        "    1 / 0\n"
    )
    words = [sys.executable, "-i", "-m", "scoopmpi", "-n", "2", "prog.py"]
    script: list[tuple[bytes, bytes]] = [
        (b"ZeroDivisionError", b""),
        (b">>> ", b"found\n"),
        (b"[0, 1, 4, 9]", b""),
        (b">>> ", b"def more(x): return square(x) + offset\n\n"),
        (b">>> ", b"offset = 100\n"),
        (b">>> ", b"list(futures.map(more, range(3)))\n"),
        (b"[100, 101, 104]", b""),
        (b">>> ", b"def square(x): return -x\n\n"),
        (b">>> ", b"list(futures.map(more, range(3)))\n"),
        (b"[100, 99, 98]", b""),
        (b">>> ", b"exit(3)\n"),
    ]
    seen = at_a_terminal(words, at_home(first_library, tmp_path), script, tmp_path)
    assert seen.endswith(b"<3>")
