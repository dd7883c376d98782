"""Ask other programs, never longer than a moment, never through a shell."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

Ask: TypeAlias = Callable[[Sequence[str]], str | None]
"""Words in, what the program printed out; None where there is none, or it fails or hangs."""


def asking(env: Mapping[str, str], seconds: float = 10) -> Ask:
    """A function that asks programs in an environment, found on its PATH."""

    def ask(words: Sequence[str]) -> str | None:
        try:
            answer = subprocess.run(
                words, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True,
                text=True, errors="replace", timeout=seconds,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
        return answer.stdout if answer.returncode == 0 else None

    return ask


def nobody(words: Sequence[str]) -> str | None:
    """Asks nobody: for those who only want to read the environment."""
    return None
