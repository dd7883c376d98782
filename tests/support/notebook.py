"""A notebook without a browser: cells go to a kernel as a front end sends them, outputs come back.

What comes is kept by the cell that it is for, also behind its end, as front ends do.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tests.support.libraries import Library

INSTALL = [sys.executable, "-m", "scoopmpi.myscoop", "kernel", "install"]
PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
"""On which `jupyter` and `myscoop` are, also where nobody has activated the environment."""
STARTS = 60.0
"""Seconds that a kernel may need to start; front ends wait as long."""


class Cell:
    """What a cell has brought: what was printed, shown or raised, by kinds and in order."""

    def __init__(self) -> None:
        self.outputs: list[tuple[str, Any]] = []
        self.over = False
        self.seconds = 0.0

    def text(self, *kinds: str) -> str:
        """What came of these kinds, all of them by default, as one text."""
        return "".join(str(what) for kind, what in self.outputs if not kinds or kind in kinds)

    @property
    def error(self) -> str:
        """The name of the exception that it ended with, and what that says; nothing else."""
        return self.text("error")


class Notebook:
    """A kernel and what its cells have brought.

    manager: of the kernel, which runs.
    """

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client: Any = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=STARTS)
        self.cells: dict[str, Cell] = {}

    def begin(self, code: str, answers: bool = False) -> Cell:
        """Send a cell, and do not wait. answers: somebody is there for `input()`."""
        cell = Cell()
        self.cells[self.client.execute(code, allow_stdin=answers)] = cell
        return cell

    def run(
        self, code: str, timeout: float = 40, interrupt: Callable[[Cell], bool] | None = None,
        answer: str | None = None,
    ) -> Cell:  # fmt: skip
        """Run a cell to its end.

        interrupt: says when to do so. answer: to its `input()`.
        """
        cell, began, asked = self.begin(code, answer is not None), time.monotonic(), False
        until = began + timeout
        while not cell.over:
            assert time.monotonic() < until, f"{code} has not ended: {cell.outputs}"
            self.hear(0.05)
            if interrupt is not None and not asked and interrupt(cell):
                self.manager.interrupt_kernel()
                asked, began = True, time.monotonic()
            if answer is not None:
                with contextlib.suppress(queue.Empty):
                    self.client.get_stdin_msg(timeout=0.05)
                    self.client.input(answer)
        cell.seconds = time.monotonic() - began
        return cell

    def hear_until(self, done: Callable[[], bool], timeout: float = 20) -> None:
        """Take in what comes until something is so."""
        until = time.monotonic() + timeout
        while not done():
            assert time.monotonic() < until, [cell.outputs for cell in self.cells.values()]
            self.hear(0.05)

    def hear(self, seconds: float) -> None:
        """Take in what has come, and what comes so soon."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._take(self.client.get_iopub_msg(timeout=seconds))
                seconds = 0

    def _take(self, message: dict[str, Any]) -> None:
        cell = self.cells.get(message["parent_header"].get("msg_id", ""))
        if cell is None:
            return
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            cell.outputs.append((content["name"], content["text"]))
        elif kind in ("execute_result", "display_data", "update_display_data"):
            cell.outputs.append((kind, content["data"].get("text/plain", "")))
        elif kind == "error":
            trace = "\n".join(content["traceback"])
            cell.outputs.append((kind, f"{content['ename']}: {content['evalue']}\n{trace}"))
        elif kind == "status":
            cell.over = cell.over or content["execution_state"] == "idle"


def installed(prefix: Path, *options: str, name: str = "farm") -> Path:
    """Write a kernel down as a user does, below a directory, and return where."""
    words = [*INSTALL, "--prefix", str(prefix), "--name", name, *options]
    answer = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    return Path(answer.stdout.strip())


def kernel(prefix: Path, library: Library, name: str = "farm", **env: str) -> KernelManager:
    """Start a kernel that was written down there, in that directory."""
    places = KernelSpecManager(kernel_dirs=[str(prefix / "share" / "jupyter" / "kernels")])
    manager = KernelManager(kernel_name=name, kernel_spec_manager=places)
    manager.start_kernel(cwd=str(prefix), env={**library.env, **env})
    return manager


@contextlib.contextmanager
def notebook(prefix: Path, library: Library, *options: str, **env: str) -> Iterator[Notebook]:
    """A notebook with two workers on this machine, whatever batch job this is."""
    installed(prefix, "--sched=local", "-n", "2", *options)
    manager = kernel(prefix, library, **env)
    try:
        made = Notebook(manager)
        yield made
        made.client.stop_channels()
    finally:
        manager.shutdown_kernel(now=True)


def processes(words: str) -> list[int]:
    """The processes of this machine whose command line has these words in it."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if words.encode() in (place / "cmdline").read_bytes().replace(b"\0", b" "):
                found.append(int(place.name))
    return found
