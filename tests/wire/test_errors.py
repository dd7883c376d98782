"""Exceptions of a farm's own: the names under which users import, see and pickle them."""

from __future__ import annotations

import copy
import pickle
import traceback
from typing import Any

import cloudpickle
import pytest

import scoopmpi
from scoopmpi.wire import errors

NAMES = ("FarmError", "RemoteTraceback", "TaskError", "TaskTimeout", "WorkerLost")
SHOWN = (*NAMES, "MPICommExecutor", "MPIExecutor", "Pool")


@pytest.mark.parametrize("name", SHOWN)
def test_a_class_says_where_users_import_it(name: str) -> None:
    kind = getattr(scoopmpi, name)
    assert (kind.__module__, kind.__qualname__) == ("scoopmpi", name)


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
def test_a_class_travels_by_that_name(name: str, pickler: Any) -> None:
    kind = getattr(scoopmpi, name)
    assert pickle.loads(pickler.dumps(kind)) is kind


@pytest.mark.parametrize("name", NAMES)
def test_a_traceback_shows_it(name: str) -> None:
    error = getattr(scoopmpi, name)("why")
    last = "".join(traceback.format_exception_only(error))
    assert last.startswith(f"scoopmpi.{name}: ") and "why" in last


def test_what_a_timeout_knows_travels_with_it() -> None:
    error = errors.timed_out("nap", 0.5, 2, "node17", end=" and more")
    errors.add_task(error, "nap", 7, errors.words("nap(0.5)", 7))
    for arrived in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(arrived) is scoopmpi.TaskTimeout
        assert (arrived.function, arrived.index, arrived.rank) == ("nap", 7, 2)
        assert str(arrived) == (
            "nap(0.5), task 7, took longer than its task_timeout of 0.5 s on worker 2 (node17) "
            "and more"
        )


def test_a_task_is_added_once_to_its_own_timeout_alone() -> None:
    error = errors.timed_out("nap", 1, 0, "")
    errors.add_task(error, "outer", 2, "outer(), task 2,")
    errors.add_task(error, "nap", 3, "nap(1), task 3,")
    errors.add_task(error, "nap", 4, "nap(1), task 4,")
    assert error.index == 3 and str(error).startswith("nap(1), task 3, took longer")
    other = ValueError("nap took longer")
    errors.add_task(other, "nap", 3, "nap(1), task 3,")
    assert other.args == ("nap took longer",)
