"""Which backend joblib takes in a task: each task of a worker has its own answer.

joblib keeps the active backend for each thread. On a worker tasks that wait share one thread with
those that run meanwhile, each in a context of its own; so there the answer is kept by context. A
task that ends while another waits would else leave that one with joblib's own processes.
"""

from __future__ import annotations

import contextvars
from contextlib import AbstractContextManager
from typing import Any

import joblib.parallel
from joblib.parallel import parallel_config

from ..process import identity

_config: contextvars.ContextVar[Any] = contextvars.ContextVar("joblib's active backend")


class ByContext:
    """In the place of the `threading.local` with which joblib remembers its configuration."""

    @property
    def config(self) -> Any:
        """What `parallel_config` has set; AttributeError where it has not."""
        try:
            return _config.get()
        except LookupError:
            raise AttributeError("config") from None

    @config.setter
    def config(self, value: Any) -> None:
        _config.set(value)


def active(backend: Any) -> AbstractContextManager[Any]:
    """Have `Parallel` take a backend in the block where it is told of none."""
    if identity.this.rank and not isinstance(joblib.parallel._backend, ByContext):
        joblib.parallel._backend = ByContext()
    block: AbstractContextManager[Any] = parallel_config(backend=backend)
    return block
