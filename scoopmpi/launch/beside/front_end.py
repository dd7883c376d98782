"""The process without which nobody wants a job any more: a kernel's front end, that may be killed.

It need not be our parent, and its end is seen at once: by a descriptor of the process where the
system has them (Linux 5.3), else by a look each second.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from .event_loop import EventLoop

_LOOK = 1.0
"""Seconds between two looks, as ipykernel's."""


class FrontEnd:
    """Watches one process. gone: called once, when it has ended.

    pid: the process; None for none.
    """

    def __init__(self, pid: int | None, loop: EventLoop, gone: Callable[[], None]) -> None:
        self._pid, self._loop, self._gone = pid, loop, gone
        self._descriptor: int | None = None
        if pid is None:
            return
        try:
            self._descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            loop.after(0.0, gone)
        except (AttributeError, OSError):
            self._look()
        else:
            loop.register(self._descriptor, self._ended)

    def _ended(self) -> None:
        if self._descriptor is not None:
            self._loop.unregister(self._descriptor)
            self.close()
            self._gone()

    def _look(self) -> None:
        if self._pid is not None and _runs(self._pid):
            self._loop.after(_LOOK, self._look)
        else:
            self._gone()

    def close(self) -> None:
        """Watch no more."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
