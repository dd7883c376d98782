"""The examples of docs/large-data.md print what the page says, and its tables are true."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tests.support.kinds import KINDS
from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, start

PAGE = (ROOT / "docs" / "large-data.md").read_text()
FOUND = re.findall(r"```python\n( *)# (\S+)\n(.*?)```\n\n(?:(    .*?)\n\n)?", PAGE, re.DOTALL)
EXAMPLES = {name: textwrap.dedent(indent + code) for indent, name, code, _ in FOUND}
PRINTED = {name: textwrap.dedent(lines) for *_, name, _, lines in FOUND}


def test_each_example_is_tested_here() -> None:
    assert list(EXAMPLES) == ["tables.py", "refilled.py"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example(first_library: Library, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(EXAMPLES[name])
    answer = start(first_library, [*MYSCOOP, "-n", "2", name], cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.strip() == PRINTED[name].strip()


BESIDE = {
    "numpy": ("C", "Fortran", "transposed", "rows of a table", "bool", "texts", "structured"),
    "pandas": ("frame", "categories", "nullable"),
    "arrow": ("array", "table", "batch", "buffer"),
}
INSIDE = {
    "numpy": (
        "every other", "columns of a table", "broadcast", "datetime64", "objects", "masked",
        "memmap", "subclass",
    ),
    "pandas": ("objects", "mixed"),
    "torch": ("tensor",),
    "python": ("bytes", "bytearray", "str", "array", "list of numbers", "memoryview of bytes"),
}  # fmt: skip


def test_the_table_says_what_the_tests_of_kinds_show() -> None:
    for beside, rows in ((True, BESIDE), (False, INSIDE)):
        for library, kinds in rows.items():
            installed = any(name.startswith(f"{library} ") for name in KINDS)
            for each in kinds if installed else ():
                assert KINDS[f"{library} {each}"].beside == beside, each
