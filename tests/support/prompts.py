"""A person at the prompt of a shell: types, and sees the line as the shell has it then."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import pytest

from tests.support import terminals
from tests.support.screens import Shown

SIGN = "ready> "
CLEARED = "\x15"
_STARTS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}  # fmt: skip
_SAME_PROMPT = {
    "bash": "", "zsh": "",
    "fish": f"set -g fish_autosuggestion_enabled 0; function fish_prompt; echo -n '{SIGN}'; end",
}  # fmt: skip
_SIZE = (110, 30)


class Prompt:
    """A shell in a directory, which reads a line of setting up first.

    The test is skipped where the shell is not there. env: what it has beside the usual variables.
    """

    def __init__(self, shell: str, cwd: Path, line: str = "", **env: str) -> None:
        if shutil.which(shell) is None:
            pytest.skip(f"no {shell} here (Debian: apt-get install {shell})")
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        usual = {"PATH": path, "HOME": str(cwd), "TERM": "linux", "PS1": SIGN, "LC_ALL": "C.UTF-8"}
        self._screen = Shown(*_SIZE)
        self._pid, self._terminal = _started(_STARTS[shell], usual | env, cwd)
        terminals.resize(self._terminal, *_SIZE)
        setting_up = "; ".join(filter(None, (_SAME_PROMPT[shell], line, "clear")))
        self.typed(setting_up + "\r", "")

    def __enter__(self) -> Prompt:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        os.kill(self._pid, signal.SIGKILL)
        os.close(self._terminal)
        os.waitpid(self._pid, 0)

    def completed(self, typed: str, line: str) -> None:
        """Type words and TAB, and see what the line is then; it is cleared afterwards."""
        self.typed(typed + "\t", line)
        self.typed(CLEARED, "")

    def typed(self, keys: str, line: str, seconds: float = 40) -> None:
        """Type, and wait until there is nothing on the screen but a prompt and this line."""
        os.write(self._terminal, keys.encode())
        wanted = [(SIGN + line).rstrip()]
        deadline = time.monotonic() + seconds
        while self._screen.lines[-1:] != wanted:
            assert time.monotonic() < deadline, f"{keys!r} makes {self._screen.lines}, not {line!r}"
            if select.select([self._terminal], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):  # it has ended: the screen tells how
                    self._screen.feed(os.read(self._terminal, 1 << 16))


def _started(words: list[str], env: Mapping[str, str], cwd: Path) -> tuple[int, int]:
    pid, terminal = pty.fork()
    if pid:
        return pid, terminal
    try:
        os.chdir(cwd)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execvpe(words[0], words, env)
    finally:
        os._exit(127)
