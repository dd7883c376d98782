"""Ask other programs, never longer than a moment, never through a shell, never in long silence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from ..concurrency.periods import ASKING_PATIENCE_SECONDS

Ask: TypeAlias = Callable[[Sequence[str]], str | None]
"""Words in, what the program printed out; None where there is none, or it fails or hangs."""


def _tell(text: str) -> None:
    print(f"scoopmpi: {text}", file=sys.stderr, flush=True)


def asking(env: Mapping[str, str], seconds: float = 10, tell: Callable[[str], None] = _tell) -> Ask:
    """Return a function that asks programs in an environment, found on its PATH.

    seconds: for each question. tell: hears of an answer that takes long.
    """

    def ask(words: Sequence[str]) -> str | None:
        try:
            with subprocess.Popen(
                words, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, errors="replace", start_new_session=True,
            ) as process:  # fmt: skip
                answer = _answer(process, seconds, tell)
        except OSError:
            return None
        return answer if process.returncode == 0 else None

    return ask


def _answer(process: subprocess.Popen[str], seconds: float, tell: Callable[[str], None]) -> str:
    patience = min(ASKING_PATIENCE_SECONDS, seconds)
    try:
        return process.communicate(timeout=patience)[0]
    except subprocess.TimeoutExpired:
        words = " ".join(map(str, process.args))  # type: ignore[arg-type] # a list, as it was given
    more = seconds - patience
    if more > 0:
        tell(f"`{words}` has not answered for {patience:g} s; it has {more:g} s more")
    try:
        return process.communicate(timeout=more)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # what it has started would hold its output
        return ""


def nobody(words: Sequence[str]) -> str | None:
    """Ask nobody: for those who only want to read the environment."""
    return None
