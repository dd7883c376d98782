"""What a program defines is a member of `__main__` on workers too; what it imports is not."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from scoopmpi.program import naming

SOURCE = """
import dataclasses, enum, functools
from os.path import join

def plain(): pass

@functools.wraps(plain)
def wrapped(): return plain()

cached = functools.lru_cache(plain)
unnamed = lambda: 0

class Outer:
    def method(self): pass
    @staticmethod
    def static(): pass
    @classmethod
    def of_class(cls): pass
    class Inner:
        def method(self): pass

@dataclasses.dataclass
class Point:
    x: int

class Color(enum.Enum):
    RED = 1

class Hostile(type):
    def __getattribute__(cls, name): raise ValueError(name)

class Strange(metaclass=Hostile): pass

class Refuses:
    def __getattr__(self, name): raise ZeroDivisionError(name)

instance, refuses = Outer(), Refuses()
"""


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    module = types.ModuleType("worker_name")
    monkeypatch.setitem(sys.modules, "worker_name", module)
    exec(compile(SOURCE, "program.py", "exec"), vars(module))
    naming.as_main(module, "worker_name")
    return module


def test_functions_and_classes_say_main_at_every_depth(module: Any) -> None:
    found = [
        module.plain, module.wrapped, module.cached, module.unnamed, module.Outer,
        module.Outer.method, module.Outer.static, module.Outer.of_class, module.Outer.Inner,
        module.Outer.Inner.method, module.Point, module.Point.__init__, module.Color,
    ]  # fmt: skip
    assert {each.__module__ for each in found} == {"__main__"}


def test_the_guard_and_what_belongs_to_others_stay(module: Any) -> None:
    assert module.__name__ == "worker_name"
    assert module.join.__module__ == "posixpath"
    assert module.dataclasses.dataclass.__module__ == "dataclasses"
    assert "__module__" not in vars(module.instance)
