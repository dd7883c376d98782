"""Cases about calls that are submitted."""

from __future__ import annotations

import weakref
from typing import Any

import pytest

from scoopmpi.executors.mpi_executor import MPIExecutor

from .face import SECONDS, captures, case, square, until


@case
def submit_gives_the_value(face: Any) -> None:
    with face.make() as executor:
        assert executor.submit(square, 7).result(SECONDS) == 49


@case
def submit_hands_over_any_arguments(face: Any) -> None:
    with face.make() as executor:
        future = executor.submit(captures, 1, self=2, fn=3, args=4)
        assert future.result(SECONDS) == ((1,), {"self": 2, "fn": 3, "args": 4})
        for call in (executor.submit, MPIExecutor.submit):
            with pytest.raises(TypeError):
                call()
        with pytest.raises(TypeError):
            executor.submit(fn=captures, arg=1)


@case
def what_cannot_be_called_is_an_error_of_the_future(face: Any) -> None:
    with face.make() as executor:
        assert isinstance(executor.submit(42).exception(SECONDS), TypeError)  # type: ignore
        assert executor.submit(square, 3).result(SECONDS) == 9


@case
def arguments_are_not_kept_alive(face: Any) -> None:
    with face.make() as executor:
        values = [Payload(), Payload()]
        references = [weakref.ref(value) for value in values]
        executor.submit(type, values[0]).result(SECONDS)
        assert len(list(executor.map(type, values[1:]))) == 1
        del values
        until(lambda: not any(reference() for reference in references))


class Payload:
    pass


@case
def the_number_of_workers_is_checked(face: Any) -> None:
    for number in (0, -1):
        with pytest.raises(ValueError, match=f"max_workers is {number}"):
            face.make(max_workers=number)
    face.make(max_workers=3).shutdown()
