"""Errors of pickling over the in-memory link: they name what cannot travel, and keep its error."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from scoopmpi import futures, shared
from scoopmpi.executors.mpi_executor import MPIExecutor
from scoopmpi.process import identity
from scoopmpi.tasks import current_executor
from scoopmpi.wire import errors, failure
from tests.constants.test_shared import constants_backend
from tests.support.memory_farm import farm, square

__all__ = ["farm", "constants_backend"]  # the fixtures

ADVICE = "must be defined at the top level"


class Refuses:
    """Cannot be pickled."""

    def __reduce__(self) -> Any:
        raise LookupError("I stay")

    def __call__(self, *_: Any) -> None: ...


class Breaks:
    """Cannot be unpickled."""

    def __reduce__(self) -> Any:
        return broken, ()


def broken() -> None:
    raise ValueError("broken on the way")


class Lost:
    """Is not where it says."""

    def __reduce__(self) -> Any:
        return "nowhere_at_all"


def gives(kind: type) -> Any:
    return kind()


class Holds(Exception):
    """An exception that cannot be pickled."""

    def __init__(self) -> None:
        super().__init__("full")
        self.lock = threading.Lock()


class Wants(Exception):
    """An exception that can be made anew where it was raised, and nowhere else."""

    def __reduce__(self) -> Any:
        return made_anew, ()


arrivals: list[int] = []


def made_anew() -> Wants:
    arrivals.append(1)
    if len(arrivals) > 1:
        broken()
    return Wants()


def fails(kind: type[BaseException]) -> None:
    raise kind()


def prepares(*_: Any) -> None: ...


def chain_of(error: BaseException | None) -> list[type[BaseException]]:
    found = []
    while error is not None:
        found.append(type(error))
        error = error.__cause__
    return found


CASES: list[tuple[str, Callable[[Any], Any], type[BaseException], str]] = [
    ("function of a map", lambda ex: list(ex.map(Refuses(), [1])), LookupError, "the function "),
    ("function of a call", lambda ex: ex.submit(Refuses()).result(), LookupError, "the call of "),
    ("argument of a map", lambda ex: list(ex.map(type, [Refuses()])), LookupError, "arguments of"),
    ("argument of a call", lambda ex: ex.submit(type, Refuses()).result(), LookupError, "call of"),
    ("argument arriving", lambda ex: list(ex.map(type, [Breaks()])), ValueError, "arguments of"),
    ("argument of a call arriving", lambda ex: ex.submit(type, Breaks()).result(), ValueError, ""),
    ("result", lambda ex: list(ex.map(gives, [Refuses])), LookupError, "result of"),
    ("result of a call", lambda ex: ex.submit(gives, Refuses).result(), LookupError, "result of"),
    ("result arriving", lambda ex: list(ex.map(gives, [Breaks])), ValueError, "result of"),
    ("exception", lambda ex: ex.submit(fails, Holds).result(), TypeError, "Holds: full"),
    ("constants", lambda _: shared.setConst(one=Refuses()), LookupError, "the constant 'one'"),
]  # fmt: skip


@pytest.fixture(params=["by themselves", "by tblib"])
def exceptions_pickled(request: pytest.FixtureRequest) -> None:
    """As a program has it that imports dask or xarray: with their causes and tracebacks."""
    if request.param == "by tblib":
        pytest.importorskip("tblib.pickling_support").install()


@pytest.mark.usefixtures("exceptions_pickled")
@pytest.mark.parametrize(("what", "call", "kind", "text"), CASES, ids=[case[0] for case in CASES])
def test_the_cause_is_the_original_error(
    farm: Any, constants_backend: Any, what: str, call: Any, kind: type[BaseException], text: str
) -> None:
    with pytest.raises((pickle.PicklingError, errors.TaskError)) as caught:
        call(farm)
    assert text in str(caught.value) and ADVICE not in str(caught.value)
    assert isinstance(caught.value.__cause__, kind)


@pytest.mark.usefixtures("exceptions_pickled")
@pytest.mark.parametrize("way", ["map", "submit"])
def test_the_cause_travels_with_the_traceback_behind_it(farm: Any, way: str) -> None:
    with pytest.raises(errors.TaskError) as caught:
        farm.submit(gives, Refuses).result() if way == "submit" else list(
            farm.map(gives, [Refuses])
        )
    assert chain_of(caught.value) == [errors.TaskError, LookupError, errors.RemoteTraceback]
    assert "I stay" in str(caught.value.__cause__.__cause__)  # type: ignore[union-attr]


def within(name: str) -> list[str]:
    try:
        {case[0]: case[1] for case in CASES}[name](current_executor.current())
    except Exception as error:
        return [kind.__name__ for kind in chain_of(error)]
    return ["nothing"]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(identity.this, "started", True)
    yield
    current_executor.install(None)


@pytest.mark.parametrize("case", CASES[:-1], ids=[case[0] for case in CASES[:-1]])
def test_inside_tasks_too(farm: Any, started: None, case: Any) -> None:
    if "arriving" in case[0]:
        return  # there and back it stays on one worker, where it can
    found = farm.submit(within, case[0]).result()
    assert case[2].__name__ in found[:2], found


def test_an_error_handed_on_by_a_task_keeps_its_cause(farm: Any, started: None) -> None:
    with pytest.raises(errors.TaskError) as caught:
        farm.submit(hands_on, 0).result()
    assert chain_of(caught.value)[:2] == [errors.TaskError, LookupError]


def hands_on(_: int) -> Any:
    return futures.submit(gives, Refuses).result()


def test_an_exception_that_breaks_on_the_way(farm: Any) -> None:
    arrivals.clear()
    with pytest.raises(errors.TaskError, match="cannot be unpickled here") as caught:
        farm.submit(fails, Wants).result()
    assert chain_of(caught.value)[1:] == [ValueError, errors.RemoteTraceback]


def test_advice_follows_errors_that_it_helps_against(farm: Any) -> None:
    for argument in (Breaks(), Refuses()):
        for call in (farm.submit(type, argument).result, lambda a=argument: [*farm.map(type, [a])]):
            with pytest.raises(Exception, match=r"broken on the way|I stay") as caught:
                call()
            assert ADVICE not in str(caught.value)
    for error in (AttributeError("no f"), ModuleNotFoundError("no m"), ImportError("no i")):
        assert ADVICE in failure.advice(error)
    for other in (ValueError("v"), TypeError("t"), KeyError("k"), EOFError()):
        assert failure.advice(other) == ""


# Initializers.


@pytest.mark.parametrize("way", ["map", "submit"])
@pytest.mark.parametrize(
    ("initializer", "initargs", "text"),
    [
        (prepares, (Refuses(),), "the arguments of the initializer "),
        (Refuses(), (), "the initializer "),
    ],
    ids=["arguments", "initializer"],
)
def test_what_cannot_travel_of_an_initializer_is_named(
    farm: Any, way: str, initializer: Any, initargs: Any, text: str
) -> None:
    made = MPIExecutor(initializer=initializer, initargs=initargs, base=farm)
    with pytest.raises(pickle.PicklingError) as caught:
        list(made.map(square, [1])) if way == "map" else made.submit(square, 1).result()
    assert str(caught.value).startswith(text) and "square" not in str(caught.value)
    assert isinstance(caught.value.__cause__, LookupError)


@pytest.mark.parametrize("way", ["map", "submit"])
def test_initargs_that_break_on_the_way_break_the_executor(farm: Any, way: str) -> None:
    made = MPIExecutor(initializer=prepares, initargs=(Breaks(),), base=farm)
    with pytest.raises(Exception, match="prepares or its arguments cannot be unpickled") as caught:
        list(made.map(square, [1])) if way == "map" else made.submit(square, 1).result()
    assert isinstance(caught.value.__cause__, ValueError)
    assert ADVICE not in str(caught.value)


def test_an_initializer_that_fails_keeps_its_error(farm: Any) -> None:
    made = MPIExecutor(initializer=fails, initargs=(KeyError,), base=farm)
    with pytest.raises(Exception, match="has failed") as caught:
        made.submit(square, 1).result()
    assert isinstance(caught.value.__cause__, KeyError)


def test_outcomes_of_older_checkpoints_are_read(farm: Any) -> None:
    frame = pickle.dumps((failure._travelling(KeyError("k")), "Failed somewhere"))
    found = failure.unpack(frame)
    assert chain_of(found) == [KeyError, errors.RemoteTraceback]
