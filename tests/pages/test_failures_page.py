"""The examples of docs/failures.md print what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, start

pytestmark = pytest.mark.timeout(120)
PAGE = (ROOT / "docs" / "failures.md").read_text()
FOUND = re.findall(r"```python\n# (\S+)\n(.*?)```\n\n(?:(    .*?)\n\n)?", PAGE, re.DOTALL)
EXAMPLES = {name: code for name, code, _ in FOUND}
PRINTED = {name: re.sub(r"(?m)^ {4}", "", lines) for name, _, lines in FOUND}


def test_each_example_is_tested_here() -> None:
    names = ["collect.py", "one_by_one.py", "again.py", "second_pass.py", "crashes.py"]
    assert list(EXAMPLES) == names
    assert all(PRINTED.values())


@pytest.mark.first
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example(first_library: Library, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(EXAMPLES[name])
    answer = start(first_library, [*MYSCOOP, "-n", "2", name], cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    lines = [line.rstrip() for line in answer.stdout.splitlines()]
    assert lines[: len(PRINTED[name].splitlines())] == PRINTED[name].splitlines()
    if name == "collect.py":
        assert re.search(r"Failed in fit\(107\), task 107, on rank \d \(.+\):", answer.stdout)
