"""docs/troubleshooting.md has every message of a run, and none that is gone.

Messages that stop a start are on another page (`test_cluster_page`); those of sweeps have their
remedy in themselves.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator

import pytest

from scoopmpi import myscoop
from tests.pages.test_cluster_page import PACKAGE, SOME, meant, says, text_of
from tests.support.libraries import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
ROOMS_OF_STARTS = ("launch", "sweep", "compat")
ERRORS = {
    "FarmError", "TaskError", "WorkerLost", "RuntimeError", "PicklingError", "UnpicklingError",
    "CancelledError", "TraceError", "ReportError", "refused", "NoTerminal",
}  # fmt: skip
LINES = {"warning", "error", "warn"}
WORDS = 3
"""Of a message, at least: less is a part of one that is put together elsewhere."""


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2], node


def messages_of(tree: ast.AST) -> Iterator[str]:
    """What errors and warnings of a file say, with … for what differs from case to case."""
    for name, call in calls(tree):
        if name in ERRORS | LINES and call.args:
            said = call.args[1] if name == "refused" and len(call.args) > 1 else call.args[0]
            for one in meant(said, tree):
                yield re.sub(r"%(?:\.\d+)?[srdfg]", SOME, text_of(one)).replace("\n", " ")


@functools.cache
def all_messages() -> dict[str, str]:
    """Every message of a run, and the file that it is in."""
    found: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.split("/")[0] in ROOMS_OF_STARTS or name in ("myscoop.py", "mympirun.py"):
            continue
        for text in messages_of(ast.parse(path.read_text())):
            plain = re.sub(rf"{SOME}(?:[.: ]*{SOME})+", SOME, re.sub(r"\s+", " ", text)).strip()
            if len(re.findall(r"[a-z]{2,}", plain)) > WORDS:
                found[plain] = name
    return found


@functools.cache
def all_texts() -> str:
    """Every literal of the sources, joined as they stand."""
    texts = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr | ast.Constant | ast.BinOp):
                text = text_of(node)
                if len(text) > WORDS:
                    texts.append(re.sub(r"\s+", " ", re.sub(r"%(?:\.\d+)?[srdfg]", SOME, text)))
    return "\n".join(texts).replace("`", "")


def patterns(page: str) -> list[str]:
    """What stands in the first cells of the page's tables, but for others' messages."""
    ours = page.split("## What other programs say")[0].partition("## Nothing starts")[2]
    rows = [line for line in ours.splitlines() if line.startswith("| `")]
    return [span for row in rows for span in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


@pytest.mark.parametrize(("message", "file"), all_messages().items())
def test_the_page_has_every_message(message: str, file: str) -> None:
    assert any(says(pattern, message) for pattern in patterns(PAGE)), f"{file}: {message}"


@pytest.mark.parametrize("pattern", patterns(PAGE))
def test_the_page_has_no_message_that_is_gone(pattern: str) -> None:
    if pattern.startswith("--") and " " not in pattern:
        known = {name for param in myscoop.main.params for name in param.opts}
        assert pattern in known
        return
    parts = [part.strip() for part in pattern.split(SOME) if len(part.strip()) > WORDS]
    assert parts, pattern
    assert [part for part in parts if part not in all_texts()] == []
