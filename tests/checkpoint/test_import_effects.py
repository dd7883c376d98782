"""What a pickle does not show counts too: what the import of a program's modules does and makes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoopmpi.checkpoint.digests import described

pytestmark = pytest.mark.timeout(60)
MAIN = """
import contextlib, decimal, functools, importlib, sys, threading
import numpy as np
import lib
"""
LIB = """
import decimal, threading
DAMP = 20
UNUSED = 20
class Locked:
    def __init__(self, v): self.v, self.lock = v, threading.Lock()
LOCKED = Locked(20)
def third(x): return decimal.Decimal(1) / 3 * x
def setup():
    return inner()
def inner():
    decimal.getcontext().prec = 20
    return 1
"""
THIRD = "\ndef f(x): return decimal.Decimal(1) / 3\n"
SET = "    decimal.getcontext().prec = 20\n"
LOCKED = "class M:\n    def __init__(self, v): self.v, self.lock = v, threading.Lock()\n"
SHY = "class M:\n    def __init__(self, v): self.v = v\n    def __getstate__(self): return {}\n"
NAMED = "class M:\n    def __init__(self, v): self.v = v\n    def __reduce__(self): return 'm'\n"
STAR = "from lib import *\n"

# A program in which 20 becomes 40.
SEEN = {
    "a precision": f"decimal.getcontext().prec = 20{THIRD}",
    "a precision by a constant": f"P = 20\ndecimal.getcontext().prec = P{THIRD}",
    "by a function": f"def setup():\n{SET}setup(){THIRD}",
    "by a function with a value": f"def setup():\n{SET}    return 1\nDONE = setup(){THIRD}",
    "by a class": f"class Setup:\n  def __init__(self):\n{SET}\nDONE = Setup(){THIRD}",
    "by a lambda": "use = lambda p: decimal.setcontext(decimal.Context(prec=p))\n"
    f"DONE = use(20){THIRD}",
    "under a condition": f"if True:\n{SET}{THIRD}",
    "in a loop": f"for p in [20]:\n    decimal.getcontext().prec = p{THIRD}",
    "in a comprehension": f"[setattr(decimal.getcontext(), 'prec', p) for p in [20]]{THIRD}",
    "an attribute of a library": "np.mine = 20\ndef f(x): return np.mine\n",
    "an object with a lock": f"{LOCKED}m = M(20)\ndef f(x): return m.v\n",
    "a dictionary with a lock": "m = dict(v=20, l=threading.Lock())\ndef f(x): return m['v']\n",
    "a pickle that says less": f"{SHY}m = M(20)\ndef f(x): return m.v\n",
    "a pickle that is a name": f"{NAMED}m = M(20)\ndef f(x): return m.v\n",
    "a default with a lock": f"{LOCKED}\ndef f(x, m=M(20)): return m.v\n",
    "a keyword's default": f"{SHY}\ndef f(x, *, m=M(20)): return m.v\n",
    "an attribute of a class": f"{LOCKED}class K:\n    m = M(20)\ndef f(x): return K.m.v\n",
    "in a decorator": f"{LOCKED}def around(m):\n    def wrap(fn):\n        @functools.wraps(fn)\n"
    "        def g(x): return m.v\n        return g\n    return wrap\n"
    "@around(M(20))\ndef f(x): pass\n",
    "a function of numpy": "u = np.frompyfunc(lambda x: x * 20, 1, 1)\ndef f(x): return u(x)\n",
    "a generator": "g = (x * 20 for x in range(3))\ndef f(x): return next(g)\n",
    "below a library's decorator": "@contextlib.contextmanager\ndef g():\n    yield 20\n"
    "def f(x):\n    with g() as v: return v\n",
    "below one, called": "@contextlib.contextmanager\ndef f(x):\n    yield 20\n",
    "by type": "@functools.singledispatch\ndef f(x): return x\n@f.register\n"
    "def _(x: int): return 20\n",
    "subclasses": "class B: pass\nclass K(B):\n    v = 20\n"
    "def f(x): return [k.v for k in B.__subclasses__()]\n",
    "globals()": "D = 20\ndef f(x): return globals()['D']\n",
    "eval": "D = 20\ndef f(x): return eval('D')\n",
    "the module's own name": "D = 20\ndef f(x): return sys.modules[__name__].D\n",
    "changed below the guard": "D = 20\ndef f(x): return D\nif __name__ == '__main__': D = 1\n",
    "changed in main()": "D = {'a': 20}\ndef f(x): return D\ndef main(): D['a'] = 1\n",
    "an annotation": "class K:\n    a: 'v20'\ndef f(x): return K.__annotations__\n",
}  # fmt: skip
SEEN_IN_LIB = {
    "a lock behind import *": f"{STAR}def f(x): return LOCKED.v\n",
    "an imported lock": "from lib import LOCKED\ndef f(x): return LOCKED.v\n",
    "sys.modules": "def f(x): return sys.modules['lib'].DAMP\n",
    "import_module": "def f(x): return importlib.import_module('li' + 'b').DAMP\n",
    "__import__": "def f(x): return __import__('lib').DAMP\n",
    "called there": f"lib.setup(){THIRD}",
    "called there for its value": f"DONE = lib.setup(){THIRD}",
    "an imported function that is called": f"from lib import setup\nDONE = setup(){THIRD}",
    "a precision by its constant": f"decimal.getcontext().prec = lib.DAMP{THIRD}",
}
# What does not count, or a program could never change without losing all.
UNSEEN = {
    "an unused constant": "UNUSED = 20\ndef f(x): return x\n",
    "an unused function": "def unused(): return 20\ndef f(x): return x\n",
    "a call for its value": "DATA = np.zeros(20).sum()\ndef f(x): return x\n",
    "an object that is not used": f"{LOCKED}m = M(20)\ndef f(x): return x\n",
    "a decorated function": "def wrap(fn):\n    @functools.wraps(fn)\n    def g(x): return fn(x)\n"
    "    return g\n@wrap\ndef unused(x): return 20\ndef f(x): return x\n",
    "a derived class": "class B: pass\nclass K(B):\n    v = 20\ndef f(x): return x\n",
    "behind the guard": "def f(x): return x\nif __name__ == '__main__':\n    print(20)\n",
    "what main() does": "def main():\n    print(20)\n    lib.inner()\ndef f(x): return x\n",
    "the time": "import time\nSTART = time.time()\nprint('from', START)\ndef f(x): return x # 20\n",
}  # fmt: skip


def digest(place: Path, main: str, lib: str = LIB) -> bytes | None:
    (place / "main_program.py").write_text(MAIN + main)
    (place / "lib.py").write_text(lib)
    for name in ("main_program", "lib"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    return described(importlib.import_module("main_program").f)[0]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import decimal

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with decimal.localcontext():
        yield
    for name in ("main_program", "lib"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("what", SEEN)
def test_what_a_change_can_be_seen_by(tmp_path: Path, what: str) -> None:
    before = digest(tmp_path, SEEN[what])
    assert before is not None and digest(tmp_path, SEEN[what]) == before
    assert digest(tmp_path, SEEN[what].replace("20", "40")) != before


@pytest.mark.parametrize("what", SEEN_IN_LIB)
def test_what_is_in_another_module(tmp_path: Path, what: str) -> None:
    before = digest(tmp_path, SEEN_IN_LIB[what])
    assert before is not None and digest(tmp_path, SEEN_IN_LIB[what]) == before
    assert digest(tmp_path, SEEN_IN_LIB[what], LIB.replace("20", "40")) != before


@pytest.mark.parametrize("what", UNSEEN)
def test_what_does_not_count(tmp_path: Path, what: str) -> None:
    before = digest(tmp_path, UNSEEN[what])
    after = digest(tmp_path, UNSEEN[what].replace("20", "40"))
    assert before is not None and after == before


def test_what_the_import_of_an_imported_module_does(tmp_path: Path) -> None:
    for program in (THIRD, "from lib import third\ndef f(x): return third(x)\n"):
        before = digest(tmp_path, program)
        assert digest(tmp_path, program, LIB.replace("UNUSED = 20", "UNUSED = 40")) == before
        assert digest(tmp_path, program, f"{LIB}decimal.getcontext().prec = 9\n") != before
