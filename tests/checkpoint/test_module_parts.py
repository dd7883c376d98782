"""What counts of a module of the program: what a function uses of it, and never less than that."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoopmpi.checkpoint.digests import described

pytestmark = pytest.mark.timeout(60)

LIB = """
import math
import numpy as np
from other import borrowed, NUMBER
import other

DAMP = 0.2
UNUSED = 5
WIDE = np.linspace(0, 1, 5)
TABLE = {"a": [1, 2], "b": (3, DAMP)}
SCALED = [x * DAMP for x in range(3)]
PATH = __file__ and "x"
BUILT = other.build(3)

def helper(x):
    # doubles
    return x * DAMP

def lonely(x):
    return x + UNUSED

@other.noted
def wrapped(x):
    return x - 1

class Plain:
    size = 3
    def grow(self, x):
        return x * self.size

class Lonely:
    size = 4
    def shrink(self, x):
        return x / self.size

if __name__ == "__main__":
    print("here")
"""
OTHER = """
NUMBER = 7
SEEN = []
def borrowed(x):
    return x * NUMBER
def build(n):
    return list(range(n))
def noted(f):
    SEEN.append(f)
    return f
"""
MAIN = """
import sys
import lib
import pack.inner
from lib import SCALED

def constant(x): return x * lib.DAMP
def called(x): return lib.helper(x)
def table(x): return lib.TABLE["a"], lib.TABLE
def scaled(x): return lib.SCALED
def made(x): return lib.BUILT
def borrowed(x): return lib.borrowed(x)
def behind(x): return lib.other.NUMBER
def wrapped(x): return lib.wrapped(x)
def grows(x): return lib.Plain().grow(x)
def wide(x): return lib.WIDE
def nested(x): return pack.inner.LEVEL
def computed(x): return getattr(lib, "DA" + "MP")
def stored(x):
    lib.DAMP = x
    return lib.helper(x)
def passed(x): return sorted([lib], key=id)
def listed(x): return [m.DAMP for m in MODULES]
def chosen(x):
    y = (lib if x else sys)
    return y.DAMP
