"""ipykernel as the program that rank 0 runs: made, joined to the farm, and ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ipykernel.iostream import OutStream
from ipykernel.kernelapp import IPKernelApp

from ..executors.farm_executor import FarmExecutor
from ..output import console
from ..process import identity
from ..tasks import current_executor
from ..tasks.groups import groups
from ..watching.progress.row import Row
from .cells import Cells, Header
from .kernel import FarmKernel
from .places import Places, without_ours
from .progress import CellDisplay

FRONT_END = "JPY_PARENT_PID"
"""Names the front end's process: ipykernel would look whether that is its parent, which it is not;
the command does that for all ranks (`launch.kernel`)."""

Stay = Callable[[], Sequence[Row]]


def serve(words: Sequence[str]) -> None:
    """Be the kernel of the front end that the words name (`-f connection.json`), until it ends."""
    os.environ.pop(FRONT_END, None)
    app = IPKernelApp.instance(kernel_class=FarmKernel)
    app.initialize([*words])
    kernel: FarmKernel = app.kernel
    executor = current_executor.current()
    cells = _joined(kernel, executor if isinstance(executor, FarmExecutor) else None)
    try:
        app.start()
    finally:
        console.show_by(None)
        if cells is not None and kernel.executor is not None:
            kernel.executor.farm.give_up({None, *cells.known})
    if kernel.asked_to_end is not None:
        raise kernel.asked_to_end


def _joined(kernel: FarmKernel, executor: FarmExecutor | None) -> Cells | None:
    """Join a kernel to the farm, and return its cells; None where it shows nothing in cells."""
    kernel.executor = executor
    kernel.shell.banner2 = f"{_workers()}: from scoopmpi import futures\n"
    _name_cells(kernel.shell)
    out, err = sys.stdout, sys.stderr
    if not (isinstance(out, OutStream) and isinstance(err, OutStream)):
        return None
    cells = kernel.cells = Cells(groups, {1: out, 2: err})
    console.show_by(cells.show)
    if executor is not None and executor.progress is not None:
        shown = executor.progress
        kernel.shell.events.register("post_run_cell", lambda _: shown.rest())
        for reader in shown.readers_by(partial(_display, kernel, cells)):
            executor.farm.observe(reader)
    return cells


def _name_cells(shell: Any) -> None:
    """Have tracebacks of tasks name the cells in which their functions are."""
    show = shell._showtraceback
    numbers = getattr(shell.compile, "_filename_map", {})
    places = Places(lambda: dict(shell.user_ns), numbers.get)

    def shown(kind: Any, error: Any, lines: list[str]) -> None:
        try:
            lines = [places.filled_in(line) for line in lines]
        except Exception:  # the user's objects may do anything
            pass
        show(kind, error, lines)

    def interrupted(shell: Any, kind: Any, error: Any, trace: Any, tb_offset: Any = None) -> Any:
        shell._showtraceback(
            kind, error, shell.InteractiveTB.structured_traceback(
                kind, error, without_ours(trace), tb_offset=tb_offset
            )
        )  # fmt: skip

    shell._showtraceback = shown
    shell.set_custom_exc((KeyboardInterrupt,), interrupted)


def _display(kernel: FarmKernel, cells: Cells, stay: Stay) -> CellDisplay:
    """Return what shows how far maps are, in the cell that runs when there is something to show."""
    header: Header = {}

    def publish(kind: str, content: dict[str, Any]) -> None:
        nonlocal header
        if kind == "display_data":
            header = cells.latest
        kernel.session.send(kernel.iopub_socket, kind, content, dict(header), kind.encode())

    return CellDisplay(stay, publish)


def _workers() -> str:
    count = max(1, identity.this.size - 1)
    return f"{count} worker{'' if count == 1 else 's'} of scoopmpi run tasks"
