"""Maps of hostile functions: looking for the place of their code runs nothing of the user's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from scoopmpi.tasks.wrapped import Starred
from tests.farm.test_paces import Program, one, program

__all__ = ["program"]


class Trap(Exception):
    """Code of the user's was run that raises."""


def trap(*_: Any) -> Any:
    raise Trap


class HostileClass:
    __class__ = property(trap)

    def __call__(self, x: int) -> int:
        return x


class HostileAttributes:
    __getattr__ = trap
    __getattribute__ = trap

    def __call__(self, x: int) -> int:
        return x


class HostileHash:
    __hash__ = trap
    __eq__ = trap
    __bool__ = trap

    def __call__(self, x: int) -> int:
        return x


class HostileModule(HostileHash):
    __module__ = HostileHash()


class HostileNames:
    __dict__ = property(trap)

    def __call__(self, x: int) -> int:
        return x


class HostileMeta(type):
    __getattribute__ = trap
    __hash__ = trap
    __instancecheck__ = trap
    __subclasscheck__ = trap


class MadeOfIt(metaclass=HostileMeta):
    pass


class UnhashableWrapped:
    def __init__(self) -> None:
        self.__wrapped__ = HostileHash()

    def __call__(self, x: int) -> int:
        return x


HOSTILE: dict[str, Callable[[], Any]] = {
    "class": HostileClass,
    "attributes": HostileAttributes,
    "hash": HostileHash,
    "module": HostileModule,
    "names": HostileNames,
    "meta": lambda: MadeOfIt,
    "wrapped": UnhashableWrapped,
    "partial": lambda: partial(HostileHash()),
    "starred": lambda: Starred(HostileHash()),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_functions_are_mapped_as_others_are(program: Program, kind: str) -> None:
    function = HOSTILE[kind]()
    program.maps_once(function, 0.25)
    assert program.remembered(function) == 0.25


def test_a_function_around_itself_has_an_end(program: Program) -> None:
    @functools.wraps(one)
    def around(x: int) -> int:
        return x

    around.__wrapped__ = around
    program.maps_once(around, 0.25)
    assert program.remembered(around) == 0.25
