"""Links of all pages lead to a page with something on it, and to a heading that is there."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from tests.support.libraries import ROOT

PAGES = [
    ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md",
    ROOT / "jobscripts" / "README.md", ROOT / "benchmarks" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
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


TREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def in_toctrees() -> set[Path]:
    """The pages that the site's lists of pages name: docs/index.md, and those that it leads to."""
    lines = (
        (page, re.sub(r"^.*<(.*)>$", r"\1", line))  # also: Another title <page>
        for page in PAGES for tree in TREE.findall(page.read_text())
        for line in tree.splitlines() if line and line[0] != ":"
    )  # fmt: skip
    return {
        (page.parent / f"{line}.md" if line[0] != "/" else ROOT / f"{line[1:]}.md").resolve()
        for page, line in lines
    }


def test_every_page_is_reached_from_the_index_or_the_readme() -> None:
    readme = {path for path, _ in LINK.findall((ROOT / "README.md").read_text())}
    reached = {name_of(page) for page in PAGES if page in in_toctrees()} | readme
    assert {name_of(page) for page in PAGES} - {"README.md", "docs/index.md"} <= reached


def test_the_readme_is_read_in_two_minutes() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 110
