"""Click's runner of commands as its newest versions have it: stderr apart from stdout."""

from __future__ import annotations

import inspect
from typing import Any

from click.testing import CliRunner

APART: dict[str, Any] = (
    {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
)
"""Click 8.1 has to be told."""


def runner() -> CliRunner:
    return CliRunner(**APART)
