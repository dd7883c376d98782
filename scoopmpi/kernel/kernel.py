"""ipykernel's kernel, where it has to know of the farm: interrupts, signals, and its end.

An interrupt comes as SIGINT, and its handler raises in the cell only where that does the farm no
harm. What the cell has begun ends with it, also on the workers; what other cells have begun goes
on. A batch system, and the command when its front end is gone, ask for the end by other signals:
rank 0 raises SystemExit for these, which IPython keeps from ending the kernel in a cell.
"""

from __future__ import annotations

import asyncio
import inspect
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ipykernel.ipkernel import IPythonKernel

from ..concurrency.periods import KERNEL_END_SECONDS
from ..executors.farm_executor import FarmExecutor
from ..process import fuse
from .cells import Cells


class FarmKernel(IPythonKernel):  # type: ignore[misc]  # ipykernel is typed in part
    """The kernel of a notebook whose cells run on rank 0."""

    executor: FarmExecutor | None = None
    """Of this process's farm; None where there is none, and tasks run in place."""
    cells: Cells | None = None
    """Those that have run."""

    # Interrupts.

    def pre_handler_hook(self) -> None:
        """Have SIGINT raise in what a message asks for, a cell mostly, from now on."""
        self.saved_sigint_handler = signal.signal(signal.SIGINT, self._interrupted)

    def post_handler_hook(self) -> None:
        """Have SIGINT do nothing between two messages; end where that was asked for meanwhile."""
        super().post_handler_hook()
        if self.asked_to_end is not None:
            self.io_loop.add_callback(self.io_loop.stop)

    @contextmanager
    def _cancel_on_sigint(self, future: Any) -> Iterator[None]:
        """Have SIGINT cancel a cell that awaits something, and raise in one that computes."""
        request = None if self.cells is None else self.cells.request
        with super()._cancel_on_sigint(future):
            cancel: Any = signal.getsignal(signal.SIGINT)

            def interrupted(number: int, frame: FrameType | None) -> None:
                if asyncio.current_task(future.get_loop()) is future and _in_cell(frame):
                    self._interrupted(number, frame)
                else:
                    self._give_up(request)  # asked for here: the loop is in no cell's context
                    cancel(number, frame)
                    future.get_loop().call_soon_threadsafe(bool)  # it may sleep, and look no more

            signal.signal(signal.SIGINT, interrupted)
            yield

    def _interrupted(self, _: int, __: FrameType | None) -> None:
        self._give_up()
        error = KeyboardInterrupt()
        if self.executor is None:
            raise error
        self.executor.farm.interrupt(error)

    def _give_up(self, request: str | None = None) -> None:
        """Have all that a cell, or the running one, has begun end; a thread does it, with locks."""
        group = None if self.cells is None else self.cells.renew(request or self.cells.request)
        if group is not None and self.executor is not None:
            self.control_thread.io_loop.add_callback(self.executor.give_up, group)

    # The end.

    async def do_shutdown(self, restart: bool) -> dict[str, Any]:
        """Leave the cell that runs; the process ends within seconds, whatever holds it up."""
        fuse.light(KERNEL_END_SECONDS, 1)
        self._send_interrupt_children()
        answer = super().do_shutdown(restart)  # with ipykernel 7.4 no coroutine
        said: dict[str, Any] = await answer if inspect.isawaitable(answer) else answer
        return said

    @property
    def asked_to_end(self) -> SystemExit | None:
        """What a signal has raised that asks for the end, if one did."""
        error = None if self.executor is None else self.executor.interruption
        return error if isinstance(error, SystemExit) else None


def _in_cell(frame: FrameType | None) -> bool:
    """True in code that IPython runs for a cell, which keeps whatever that raises."""
    frame = frame and frame.f_back
    while frame is not None:
        if frame.f_code.co_name == "run_code":
            return True
        frame = frame.f_back
    return False
