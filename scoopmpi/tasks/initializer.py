"""An executor's initializer on its way to the workers, which run it once in each process.

Workers come by here when they unpickle a task that has one; so nothing but what they have already
is imported.
"""

from __future__ import annotations

import itertools
import os
import socket
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import BrokenExecutor
from typing import Any

from ..process import identity
from ..wire import errors, failure, payload
from ..wire.payload import Frame
from .wrapped import Wrapped, only_calls

_numbers = itertools.count(1)
_made: dict[str, tuple[str, str] | None] = {}
"""Which initializers have run in this process, by name: each runs once in a process, however many
copies of it arrive with tasks. For those that failed a message, and the traceback as a text, as one
of frames would keep all that was there when the first task came."""


class BrokenMPIExecutor(BrokenExecutor):
    """The initializer of an executor has failed on a worker; the executor takes no more calls."""

    has_original = True
    """True: its cause travels with it, see `failure`."""
    breaks_executor = True
    """True: it is no task's failure, and is not among those that a map collects."""


class Initializer:
    """An initializer and its arguments, with a name that no other has.

    initializer: the user's function. initargs: its arguments.
    """

    def __init__(self, initializer: Callable[..., object], initargs: Iterable[Any]) -> None:
        self.initializer, self.initargs = initializer, tuple(initargs)
        self.name = f"{socket.gethostname()}:{os.getpid()}:{next(_numbers)}"
        self.said = failure.describe(initializer)
        self._frame: Frame = None

    def __getstate__(self) -> Any:
        """In a frame of its own: what cannot be unpickled is not blamed on a task's function."""
        if self._frame is None:
            self._frame = payload.copied(payload.pack((self.initializer, self.initargs)))
        return self.name, self.said, self._frame

    def __setstate__(self, state: Any) -> None:
        self.name, self.said, self._frame = state

    def make(self) -> None:
        """Run the initializer, if this process has not; raises BrokenMPIExecutor if it failed."""
        if self.name not in _made:
            _made[self.name] = None  # a task that it waits for must not run it again
            what = "has failed"
            try:
                if not hasattr(self, "initializer"):  # it has travelled
                    what = f"or its arguments cannot be unpickled on worker {identity.this.rank}"
                    self.initializer, self.initargs = payload.unpack(self._frame)
                    what = "has failed"
                self.initializer(*self.initargs)
            except BaseException as error:
                text = f"the initializer {self.said} {what}: {failure.reason(error)}"
                _made[self.name] = text, _trace(error)
                raise BrokenMPIExecutor(text) from error
        problem = _made[self.name]
        if problem is not None:
            raise BrokenMPIExecutor(problem[0]) from errors.RemoteTraceback(problem[1])


def _trace(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except BaseException:  # its __str__ may do anything
        return failure.reason(error)


class Initialized(Wrapped):
    """A function that runs behind an initializer.

    fn: the user's, or one of ours around it.
    """

    def __init__(self, initializer: Initializer, fn: Callable[..., Any]) -> None:
        super().__init__(fn)
        self._initializer = initializer

    @property
    def beside_function(self) -> dict[str, Any]:
        """The things that travel with the user's function, by what messages call them."""
        initializer = self._initializer
        return {
            f"the initializer {initializer.said}": initializer.initializer,
            f"the arguments of the initializer {initializer.said}": initializer.initargs,
        }

    @only_calls
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._initializer.make()
        return self._fn(*args, **kwargs)
