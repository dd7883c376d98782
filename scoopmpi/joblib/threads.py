"""`inner_max_num_threads`: how many threads libraries may use in a call, for as long as it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from joblib.parallel import ParallelBackendBase


def threads_limited(most: int | None) -> AbstractContextManager[None]:
    """Have BLAS, OpenMP and so on use so many threads at most in the block; None changes nothing.

    Libraries that are loaded are told by threadpoolctl, where that is installed (scikit-learn needs
    it); those that are not, and processes that the block starts, by the usual variables.
    """
    return nullcontext() if most is None else _limited(most)


@contextmanager
def _limited(most: int) -> Iterator[None]:
    names = [*ParallelBackendBase.MAX_NUM_THREADS_VARS]
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, str(most)))
    try:
        with _loaded_limited(most):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _loaded_limited(most: int) -> AbstractContextManager[object]:
    try:
        import threadpoolctl  # type: ignore[import-untyped]
    except ImportError:
        return nullcontext()
    limited: AbstractContextManager[object] = threadpoolctl.threadpool_limits(limits=most)
    return limited
