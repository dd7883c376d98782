"""ipykernel as the program that rank 0 runs: made, joined to the farm, and ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ipykernel.iostream import OutStream
from ipykernel.kernelapp import IPKernelApp

from ..executors.farm_executor import FarmExecutor
from ..output import console
from ..process import identity
from ..tasks import current_executor
from ..tasks.groups import groups
from .cells import Cells
from .kernel import FarmKernel

FRONT_END = "JPY_PARENT_PID"
"""Names the front end's process: ipykernel would look whether that is its parent, which it is not;
the command does that for all ranks (`launch.kernel`)."""


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
    out, err = sys.stdout, sys.stderr
    if not (isinstance(out, OutStream) and isinstance(err, OutStream)):
        return None
    cells = kernel.cells = Cells(groups, {1: out, 2: err})
    console.show_by(cells.show)
    return cells


def _workers() -> str:
    count = max(1, identity.this.size - 1)
    return f"{count} worker{'' if count == 1 else 's'} of scoopmpi run tasks"
