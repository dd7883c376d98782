"""Digests: the same in each run of an unchanged program, others where it would do other things."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy
import pytest

from scoopmpi.checkpoint.digests import described, digest
from scoopmpi.tasks.initializer import Initialized, Initializer
from tests.support.libraries import ROOT

pytestmark = pytest.mark.timeout(60)

PROGRAM = """
import collections, dataclasses, enum, functools
import numpy as np
import tool
from tool import scale
from pack import inner

OFFSET = 3
NAMES = {"a", "b", "c", "delta"}
TABLE = {"x": np.arange(10.0)}

class Color(enum.Enum):
    RED = 1
    BLUE = 2

@dataclasses.dataclass
class Point:
    x: int = 0
    tags: set = dataclasses.field(default_factory=set)

class Model:
    factor = 2
    def __init__(self, names):
        self.names = names
    def fit(self, x):
        return self.helper(x) + OFFSET
    def helper(self, x):
        return even(x) * self.factor
    @property
    def size(self):
        return 5
    @functools.cached_property
    def cost(self):
        return 6
    @staticmethod
    def free(x):
        return x + 7
    @classmethod
    def made(cls, x):
        return cls(x)
    def __call__(self, x):
        return x

def even(n):
    # counts down
    return n == 0 or odd(n - 1)

def odd(n):
    return n != 0 and even(n - 1)

def named(x, names=frozenset(("p", "q", "r"))):
    return x in NAMES or x in {"k", "l", "m", "n"}, [scale(y) for y in x]

def by_module(x):
    return tool.shift(x)

def late(x):
    import tool
    return tool.shift(x)

def package(x):
    return inner.deep(x), TABLE

def outer(power):
    def inside(x, *, plus=1):
        return x ** power + plus
    return inside

@functools.lru_cache
def cached(x):
    return odd(x)

def wrap(fn):
    @functools.wraps(fn)
    def around(*args):
        return fn(*args)
    return around

@wrap
def decorated(x):
    return x + 8

SETS = {even, Color.RED, ("t", 1)}
def in_sets(x):
    return x in SETS

TARGETS = {
    "even": even, "odd": odd, "named": named, "by_module": by_module, "late": late,
    "package": package, "outer": outer(2), "lambda": lambda x: x + OFFSET,
    "partial": functools.partial(odd, n=Color.RED), "method": Model({"u", "v", "w"}).fit,
    "callable": Model([1]), "class": Model, "made": Model.made, "free": Model.free,
    "point": Point(3, {"h", "i", "j"}), "cached": cached, "decorated": decorated,
    "in_sets": in_sets, "abs": abs, "sum": np.sum, "join": ",".join, "mapped": map,
    "counter": collections.Counter("hello"), "sets": [{("a", 1), ("b", 2)}, {1: {"x", None}}],
    "nested": frozenset([frozenset("abc"), frozenset("def")]), "tools": tool,
    "deque": collections.deque(["a"]), "numpy": [np.float64(1.5)] * 20, "color": Color.BLUE,
}
"""
FILES = {
    "prog.py": PROGRAM,
    "tool.py": "import third\ndef scale(x):\n    return x * 2\ndef shift(x):\n"
    "    return x + third.N\n",
    "third.py": "N = 1\n",
    "pack/__init__.py": "",
    "pack/inner.py": "from . import deepest\ndef deep(x):\n    return deepest.down(x)\n",
    "pack/deepest.py": "def down(x):\n    return x - 1\n",
}
ASK = """
import sys
sys.path.insert(0, sys.argv[1])
from prog import TARGETS
from scoopmpi.checkpoint.digests import described
for name, target in TARGETS.items():
    found, _ = described(target)
    print(name, found and found.hex())
