"""Pools of mpi4py.futures beside a farm are told of when they are made, and only then."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoopmpi.process import identity
from scoopmpi.program import foreign_pools

PACKAGE = """
class MPIPoolExecutor:
    def __init__(self, workers=None):
        self.workers = workers

class MPICommExecutor:
    def __init__(self):
        self.pool = MPIPoolExecutor(3)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package of that name, and a rank 0 that has not imported it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "mpi4py"]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "mpi4py").mkdir()
    (tmp_path / "mpi4py" / "__init__.py").touch()
    (tmp_path / "mpi4py" / "futures.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(identity.this, "_told", set())
    monkeypatch.setattr(identity.this, "size", 4)
    yield
    for name in ("mpi4py", "mpi4py.futures"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("early", [True, False])
def test_a_pool_is_told_of_when_it_is_made(
    stand_in: None, early: bool, recwarn: pytest.WarningsRecorder
) -> None:
    if early:  # by a module that a path configuration file imports, say
        importlib.import_module("mpi4py.futures")
    foreign_pools.look_out()
    finders = list(sys.meta_path)
    theirs = importlib.import_module("mpi4py.futures")
    assert not recwarn.list, "many libraries import it and make none"
    assert foreign_pools.Finder not in sys.meta_path or not early
    assert len(sys.meta_path) == len(finders) - (not early)
    assert [theirs.MPIPoolExecutor(2).workers, theirs.MPIPoolExecutor().workers] == [2, None]
    (told,) = recwarn.list
    assert told.filename == __file__
    assert "beside the 3 workers of this farm" in str(told.message)


def test_a_block_on_a_communicator_is_told_of(
    stand_in: None, recwarn: pytest.WarningsRecorder
) -> None:
    """It makes a pool too, of which nothing more is said."""
    foreign_pools.look_out()
    theirs = importlib.import_module("mpi4py.futures")

    class Own(theirs.MPICommExecutor):  # type: ignore[misc, name-defined]
        pass

    assert Own().pool.workers == 3
    (told,) = recwarn.list
    assert "waits for ever" in str(told.message) and told.filename == __file__
