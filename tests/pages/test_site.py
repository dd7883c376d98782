"""The site is built without a warning, and whoever walks through it finds what is linked.

It is made once, by the command that CONTRIBUTING names, and then read as a browser would.
"""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import scoopmpi
from tests.support.libraries import ROOT

pytestmark = pytest.mark.ranks  # a Python of its own

for needed in ("myst_parser", "furo", "sphinx_copybutton"):
    pytest.importorskip(needed, reason=f"no {needed} here: pip install 'scoopmpi[docs]'")


class Page(HTMLParser):
    """What a page of the site leads to, and what may lead to it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.links: list[str] = []
        self.pictures: list[tuple[str, str]] = []
        self.places: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.places.add(found["id"] or "")
        if tag in ("a", "link") and found.get("href"):
            self.links.append(found["href"] or "")
        if tag in ("script", "img") and found.get("src"):
            self.links.append(found["src"] or "")
        if tag == "img":
            self.pictures.append((found.get("src") or "", found.get("alt") or ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, made strictly: what Sphinx warns of is an error."""
    made = tmp_path_factory.mktemp("site")
    words = ["-W", "--keep-going", "-q", "-d", str(made / "read"), "docs", str(made / "site")]
    answer = subprocess.run(
        [sys.executable, "-m", "sphinx", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return made / "site"


@functools.cache
def page(path: Path) -> Page:
    return Page(path)


def pages(site: Path) -> Iterator[Page]:
    for path in sorted(site.rglob("*.html")):
        yield page(path)


def test_links_of_the_site_lead_somewhere(site: Path) -> None:
    """Files that are there, and a place in them that is there; others have an address."""
    wrong = []
    for each in pages(site):
        for link in each.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in ("https", "data", "mailto"), link
                continue
            target = (each.path.parent / unquote(parts.path)).resolve() if parts.path else each.path
            there = target.is_file() and target.is_relative_to(site.resolve())
            if there and parts.fragment and target.suffix == ".html":
                there = unquote(parts.fragment) in page(target).places
            if not there:
                wrong.append(f"{each.path.relative_to(site)}: {link}")
    assert not wrong, "\n".join(wrong)


def test_every_page_is_in_the_menu(site: Path) -> None:
    start = page(site / "docs" / "index.html")
    linked = {(start.path.parent / link.partition("#")[0]).resolve() for link in start.links}
    extra = {"genindex.html", "search.html", "index.html"}
    assert {each.path for each in pages(site) if each.path.name not in extra} <= linked


def test_the_site_is_of_this_version(site: Path) -> None:
    assert f"<title>scoopmpi {scoopmpi.__version__}" in (site / "docs" / "index.html").read_text()


def test_pictures_say_what_they_show(site: Path) -> None:
    for each in pages(site):
        for source, words in each.pictures:
            assert len(words) > 20 and not re.search(r"\.(png|svg)$", words), (each.path, source)
