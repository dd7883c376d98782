"""docs/watching.md says what there is: keys of the status file, examples, pictures, options."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scoopmpi import futures, myscoop
from scoopmpi.executors.watching_asked import Asked
from scoopmpi.process import identity
from scoopmpi.tasks import current_executor
from scoopmpi.watching.status.reader import StatusFile
from tests.support.libraries import ROOT, Library
from tests.support.link import Ranks
from tests.support.starting import MYSCOOP, start, start_ranks

pytestmark = pytest.mark.timeout(90)
PAGE = (ROOT / "docs" / "watching.md").read_text()
EXAMPLES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
PICTURES = sorted((ROOT / "docs" / "pictures").glob("*.png"))
LARGEST = 250_000
"""Bytes of a picture: all of them are in each clone."""


def square(number: int) -> int:
    time.sleep(0.01)
    if number == 7:
        raise ValueError("seven")
    return number * number


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the status file of a run says in its middle."""
    monkeypatch.setattr(identity.this, "started", True)
    readers = Asked(status=str(tmp_path / "s.json")).opened()
    ranks = Ranks(2, 1, readers=readers)
    current_executor.install(ranks.executor)
    try:
        values = futures.map(square, range(200), return_exceptions=True)
        for _ in range(20):
            next(values)
        next(each for each in readers if isinstance(each, StatusFile)).write()
        found: dict[str, Any] = json.loads((tmp_path / "s.json").read_text())
        list(values)
        ranks.settle()
        for reader in readers:
            ranks.farm.dismiss(reader)
    finally:
        current_executor.install(None)
    return found


def keys(value: Any) -> Iterator[str]:
    """All keys, those within objects and lists too."""
    for each in value if isinstance(value, list) else ():
        yield from keys(each)
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield name
        yield from keys(inner)


def test_every_key_of_the_status_file_is_explained(said: dict[str, Any]) -> None:
    rows = PAGE.split("### What the file says")[1].split("\n## ")[0]
    named = {word for words in re.findall(r"`([^`]+)`", rows) for word in re.findall(r"\w+", words)}
    assert said["jobs"] and said["functions"] and said["slowest_running"] and said["failures"]
    found = set(keys(said))
    dates = {name for name in found if name.removesuffix("_at") in found and name.endswith("_at")}
    assert found - dates <= named, "keys that docs/watching.md does not explain"
    first = {
        name
        for row in re.findall(r"^\| (`[^|]+) \|", rows, re.M)
        for name in re.findall(r"\w+", row)
    }
    assert first <= set(said), "keys that are gone"


def test_pictures_are_small_and_shown() -> None:
    pages = PAGE + (ROOT / "README.md").read_text()
    assert len(PICTURES) > 3
    for picture in PICTURES:
        assert picture.stat().st_size < LARGEST, picture
        assert f"pictures/{picture.name})" in pages, picture


def test_options_of_the_page_are_known() -> None:
    known = {name for param in myscoop.main.params for name in (*param.opts, *param.secondary_opts)}
    others = {"--csv", "--watch", "--json", "--output", "--profile", "--ntasks", "--time"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE)) - others <= known


def test_the_page_has_the_examples_that_are_tested_here() -> None:
    assert set(EXAMPLES) == {"watched.py", "own.py"}


def test_an_executor_that_is_watched(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "watched.py").write_text(EXAMPLES["watched.py"])
    done = start(first_library, [*MYSCOOP, "-n", "2", "watched.py"], tmp_path)
    assert (done.returncode, done.stdout) == (0, "333283335000\n"), done.stderr
    assert (tmp_path / "squares.json").exists() and (tmp_path / "squares.html").exists()


def test_an_mpi_program_that_is_watched(first_library: Library, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(EXAMPLES["own.py"])
    done = start_ranks(first_library, 3, ["own.py"], tmp_path)
    assert (done.returncode, done.stdout) == (0, "333283335000\n"), done.stderr
    assert json.loads((tmp_path / "run.json").read_text())["tasks"]["done"] == 10_000
