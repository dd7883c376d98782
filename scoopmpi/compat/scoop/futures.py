"""`scoop.futures`: the functions of `scoopmpi.futures`, and what programs have looked at beside."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

import scoopmpi.futures
from scoopmpi.futures import *  # noqa: F403 (the same names, whatever they are)
from scoopmpi.futures import __all__ as __all__
from scoopmpi.futures import as_completed, submit
from scoopmpi.process import identity

from ._types import CallbackType as CallbackType
from .fallbacks import NotStartedProperly as NotStartedProperly
from .fallbacks import ensureScoopStartedProperly as ensureScoopStartedProperly
from .fallbacks import (
    ensureScoopStartedProperlyMapFallback as ensureScoopStartedProperlyMapFallback,
)

_AS_COMPLETED = "_AS_COMPLETED"
callbackGroupID = itertools.count()


class Controller:
    """Stands for SCOOP's controlling greenlet; programs ask only whether there is one."""

    dead = False

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<scoopmpi's farm, seen from rank {identity.this.rank}>"


_the_controller = Controller()


def _startup(rootFuture: Callable[..., Any], *args: Any, **kargs: Any) -> Any:
    """Call a function and return its value: what SCOOP's launcher does with the program."""
    return rootFuture(*args, **kargs)


def _mapFuture(callable_: Callable[..., Any], *iterables: Iterable[Any]) -> list[Any]:
    """A future for each call, in order."""
    return [submit(callable_, *args) for args in zip(*iterables, strict=False)]


def _waitAny(*children: Any) -> Iterator[Any]:
    """Yield the futures as they are done; raises what the first has raised that did."""
    for future in as_completed(children):
        future.result()
        yield future


def _waitAll(*children: Any) -> Iterator[Any]:
    """Yield the futures in their order, each when it is done; raises what one has raised."""
    for future in children:
        future.result()
        yield future


def _join(child: Any) -> Any:
    """A future's value."""
    return child.result()


def _joinAll(*children: Any) -> list[Any]:
    """Return the values of futures, in their order."""
    return [future.result() for future in children]


def __getattr__(name: str) -> Any:
    return getattr(scoopmpi.futures, name)


class _Module(ModuleType):
    """This module, with a `_controller` that is what it is at the time of asking.

    Programs read it from the module's dictionary too, where only a value can be. So it is put there
    as the module is imported, by when the ranks of a job know each other, and at each question.
    """

    @property
    def _controller(self) -> Controller | None:
        found = _the_controller if identity.this.started else None
        vars(self)["_controller"] = found
        return found


sys.modules[__name__].__class__ = _Module
_ = sys.modules[__name__]._controller
