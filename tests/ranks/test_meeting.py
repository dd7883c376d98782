"""Rank 0 where a rank dies before all have met."""

from __future__ import annotations

import io
import os
import sys

import pytest

from scoopmpi.ranks import rank0


class Left(BaseException):
    """In the place of the process's end."""


def test_it_leaves_without_mpis_own_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open MPI's would wait for the dead for ever."""

    def dies() -> None:
        raise RuntimeError("MPI_ERR_PROC_FAILED")

    def leaves(status: int) -> None:
        assert status == 1
        raise Left

    said = io.StringIO()
    monkeypatch.setattr(rank0, "MPITransport", dies)
    monkeypatch.setattr(os, "_exit", leaves)
    monkeypatch.setattr(sys, "__stderr__", said)
    with pytest.raises(Left):
        rank0._met()
    assert "a rank has died before all had met: MPI_ERR_PROC_FAILED" in said.getvalue()