"""


def digests(place: Path, seed: int, **changed: tuple[str, str]) -> dict[str, str]:
    """By another interpreter, of the program with a text replaced in some of its files."""
    for name, text in FILES.items():
        old, new = changed.get(name.split("/")[-1].removesuffix(".py"), ("", ""))
        assert old in text
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text.replace(old, new, 1) if old else text)
    env = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(
        [sys.executable, "-c", ASK, str(place)],
        env=env, capture_output=True, text=True, timeout=40, check=True,
    )  # fmt: skip
    return dict(line.split() for line in answer.stdout.splitlines())


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return digests(tmp_path_factory.mktemp("before"), 1)


def test_all_targets_have_a_digest_and_each_its_own(before: dict[str, str]) -> None:
    assert "None" not in before.values()
    assert len(set(before.values())) == len(before) > 25


@pytest.mark.ranks
def test_another_run_gives_the_same(before: dict[str, str], tmp_path: Path) -> None:
    """Elsewhere, with sets in another order, from compiled files the second time."""
    assert digests(tmp_path, 2) == digests(tmp_path, 3) == before


@pytest.mark.ranks
def test_comments_and_lines_do_not_count(before: dict[str, str], tmp_path: Path) -> None:
    comment = ("    # counts down\n", "\n\n    # counts down, slowly\n\n")
    assert digests(tmp_path, 4, prog=comment) == before


CHANGES = {
    "a constant in a function": (
        {"prog": ("return n == 0 or", "return n == 2 or")},
        {"even", "odd", "partial", "method", "callable", "class", "made", "cached", "in_sets"},
    ),
    "a global": (
        {"prog": ("OFFSET = 3", "OFFSET = 4")},
        {"lambda", "method", "callable", "class", "made"},
    ),
    "a global set": ({"prog": ('"delta"}', '"epsilon"}')}, {"named"}),
    "a set in the code": ({"prog": ('"m", "n"}', '"m", "o"}')}, {"named"}),
    "a default": ({"prog": ('"q", "r"', '"q", "s"')}, {"named"}),
    "a keyword's default": ({"prog": ("plus=1", "plus=2")}, {"outer"}),
    "what is closed over": ({"prog": ("outer(2)", "outer(3)")}, {"outer"}),
    "an attribute of a class": (
        {"prog": ("factor = 2", "factor = 3")}, {"method", "callable", "class", "made"}
    ),
    "a property": ({"prog": ("return 5", "return 50")}, {"method", "callable", "class", "made"}),
    "a cached property": (
        {"prog": ("return 6", "return 60")}, {"method", "callable", "class", "made"}
    ),
    "a static method": (
        {"prog": ("x + 7", "x + 70")}, {"method", "callable", "class", "made", "free"}
    ),
    "state": ({"prog": ('"u", "v"', '"u", "y"')}, {"method"}),
    "below a decorator": ({"prog": ("x + 8", "x + 9")}, {"decorated"}),
    "an array": ({"prog": ("np.arange(10.0)", "np.arange(11.0)")}, {"package"}),
    "a function of another module": ({"tool": ("x * 2", "x * 3")},
                                     {"named", "late", "tools"}),
    "a module behind a module": ({"third": ("N = 1", "N = 2")}, {"by_module", "late", "tools"}),
    "a module in a package": ({"deepest": ("x - 1", "x - 2")}, {"package"}),
}  # fmt: skip


@pytest.mark.ranks
@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_seen_where_it_matters_and_nowhere_else(
    before: dict[str, str], tmp_path: Path, what: str
) -> None:
    changed, expected = CHANGES[what]
    after = digests(tmp_path, 5, **changed)
    assert {name for name in before if after[name] != before[name]} == expected


def test_equal_values_have_equal_digests_whether_or_not_they_are_one_object() -> None:
    text = "".join(["a ", "b"])
    assert digest([text, text]) == digest(["a b", "".join(["a", " b"])])
    assert digest({"x", "y"}, 1) == digest({"y", "x"}, 1) != digest({"y", "x", "z"}, 1)
    assert digest({1: {("a", 2), ("b", 3)}}) == digest({1: {("b", 3), ("a", 2)}})


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (1, True), (0.0, -0.0), ("1", 1), ([1], (1,)), ({1}, frozenset({1})), ({}, set()),
     (b"a", "a"), ({1: 2, 3: 4}, {3: 4, 1: 2}), (None, 0), ([[1], 2], [1, [2]]),
     (range(3), [0, 1, 2]),
     (numpy.zeros(9000), numpy.zeros(9000, "f4")), (numpy.zeros(4), numpy.zeros((2, 2))),
     ([numpy.float64(2)] * 20, [numpy.float32(2)] * 20), ([numpy.float64(2)] * 20, [2.0] * 20)],
    ids=repr,
)  # fmt: skip
def test_values_that_differ_have_other_digests(one: Any, other: Any) -> None:
    assert len({digest(one), digest(other), digest(one, one), digest([one])}) == 4


class Hostile:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __reduce__(self) -> Any:
        raise self.error


@pytest.mark.parametrize(
    "value", [threading.Lock(), Hostile(ValueError("no")), Hostile(SystemExit(1)), (x for x in ())]
)
def test_what_cannot_be_pickled_has_no_digest(value: Any) -> None:
    assert digest(value) is None and digest([1, {2: value}]) is None
    assert described(functools.partial(abs, value))[0] is None


def test_circles_and_things_in_common_end() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert digest(circle) == digest(circle) is not None
    doubled: Any = []
    for _ in range(50):
        doubled = [doubled, doubled]
    assert digest(doubled) is not None
    deep: list[Any] = []
    for _ in range(100000):
        deep = [deep]
    assert digest(deep) is None
    while deep:  # or taking it down would be too deep as well
        deep = deep[0]


def test_an_initializer_counts_and_the_name_of_its_preparation_does_not() -> None:
    found = [described(Initialized(Initializer(print, [x]), abs))[0] for x in (1, 1, 2)]
    assert found[0] == found[1] != found[2] and None not in found


counts: dict[int, int] = {}


def counting(x: int) -> int:
    counts[x] = 1
    return x


def test_what_rank_0_changes_in_globals_never_reaches_workers_and_does_not_count() -> None:
    first = described(counting)[0], digest(counting, 1)
    counting(5)
    assert (described(counting)[0], digest(counting, 1)) == first
    assert described(lambda x: counts)[0] != described(lambda x: counting)[0]
    shown = []
    for x in (6, 7):
        shown.append(described(lambda: counts)[0])  # travels with what it reads
        counting(x)
    assert shown[0] != shown[1]


@pytest.mark.parametrize("kind", [int, str])
def test_plain_columns_take_as_long_as_their_pickle(kind: type) -> None:
    column = [kind(x) for x in range(10**6)]
    seconds = []
    for _ in range(5):
        begun = time.thread_time()
        assert digest(column)
        seconds.append(time.thread_time() - begun)
    assert min(seconds) < 0.3  # 0.04 s where nothing else runs
