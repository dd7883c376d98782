"""`shared`, as programs call it: on rank 0, on workers, and without a launcher."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scoopmpi import shared
from scoopmpi.constants import local
from scoopmpi.constants.local import LocalConstants
from scoopmpi.process import identity
from tests.constants.test_constants import Asks, Counted, Recorder, constants_backend, opened

__all__ = ["constants_backend"]


def test_what_is_set_is_found() -> None:
    shared.setConst(a=1, f=lambda x: 2 * x)
    assert shared.getConst("a") == 1
    assert shared.getConst("f", timeout=5)(4) == 8


def test_none_is_a_value() -> None:
    shared.setConst(nothing=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert shared.getConst("nothing") is None


def test_a_second_set_sets_nothing() -> None:
    shared.setConst(a=1)
    with pytest.raises(TypeError, match="'a' exists already"):
        shared.setConst(b=2, a=2)
    assert dict(shared.elements) == {"a": 1}


def test_what_cannot_be_pickled_sets_nothing() -> None:
    with pytest.raises(pickle.PicklingError, match="the constant 'b', a generator"):
        shared.setConst(a=1, b=(x for x in "ab"))
    assert not shared.elements


def test_nothing_to_set() -> None:
    shared.setConst()
    assert local.of_this_process.store.count == 0


def test_a_name_that_never_comes_is_none_with_one_warning() -> None:
    with pytest.warns(RuntimeWarning, match="there is no constant") as warned:
        found = [shared.getConst("never", timeout) for timeout in (1e-9, 5, 0.1)]
        found.append(shared.getConst("either"))
    assert found == [None] * 4
    assert [str(each.message).split("'")[1] for each in warned] == ["never", "either"]
    assert warned[0].filename == __file__


def test_a_look_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert shared.getConst("never", timeout=0) is None


@pytest.mark.filterwarnings("ignore:there is no constant")
def test_timeouts_as_waits_take_them(constants_backend: Recorder) -> None:
    for timeout in (0.1, 424.2, 1e-9, 5, 0, -1, float("inf"), 1e300, None, float("nan")):
        assert shared.getConst("never", timeout) is None
    assert constants_backend.waits == [0.1, 424.2, 1e-9, 5, 0, 0, None, None, None, 0]
    with pytest.raises(TypeError):
        shared.getConst("never", "5")  # type: ignore[arg-type]


def test_one_constant_may_need_another_to_be_unpickled() -> None:
    shared.setConst(asks=Asks(), other=5)
    assert shared.getConst("asks").found == 5


def test_setting_while_a_worker_imports_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity.this, "importing", True)
    with pytest.raises(RuntimeError, match='if __name__ == "__main__":'):
        shared.setConst(a=1)


def test_elements_are_a_read_only_mapping() -> None:
    opened.clear()
    shared.setConst(a=1, counted=Counted())
    assert list(shared.elements) == ["a", "counted"]
    assert "counted" in shared.elements and "b" not in shared.elements
    assert shared.elements.get("b") is None and shared.elements["a"] == 1
    assert repr(shared.elements) == "<constants: a, counted>"
    assert opened == [], "nobody has asked for it"
    with pytest.raises(TypeError):
        shared.elements["a"] = 2  # type: ignore[index]


def test_a_function_by_reference() -> None:
    step = 5
    add = shared.SharedElementEncapsulation(lambda x: x + step)
    assert add(1) == 6
    assert pickle.loads(pickle.dumps(add))(2) == 7
    assert len(pickle.dumps(add)) < 200


def test_the_same_function_is_one_constant_and_another_is_another() -> None:
    names = [repr(shared.SharedElementEncapsulation(f)) for f in (abs, len, abs)]
    assert names[0] == names[2] != names[1]
    assert len(shared.elements) == 2


def test_a_method_by_reference() -> None:
    assert shared.SharedElementEncapsulation("a b c".split)() == ["a", "b", "c"]


def test_a_constant_by_name() -> None:
    with pytest.raises(KeyError, match="there is no constant 'f'"):
        shared.SharedElementEncapsulation("f")
    shared.setConst(f=abs)
    assert shared.SharedElementEncapsulation("f")(-2) == 2


def test_who_is_slower_with_the_same_function(
    constants_backend: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(values: Mapping[str, Any]) -> None:
        raise TypeError("exists already, on its way to this rank")

    monkeypatch.setattr(constants_backend, "set", taken)
    shared.SharedElementEncapsulation(abs)
    assert constants_backend.waits == [shared.ON_ITS_WAY_SECONDS]


def test_another_thread_sets_what_one_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "of_this_process", LocalConstants())
    timer = threading.Timer(0.2, lambda: shared.setConst(late=7))
    timer.start()
    assert shared.getConst("late", timeout=30) == 7
    timer.join(20)


@pytest.mark.ranks
@pytest.mark.parametrize("package", ["scoop", "scoopmpi"])
def test_a_program_without_launcher(package: str, tmp_path: Path) -> None:
    program = tmp_path / "serial.py"
    program.write_text(
        f"from {package} import futures, shared\n"
        "def add(x): return x + shared.getConst('step')\n"
        "if __name__ == '__main__':\n"
        "    shared.setConst(step=10)\n"
        "    print(list(futures.map(add, range(3))))\n"
        "    print(shared.getConst('never', timeout=424.2), shared.getConst('no', float('inf')))\n"
    )
    answer = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=60
    )
    assert answer.stdout == "[10, 11, 12]\nNone None\n", answer.stderr
    assert answer.stderr.count("there is no constant") == 2
