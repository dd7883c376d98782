"""Real clusters for these tests; where one cannot be had, its tests are skipped with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.libraries import Library

from . import hosts, slurm
from .jobs import WAITS, Job, Slurm

HERE = Path(__file__).parent
FIRST = "test_slurm"
"""It starts the job that `test_slurm_limits`, the last one, waits for."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the minute of that job pass during all other tests here."""
    places = [place for place, item in enumerate(items) if item.path.parent == HERE]
    ordered = sorted((items[place] for place in places), key=lambda item: item.path.stem != FIRST)
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """A Slurm with two nodes."""
    try:
        with slurm.running(tmp_path_factory.mktemp("slurm")) as variables:
            yield Slurm(variables)
    except slurm.NotStarted as problem:
        pytest.skip(f"no Slurm: {problem}")


@pytest.fixture(scope="package")
def limited(
    cluster: Slurm, first_library: Library, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Job]:
    """A job that goes on beyond its limit; Slurm's shortest is a minute, so beside the tests."""
    directory = tmp_path_factory.mktemp("limited")
    words = ["--time=1", "-N2", "-n2", f"--wrap=myscoop {WAITS} {directory}"]
    with cluster.submitted(first_library, *words, cwd=directory) as job:
        yield job


@pytest.fixture(scope="package")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[hosts.Host, ...]]:
    """Two hosts that reach each other by ssh."""
    try:
        with hosts.connected(tmp_path_factory.mktemp("hosts")) as connected:
            yield connected
    except hosts.NoHosts as problem:
        pytest.skip(f"no two hosts: {problem}")
