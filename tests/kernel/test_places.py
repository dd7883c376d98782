"""Where in which cell a task has failed."""

from __future__ import annotations

import linecache
from typing import Any

from scoopmpi.kernel.places import Places

CELL = """\
import functools

def outer(x):
    def inner(y):
        return 1 / y
    return inner(x)

class Model:
    def run(self): return 1 / 0
    @staticmethod
    def alone(): return 2 / 0
"""
FILE = "/tmp/ipykernel_1/2.py"


def places() -> Places:
    names: dict[str, Any] = {}
    exec(compile(CELL, FILE, "exec"), names)
    linecache.cache[FILE] = len(CELL), None, CELL.splitlines(keepends=True), FILE
    return Places(lambda: names, {FILE: 3}.get)


def at(line: int, name: str) -> str:
    return f'  File "<dynamic-code>", line {line}, in {name}\nZeroDivisionError\n'


def test_a_line_of_a_cell_is_shown() -> None:
    made = places()
    for line, name, source in (
        (5, "inner", "return 1 / y"), (6, "outer", "return inner(x)"),
        (9, "run", "def run(self): return 1 / 0"), (11, "alone", "def alone(): return 2 / 0"),
    ):  # fmt: skip
        shown = made.filled_in(at(line, name))
        assert shown == f"  Cell In[3], line {line}, in {name}\n    {source}\nZeroDivisionError\n"


def test_what_is_not_of_a_cell_stays_as_it_is() -> None:
    made = places()
    for text in (at(5, "other"), at(99, "inner"), 'File "model.py", line 5, in inner\n', ""):
        assert made.filled_in(text) == text


def test_a_file_that_is_no_cell_is_named() -> None:
    names: dict[str, Any] = {}
    exec(compile("def f(): 1 / 0", "/nowhere/script.py", "exec"), names)
    made = Places(lambda: names, {}.get)
    assert 'File "/nowhere/script.py", line 1, in f' in made.filled_in(at(1, "f"))
