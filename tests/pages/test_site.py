"""The site is built without a warning, and whoever walks through it finds what is linked.

It is made once, by the command that CONTRIBUTING names, and then read as a browser would.
"""

from __future__ import annotations

import functools
import importlib
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import scoopmpi
from tests.support.browser import Browser, found
from tests.support.libraries import ROOT

pytestmark = [pytest.mark.ranks, pytest.mark.timeout(400)]  # a Python of its own, and a browser

for needed in ("myst_parser", "furo", "sphinx_copybutton"):
    pytest.importorskip(needed, reason=f"no {needed} here: pip install 'scoopmpi[docs]'")

BUILDING = 300.0  # seconds; it takes 8 on a machine that does nothing else
OF_SPHINX = {"genindex.html", "search.html", "index.html"}


class Page(HTMLParser):
    """What a page of the site leads to, and what may lead to it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.links: list[str] = []
        self.pictures: list[tuple[str, str]] = []
        self.places: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if "id" in said:
            self.places.append(said["id"])
        self.links += [said[name] for name in ("href", "src") if said.get(name)]
        if tag == "img":
            self.pictures.append((said.get("src", ""), said.get("alt", "")))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, made strictly: what Sphinx warns of is an error."""
    made = tmp_path_factory.mktemp("site")
    words = ["-W", "--keep-going", "-q", "-d", str(made / "read"), "docs", str(made / "site")]
    answer = subprocess.run(
        [sys.executable, "-m", "sphinx", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=BUILDING,
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
    """To a file of it, and a place that is there; other addresses are asked only for their form."""
    wrong = []
    for each in pages(site):
        for link in each.links:
            parts = urlsplit(link)
            if parts.scheme:
                right = parts.scheme == "data" or (parts.scheme == "https" and "." in parts.netloc)
            else:
                path = unquote(parts.path)
                target = (each.path.parent / path).resolve() if path else each.path
                right = target.is_file() and target.is_relative_to(site)
                if right and parts.fragment and target.suffix == ".html":
                    right = unquote(parts.fragment) in page(target).places
            if not right:
                wrong.append(f"{each.path.relative_to(site)}: {link}")
    assert not wrong, "\n".join(wrong)


def test_a_place_of_a_page_is_one_place(site: Path) -> None:
    for each in pages(site):
        twice = {place for place in each.places if each.places.count(place) > 1}
        assert not twice, (each.path, twice)


def test_every_page_is_in_the_menu_of_the_start_page(site: Path) -> None:
    start = page(site / "docs" / "index.html")
    linked = {(start.path.parent / link.partition("#")[0]).resolve() for link in start.links}
    assert {each.path for each in pages(site) if each.path.name not in OF_SPHINX} <= linked


def test_the_menu_names_each_page_once(site: Path) -> None:
    """A page with two headings at the top would have as many entries; one of two names misleads."""
    text = (site / "docs" / "index.html").read_text()
    menu = text.partition('<div class="sidebar-tree">')[2].partition("</aside>")[0]
    entries = re.findall(r'href="([^"]+)">(.*?)</a>', menu)
    names = [re.sub(r"<[^>]+>", "", name) for _, name in entries]
    assert len(names) > 30 and len(set(names)) == len(names)
    assert not [address for address, _ in entries if "#" in address.rstrip("#")]


def test_what_is_read_on_github_is_on_the_site(site: Path) -> None:
    """All Markdown of docs/, and of the files beside that its pages lead to."""
    shown = {each.path.relative_to(site).with_suffix(".md") for each in pages(site)}
    there = {path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md")}
    beside = {"benchmarks/README.md", "jobscripts/README.md", "CHANGELOG.md", "CONTRIBUTING.md"}
    assert there | set(map(Path, beside)) <= shown


def test_the_site_is_of_this_version(site: Path) -> None:
    title = page(site / "docs" / "index.html").path.read_text().partition("</title>")[0]
    assert title.endswith(f"scoopmpi {scoopmpi.__version__}")


def test_pictures_say_what_they_show(site: Path) -> None:
    seen = [picture for each in pages(site) for picture in each.pictures]
    assert len(seen) > 10
    for source, words in seen:
        assert len(words) > 20 and not re.search(r"\.(png|svg)$", words), source


def test_every_recipe_is_shown(site: Path) -> None:
    recipes = page(site / "docs" / "recipes" / "index.html")
    for path in (ROOT / "docs" / "recipes").glob("*.py"):
        assert path.stem.replace("_", "-") in recipes.places, path
        assert f"#{path.stem.replace('_', '-')}" in recipes.links, path
    assert "EnsembleSampler" in re.sub(r"<[^>]+>", "", recipes.path.read_text())


def documented(site: Path) -> set[str]:
    """What the reference has, as other projects would ask for it: names, and options."""
    _, _, _, _, rest = (site / "objects.inv").read_bytes().split(b"\n", 4)
    lines = zlib.decompress(rest).decode().splitlines()
    return {match[1] for line in lines if (match := re.match(r"(.+?) (?:py|std):\w+ ", line))}


def public() -> Iterator[str]:
    """All that users may name."""
    for module in ("futures", "shared", "task"):
        for name in importlib.import_module(f"scoopmpi.{module}").__all__:
            yield f"scoopmpi.{module}.{name}"
    for name in scoopmpi.__all__:
        yield f"scoopmpi.{name}"


def test_the_reference_has_every_public_name(site: Path) -> None:
    known = documented(site)
    # Three modules are pages; a future is one, whichever way a program gets at its class.
    known |= {f"scoopmpi.{name}" for name in ("futures", "shared", "task", "futures.Future")}
    assert set(public()) - known == set()
    for name in ("map", "submit", "starmap", "shutdown"):
        assert f"scoopmpi.MPIExecutor.{name}" in known
    for name in ("map", "apply_async", "imap_unordered", "is_master", "close"):
        assert f"scoopmpi.Pool.{name}" in known


def test_the_reference_has_every_option(site: Path) -> None:
    known = documented(site)
    assert {"myscoop.--checkpoint", "mympirun.--hybrid", "myscoop-sweep.--data"} <= known
    assert {"myscoop-status.--watch", "wsub.-batch"} <= known


def test_parameters_units_and_errors_are_set_apart(site: Path) -> None:
    text = (site / "docs" / "reference" / "futures.html").read_text()
    map_alone = text.partition('id="scoopmpi.futures.map"')[2].partition("scoopmpi.futures.map_as")
    shown = re.sub(r"<[^>]+>|\s+", " ", map_alone[0])
    assert re.search(r"Parameters *: *timeout *seconds from this call until the last", shown)
    assert re.search(r"Raises *: *TypeError *where *func *is no function", shown)
    assert "`" not in shown and shown.count("**") == 1


COMPLETE = "document.readyState === 'complete'"
BEYOND = """
(() => {
    const scrolls = (element) => element.tagName !== "ARTICLE" && (
        /auto|scroll/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement)
    );
    return [...document.querySelectorAll("article *")].filter((element) => {
        const place = element.getBoundingClientRect();
        return place.width && place.right > innerWidth + 1 && !scrolls(element);
    }).map((element) => element.outerHTML.slice(0, 100)).slice(0, 3);
})()
"""
"""What of a page reaches beyond the window, and is in nothing that scrolls by itself."""


@pytest.mark.skipif(found() is None, reason="no Chromium here: apt install chromium")
def test_pages_fit_a_phone_and_a_window(site: Path, tmp_path: Path) -> None:
    """No page scrolls sideways; tables and code that are wider than the text do so in its place."""
    wide = {}
    with Browser(tmp_path / "profile") as browser:
        for each in pages(site):
            if each.path == site / "index.html":
                continue  # it leads on at once
            browser.open(each.path, ready=COMPLETE)
            for width in (1280, 390):
                browser.size(width)
                if beyond := browser.value(BEYOND):
                    wide[each.path.relative_to(site).as_posix(), width] = beyond
        assert not wide
        browser.open(site / "docs" / "index.html", 390, ready=COMPLETE)
        browser.value("document.querySelector('article h1').style.minWidth = '900px'")
        assert browser.value(BEYOND), "what is too wide would not be seen"
        assert not browser.said, browser.said
        assert {address.partition(":")[0] for address in browser.requests} <= {"file", "data"}


@pytest.mark.skipif(found() is None, reason="no Chromium here: apt install chromium")
def test_a_reader_searches_copies_and_reads_in_the_dark(site: Path, tmp_path: Path) -> None:
    with Browser(tmp_path / "profile") as browser:
        browser.open(site / "index.html", ready="location.pathname.endsWith('docs/index.html')")
        browser.open(site / "docs" / "index.html", dark=True, ready=COMPLETE)
        brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
        assert max(browser.value(brightness)[:3]) < 60
        button = "document.querySelector('div.highlight button.copybtn')"
        assert browser.value(f"{button} !== null"), "code is copied by a button"
        hits = "document.querySelectorAll('#search-results li a')"
        browser.open(site / "search.html", query="?q=mapReduce", ready=f"{hits}.length > 0")
        assert "reference/futures.html" in browser.value(f"{hits}[0].href")
