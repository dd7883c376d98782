"""The page about watching describes each key of the status file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.libraries import ROOT
from tests.watching.status.test_status_reader import Played

PAGE = ROOT / "docs" / "watching.md"


def test_each_key_is_in_the_table(tmp_path: Path) -> None:
    farm = Played(tmp_path / "run.json", walltime=300)
    farm.door.worker_joined(1, "n1", 101)
    farm.door.worker_joined(2, "n2", 102)
    farm.door.job_begun(1, "map", "f", 10, None)
    farm.run(1, 1, 0, 1.0, failed=1, error="ValueError", peak=1, resident=1)
    farm.door.tasks_assigned(1, 1, 1, 1, 1)
    farm.door.worker_lost(2, "n2")
    farm.door.program_stopped(9, 1.0)
    table = PAGE.read_text().partition("| `format`, `version` |")[2].partition("\n\n")[0]
    described = set(re.findall(r"`(\w+)`", table)) | {"format", "version"}
    keys = {key.removesuffix("_at") for key in _keys(farm.said())}
    assert len(keys) > 60
    assert not keys - described


def _keys(said: object) -> Iterator[str]:
    if isinstance(said, dict):
        yield from said
        for value in said.values():
            yield from _keys(value)
    elif isinstance(said, list):
        for value in said:
            yield from _keys(value)
