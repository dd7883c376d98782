"""Who a process is: facts that change only by what happens to it."""

from __future__ import annotations

import pytest

from scoopmpi.process.identity import Identity, Place


def test_a_process_without_a_launcher() -> None:
    alone = Identity()
    assert alone.place == Place(started=False, rank=0, size=1)
    assert not alone.importing and not alone.ended and alone.task_timeout is None


def test_a_worker_from_mpi_to_the_end_of_the_program() -> None:
    worker = Identity()
    worker.met(rank=3, size=8)
    assert worker.place == Place(started=False, rank=3, size=8), "the program may not be found"
    worker.starts(task_timeout=2.5, debug=True)
    assert worker.place == Place(started=True, rank=3, size=8)
    assert worker.debug and worker.task_timeout == 2.5
    with pytest.raises(KeyError), worker.imports():
        assert worker.importing
        raise KeyError
    assert not worker.importing
    worker.program_ended()
    assert worker.ended


def test_a_block_that_lends_ranks_gives_the_place_back() -> None:
    process = Identity()
    before = process.place
    process.takes(Place(started=True, rank=1, size=4))
    assert process.started and process.size == 4
    process.takes(before)
    assert process.place == before


def test_warned_once() -> None:
    process = Identity()
    assert [process.warns() for _ in range(3)] == [True, False, False]
