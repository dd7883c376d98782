"""Where a task fails for want of a global that only rank 0 sets, its error names the global."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from scoopmpi.program import below_guard
from scoopmpi.program.naming import WORKER_NAME
from tests.support.libraries import Library
from tests.support.starting import MYSCOOP, start

LIBRARY = """
DATA = None
TABLE = None
lazy = None
def load():
    global DATA
    DATA = [1]
def unused():
    global TABLE
    TABLE = {}
def data(): return DATA[0]
def table(): return TABLE[0]
"""
PROGRAM = """
import lib
from lib import load
data = None
cache = {}
rows = []
lazy = None
count = 3
def none(): return data[0]
def missing(): return [other + 1 for _ in range(2)]
def empty(): return cache["a"]
def unfilled(): return rows[0]
def in_function(): return deep
def imported(): return np
def defined(): return helper()
def in_module(): return lib.EXTRA
def of_module(): return lib.lazy.value
def through_library(): return lib.data()
def library_alone(): return lib.table()
def inner(): return (lambda: data + 1)()
def asked():
    global lazy
    if lazy is None:
        lazy = int("x")
def own():
    data = None
    return data[0]
def other_error(): return 1 / (count - 3)
def misspelt(): return coutn
def handed_on():
    global of_a_task
    of_a_task = 1
def reads_of_a_task(): return of_a_task
def quiet(): return int("x") if data is None else data
def main():
    below(1)
    cache.update(a=1)
def below(rows):
    global deep
    deep = 5
    rows.append(1)
    lib.EXTRA = 5
class Settings:
    table = None
    kept = 3
settings = Settings()
settings.rows = []
class Task:
    def run(self):
        return data.mean()
def method(): return Task().run()
def of_class(): return Settings.table[0]
def of_object(): return settings.rows[0]
def well_set(): return Settings.kept[0]
if sys.argv and __name__ == "__main__":
    import numpy as np
    with open("x") as other:
        data: list = [1]
    for count in range(9): rows.append(count)
    lib.lazy = 3
    map(handed_on, "ab")
    Settings.table = {}
    Settings.kept = 4
    settings.rows += [3]
    def helper(): pass
    if other:
        main()
        load()
        asked()
"""
NOTES = {
    "none": "`data` is None on workers: the program sets it below its main guard (line 58)",
    "missing": "`other` is missing on workers: the program sets it below its main guard (line 57)",
    "empty": "`cache` is empty on workers: the program sets it in main() (line 37), called below",
    "unfilled": "`rows` is empty on workers: the program sets it below its main guard (line 59)",
    "in_function": "`deep` is missing on workers: the program sets it in below() (line 40), called",
    "imported": "`np` is missing",
    "defined": "`helper` is missing",
    "in_module": "`lib.EXTRA` is missing on workers: the program sets it in below() (line 42)",
    "of_module": "`lib.lazy` is None on workers",
    "through_library": "`DATA` is None on workers: the program sets it in load() (line 7 of",
    "inner": "`data` is None",
    "method": "`data` is None",
    "quiet": "`data` is None",
    "of_class": "`Settings.table` is None on workers",
    "of_object": "`settings.rows` is empty on workers",
    "well_set": None,
    "library_alone": None,
    "asked": None,
    "own": None,
    "other_error": None,
    "misspelt": None,
    "reads_of_a_task": None,
}


def loaded(name: str, path: Path, text: str, **more: object) -> ModuleType:
    path.write_text(text)
    module = ModuleType(name)
    vars(module).update(__file__=str(path), sys=sys, **more)
    exec(compile(text, str(path), "exec"), vars(module))
    return module


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program as a worker has it: imported, without what stands below its guard."""
    library = loaded("lib", tmp_path / "lib.py", LIBRARY)
    monkeypatch.setitem(sys.modules, "lib", library)
    found = loaded(WORKER_NAME, tmp_path / "program.py", PROGRAM)
    monkeypatch.setitem(sys.modules, "__main__", found)
    return found


def raised(task: Callable[[], object]) -> Exception:
    try:
        task()
    except Exception as error:
        return error
    raise AssertionError("it has not failed")


@pytest.mark.parametrize("name", NOTES)
def test_the_note_names_what_only_rank_0_sets(program: ModuleType, name: str) -> None:
    expected, found = NOTES[name], below_guard.missing(raised(getattr(program, name)))
    if expected is None:
        assert found is None
    else:
        assert found is not None and found.startswith(expected)
        assert found.endswith("brings it to workers, or set it above the guard.")


def test_nothing_is_said_where_there_is_no_source(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = raised(program.none)
    assert below_guard.missing(error) is not None
    assert below_guard.missing(ValueError("never raised")) is None
    with monkeypatch.context() as patch:
        patch.delattr(program, "__file__")
        assert below_guard.missing(error) is None, "a shell"
    monkeypatch.setattr(program, "__name__", "__main__")
    assert below_guard.missing(error) is None, "rank 0, or a program that all ranks run"


SHOWN = """
from scoopmpi import futures
data = None
def read(x): return data[x]
if __name__ == "__main__":
    data = [1, 2]
    print(*futures.map(read, range(2)))
"""


@pytest.mark.first
@pytest.mark.timeout(60)
def test_a_user_sees_it_in_the_traceback(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "shown.py").write_text(SHOWN)
    done = start(first_library, [*MYSCOOP, "-n", "1", "shown.py"], cwd=tmp_path, timeout=40)
    assert done.returncode == 1
    assert "\n`data` is None on workers: the program sets it below its main guard" in done.stderr
