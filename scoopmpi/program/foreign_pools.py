"""A word to programs that make a pool of mpi4py.futures beside the farm that runs them.

Such a pool starts processes of its own, or waits for ranks that run tasks of ours and never come.
Only its making is told of: libraries import mpi4py.futures and make none. Nothing of mpi4py is
imported here, and nothing is changed before the program itself imports it.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from ..process import identity
from ..process.users_line import warn

_MODULE = "mpi4py.futures"
_TOLD = {
    "MPIPoolExecutor": "starts processes of its own beside the {workers} of this farm, on the same "
    "cores. Ours has its names and keywords: from scoopmpi import MPIExecutor as MPIPoolExecutor",
    "MPICommExecutor": "waits for ever, as the {workers} of this farm run tasks and do not enter "
    "its block. Ours has its names and keywords: from scoopmpi import MPICommExecutor",
}


def look_out() -> None:
    """Watch for mpi4py.futures from here on; called on rank 0 before the program runs."""
    if _MODULE in sys.modules:
        _watch(sys.modules[_MODULE])
    else:
        sys.meta_path.insert(0, Finder)


class Finder:
    """Finds mpi4py.futures as Python would, and has its pools tell when they are made."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return None for all other modules, so that the other finders go on."""
        if name != _MODULE:
            return None
        sys.meta_path.remove(cls)
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        loader: Any = spec.loader
        run = loader.exec_module

        def run_and_watch(module: ModuleType) -> None:
            run(module)
            _watch(module)

        loader.exec_module = run_and_watch
        return spec


def _watch(module: ModuleType) -> None:
    for name, text in _TOLD.items():
        found = getattr(module, name, None)
        if isinstance(found, type):
            kind: Any = found
            kind.__init__ = _telling(kind.__init__, name, text)


def _telling(init: Callable[..., None], name: str, text: str) -> Callable[..., None]:
    @functools.wraps(init)
    def telling(self: Any, /, *args: Any, **kwargs: Any) -> None:
        if identity.this.rank == 0 and identity.this.tells(_MODULE):
            count = identity.this.size - 1
            workers = f"{count} worker{'s' if count > 1 else ''}"
            warn(f"mpi4py.futures.{name} {text.format(workers=workers)}")
        init(self, *args, **kwargs)

    return telling