def inside(x): return [(lambda: lib.DAMP)() for _ in range(x)]
MODULES = [lib]
"""
INNER = "LEVEL = 3\nOTHER = 4\n"
FUNCTIONS = (
    "constant", "called", "table", "scaled", "made", "borrowed", "behind", "wrapped", "grows",
    "wide", "nested", "computed", "stored", "passed", "listed", "chosen", "inside",
)  # fmt: skip
WHOLE = {"computed", "stored", "passed", "listed", "chosen"}
"""Those of which nobody can say what they use."""
ALL = {*FUNCTIONS} - {"nested"}
"""What uses anything of lib."""
EVERY = {*FUNCTIONS}
"""Where a module does more than bind names: who imports it may depend on it, or on its order."""


def digests(place: Path, **changes: tuple[str, str]) -> dict[str, bytes | None]:
    """The digest of each function of a program with a text replaced in some of its files."""
    files = {"lib": LIB, "other": OTHER, "main_program": MAIN, "pack/__init__": "",
             "pack/inner": INNER}  # fmt: skip
    for name, text in files.items():
        old, new = changes.get(name.rpartition("/")[2], ("", ""))
        assert old in text
        (place / "pack").mkdir(exist_ok=True)
        (place / f"{name}.py").write_text(text.replace(old, new, 1) if old else text)
    names = ("lib", "other", "main_program", "pack", "pack.inner")
    for name in names:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    program = importlib.import_module("main_program")
    return {name: described(getattr(program, name))[0] for name in FUNCTIONS}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in ("lib", "other", "main_program", "pack", "pack.inner"):
        sys.modules.pop(name, None)


CHANGES: dict[str, tuple[dict[str, tuple[str, str]], set[str]]] = {
    "a constant that few use": ({"lib": ("UNUSED = 5", "UNUSED = 6")}, WHOLE),
    "a comment": ({"lib": ("# doubles", "# doubles it")}, WHOLE),
    "what runs as a program": ({"lib": ('print("here")', 'print("there")')}, WHOLE),
    "a constant": (
        {"lib": ("DAMP = 0.2", "DAMP = 0.4")},
        WHOLE | {"constant", "called", "table", "scaled", "inside"},
    ),
    "a new constant": ({"lib": ("UNUSED = 5", "UNUSED = 5\nNEW = 'x'")}, WHOLE),
    "a function": ({"lib": ("return x * DAMP", "return x + DAMP")}, WHOLE | {"called"}),
    "a function that nobody calls": ({"lib": ("x + UNUSED", "x - UNUSED")}, WHOLE),
    "a class": ({"lib": ("size = 3", "size = 5")}, WHOLE | {"grows"}),
    "a class that nobody uses": ({"lib": ("size = 4", "size = 5")}, WHOLE),
    "an array": ({"lib": ("(0, 1, 5)", "(0, 1, 6)")}, WHOLE | {"wide"}),
    "what makes a constant": (
        {"other": ("list(range(n))", "list(range(n + 1))")}, WHOLE | {"made"}
    ),
    "what is borrowed": ({"other": ("NUMBER = 7", "NUMBER = 8")}, WHOLE | {"borrowed", "behind"}),
    "something done at import": (
        {"lib": ("UNUSED = 5", "UNUSED = 5\nnp.seterr(all='warn')")}, EVERY
    ),
    "something done in a loop": (
        {"lib": ("UNUSED = 5", "UNUSED = 5\nfor DAMP in (1, 2): pass")}, ALL
    ),
    "something done further off": ({"other": ("SEEN = []", "SEEN = []\nSEEN.append(1)")}, EVERY),
    "another module's star": ({"lib": ("UNUSED = 5", "from math import *")}, ALL),
    "a global that functions set": (
        {"lib": ("    return x + UNUSED", "    global DAMP\n    DAMP = x")}, ALL
    ),
    "in a package": ({"inner": ("LEVEL = 3", "LEVEL = 4")}, {"nested"}),
    "in a package, unused": ({"inner": ("OTHER = 4", "OTHER = 5")}, set()),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_used_counts_and_nothing_else(place: Path, what: str) -> None:
    changes, expected = CHANGES[what]
    before, after = digests(place), digests(place, **changes)
    assert None not in before.values()
    assert digests(place) == before
    assert {name for name in FUNCTIONS if before[name] != after[name]} == expected


PUT = {
    "at the program's top": ("MODULES = [lib]", "MODULES = [lib]\nlib.helper = lambda x: x + 1"),
    "by setattr": ("MODULES = [lib]", "MODULES = [lib]\nsetattr(lib, 'helper', max)"),
    "a constant": ("MODULES = [lib]", "MODULES = [lib]\nlib.DAMP = 77"),
}


@pytest.mark.parametrize("how", PUT)
def test_what_the_program_puts_into_a_module_counts(place: Path, how: str) -> None:
    before = digests(place)
    after = digests(place, main_program=PUT[how])
    assert before["called"] != after["called"]
    old, new = PUT[how]
    if "+ 1" in new:  # and so does what it puts there
        changed = digests(place, main_program=(old, new.replace("+ 1", "+ 2")))
        assert changed["called"] != after["called"]


def test_where_a_module_was_changed_here_alone_its_source_counts(place: Path) -> None:
    """Workers have it as it is in the file."""
    found = []
    for text in ("x * DAMP", "x + DAMP"):
        digests(place, lib=("x * DAMP", text))
        program, lib = sys.modules["main_program"], sys.modules["lib"]
        lib.helper = max  # type: ignore[attr-defined]
        fresh = importlib.reload(program)
        found.append(described(fresh.called)[0])
    assert found[0] != found[1]


def test_a_package_without_a_file_counts_with_its_modules(place: Path) -> None:
    (place / "space").mkdir()
    program = "import space.part\ndef f(x): return space.part.g(x)\ndef h(x): return [space]\n"
    (place / "main_program.py").write_text(program)
    found = []
    for text in ("x + 1", "x + 2"):
        (place / "space" / "part.py").write_text(f"def g(x):\n    return {text}\n")
        for name in ("space", "space.part", "main_program"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        module = importlib.import_module("main_program")
        found.append((described(module.f)[0], described(module.h)[0]))
    assert found[0][0] != found[1][0] and found[0][1] != found[1][1]


def test_what_rank_0_alone_has_changed_hides_no_change_of_the_program(place: Path) -> None:
    """Below the main guard, say: workers have the value that the module gives it."""
    found = []
    for damp in ("0.2", "0.4"):
        digests(place, lib=("DAMP = 0.2", f"DAMP = {damp}"))
        lib, program = sys.modules["lib"], sys.modules["main_program"]
        lib.DAMP = 7  # type: ignore[attr-defined]
        fresh = importlib.reload(program)
        found.append((described(lib.helper)[0], described(fresh.constant)[0]))  # type: ignore[attr-defined]
    assert found[0][0] != found[1][0] and found[0][1] != found[1][1]


def test_what_cannot_be_pickled_counts_by_the_statement_that_makes_it(place: Path) -> None:
    found = []
    for name in ("a", "b"):
        text = f"import threading\nLOCKS = {{'{name}': threading.Lock()}}\ndef f(x): return LOCKS\n"
        (place / "main_program.py").write_text(text)
        sys.modules.pop("main_program", None)
        importlib.invalidate_caches()
        found.append(described(importlib.import_module("main_program").f)[0])
    assert None not in found and found[0] != found[1]


def test_the_state_of_an_object_in_a_module_counts(place: Path) -> None:
    (place / "settings.py").write_text("class S:\n    damp = 1\n    other = [1]\nS = S()\n")
    (place / "main_program.py").write_text("import settings\ndef f(x): return settings.S.damp\n")
    found = []
    for damp in (2, 3):
        for name in ("settings", "main_program"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        program = importlib.import_module("main_program")
        sys.modules["settings"].S.damp = damp  # type: ignore[attr-defined]
        found.append(described(program.f)[0])
    sys.modules.pop("settings")
    assert found[0] != found[1]
