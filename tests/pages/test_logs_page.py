"""The page on logs: its program under its options, its columns, placeholders and recipe."""

from __future__ import annotations

import ast
import csv
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scoopmpi.watching.task_log import COLUMNS
from tests.support.libraries import ROOT, Library
from tests.support.starting import MYSCOOP, start

PAGE = (ROOT / "docs" / "logs.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PROGRAM, RECIPE = (text for kind, text in BLOCKS if kind == "python")
TABLE, LABELLED = (text for kind, text in BLOCKS if not kind)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "models.py").write_text(PROGRAM)
    return tmp_path


def words_of(option: str) -> list[str]:
    """The page's command with this option, as it stands there."""
    (command,) = re.findall(rf"^myscoop (-n 2 {option} .*models\.py)$", PAGE, re.MULTILINE)
    return [*MYSCOOP, *command.split()]


def test_the_table_of_columns_is_that_of_the_file() -> None:
    named = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (?!.*stands for)", PAGE, re.MULTILINE)
    columns = [name for cell in named for name in re.findall(r"\w+", cell)]
    assert columns == list(COLUMNS)
    assert TABLE.splitlines()[0] == ",".join(COLUMNS)
    assert all(len(row) == len(COLUMNS) for row in csv.reader(TABLE.splitlines()))


def test_the_table_of_all_tasks(first_library: Library, place: Path) -> None:
    done = start(first_library, words_of("--task-log"), cwd=place)
    assert "332833500" in done.stdout, done.stderr
    with (place / "tasks.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    squared = [row for row in rows if row["function"] == "squared"]
    assert sum(int(row["tasks"]) for row in squared) == 1000 and len(squared) < 300
    models = {row["index"]: row for row in rows if row["function"] == "model"}
    assert sorted(models) == ["0", "1", "2", "3", "4"]
    assert models["3"]["error"] == "ValueError: the matrix is singular"
    assert 0.08 <= float(models["4"]["seconds"]) < 5
    if importlib.util.find_spec("pandas") is not None:
        answer = subprocess.run(
            [sys.executable, "-c", RECIPE], cwd=place, capture_output=True, text=True, timeout=60
        )
        assert "the matrix is singular" in answer.stdout, answer.stderr


def test_the_recipe_names_columns_of_the_table() -> None:
    texts = {
        node.value for node in ast.walk(ast.parse(RECIPE))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }  # fmt: skip
    assert texts - {*COLUMNS, "tasks.csv", "ok", "sum", "max"} == set()


def test_a_file_for_each_task(first_library: Library, place: Path) -> None:
    done = start(first_library, words_of("--task-output"), cwd=place)
    assert "begins" not in done.stdout and "['fine'" in done.stdout, done.stderr
    assert "out/0-model/3.out" in PAGE
    text = (place / "out" / "0-model" / "3.out").read_text()
    assert text == "model 3 begins\na program that model 3 has started\n"
    assert sorted(path.name for path in (place / "out").rglob("*.out")) == [
        f"{model}.out" for model in range(5)
    ]


def test_a_label_before_each_line(first_library: Library, place: Path) -> None:
    done = start(first_library, words_of("--label"), cwd=place)
    shape = re.sub(r"\d+", "N", LABELLED.splitlines()[0].replace("node1", "HOST"))
    labelled = [line for line in done.stdout.splitlines() if line.endswith("begins")]
    assert len(labelled) == 5
    for line in labelled:
        host = re.sub(r"^(\[rank \d+ )\S+", r"\1HOST", line)
        assert re.sub(r"\d+", "N", host) == shape
