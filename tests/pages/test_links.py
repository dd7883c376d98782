"""Links of all pages lead to a page with something on it, and to a heading that is there."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from tests.support.libraries import ROOT

PAGES = [
    ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "jobscripts" / "README.md",
    ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").rglob("*.md")),
]  # fmt: skip
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)")
LEAST = 400
"""Characters of a page: less says nothing to who has followed a link to it."""


@functools.cache
def anchors(page: Path) -> set[str]:
    """What links may lead to on a page: its headings, as they are shown, and marks by hand."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links(page: Path) -> None:
    for path, anchor in LINK.findall(page.read_text()):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{path} is not there"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{path}#{anchor}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_say_something(page: Path) -> None:
    assert len(page.read_text().strip()) > LEAST


def test_the_readme_has_every_page() -> None:
    linked = {path for path, _ in LINK.findall((ROOT / "README.md").read_text())}
    assert {name_of(page) for page in PAGES} - {"README.md"} <= linked
