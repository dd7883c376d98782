"""The page of a report as a browser shows it: drawn, zoomed, and with nothing of the user's run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from scoopmpi.watching.report.facts import facts
from scoopmpi.watching.report.page import page
from scoopmpi.watching.report.run import run_of
from tests.support.browser import Browser, found
from tests.support.traces import Event, Farm, large, small
from tests.watching.test_report_page import hostile

pytestmark = [
    pytest.mark.ranks,
    pytest.mark.skipif(found() is None, reason="no Chromium here: apt install chromium"),
]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with Browser(tmp_path / "profile") as started:
        yield started
        assert not started.said, started.said
        assert {address.partition(":")[0] for address in started.requests} <= {"file", "data"}


def written(path: Path, trace: Event) -> Path:
    run = run_of(trace["otherData"], trace["traceEvents"])
    path.write_bytes(page(facts(run), get_plotlyjs()).encode("utf-8", "backslashreplace"))
    assert path.stat().st_size < 6_000_000
    return path


def view(browser: Browser) -> tuple[float, float]:
    """What part of the run the time line shows, when all that follows has happened."""
    browser.value("new Promise((done) => setTimeout(done, 200))")
    shown = browser.value("[canvas().from, canvas().until]")
    curves = browser.value("document.getElementById('curves').layout.xaxis.range")
    assert curves == pytest.approx(shown, abs=1e-3), "curves show another part"
    return tuple(shown)


def place(browser: Browser, share: float) -> dict[str, Any]:
    """A place of the time line, in its first row. share: of its width."""
    return browser.value(
        "(() => { const box = document.getElementById('timeline').getBoundingClientRect();"
        " const line = canvas(); return {x: box.left + line.gutter + "
        f"{share} * (box.width - line.gutter), y: box.top + line.above + 4}}; }})()"
    )  # type: ignore[no-any-return]


CANVAS = "window.canvas = () => document.getElementById('timeline').timeline"


def test_a_time_line_that_is_zoomed_by_wheel_mouse_and_keys(
    browser: Browser, tmp_path: Path
) -> None:
    browser.open(written(tmp_path / "r.html", small().trace()), height=4000)
    browser.value(CANVAS)
    whole = browser.value("[0, canvas().seconds]")
    assert view(browser) == tuple(whole)
    browser.mouse("mouseWheel", **place(browser, 0.25), deltaX=0, deltaY=-240)
    near, far = view(browser)
    assert near > 0 and far < whole[1]
    middle = 0.25 * whole[1]
    assert (middle - near) / (far - near) == pytest.approx(0.25, abs=0.01), "under the mouse"
    browser.value("document.getElementById('timeline').focus()")
    browser.key("ArrowRight")
    assert view(browser)[0] > near
    browser.key("Home")
    assert view(browser) == tuple(whole)
    for kind, share in (("mousePressed", 0.5), ("mouseMoved", 0.6), ("mouseReleased", 0.75)):
        browser.mouse(kind, **place(browser, share), button="left", buttons=1, clickCount=1)
    assert view(browser) == pytest.approx((0.5 * whole[1], 0.75 * whole[1]), rel=0.01)
    browser.value("document.getElementById('reset').click()")
    assert view(browser) == tuple(whole)
    browser.mouse("mouseMoved", **place(browser, 0.3))
    said = browser.value("document.getElementById('tip').textContent")
    assert said.startswith("worker 1 (pid 4001) on node001, at 2.5") and "simulate 18" in said
    assert "of map 1 of simulate: 1 task, 146 ms" in said


def test_what_is_drawn_is_what_ran(browser: Browser, tmp_path: Path) -> None:
    """The coloured part of each row is the part of the time in which its worker had a task."""
    trace = small().trace()
    browser.open(written(tmp_path / "r.html", trace))
    shares = browser.value(
        "(() => { const line = document.getElementById('timeline').timeline; return"
        " line.tops.map((top) => { let many = 0; for (let x = 0; x < line.width; x++)"
        " many += line.pixels[top * line.width + x] !== line.pixels[line.width - 1];"
        " return many / line.width; }); })()"
    )
    run = run_of(trace["otherData"], trace["traceEvents"])
    for row, share in enumerate(shares):
        busy = run.spans.busy[run.spans.row == row].sum()
        assert share == pytest.approx(busy / run.seconds, abs=0.02)


def test_many_workers_share_lines_and_long_names_are_short(
    browser: Browser, tmp_path: Path
) -> None:
    name = "a_function_whose_name_" + "goes_on_and_on_" * 20
    farm = Farm(workers=4000, hosts=100).map(name, [1.0] * 8000, overhead=0.0)
    browser.open(written(tmp_path / "r.html", farm.trace()), height=4000)
    browser.value(CANVAS)
    lines, height = browser.value("[canvas().tops.length, canvas().canvas.height]")
    assert 1000 < lines <= 1500 and height < 2000
    assert browser.value("document.documentElement.scrollWidth <= innerWidth")
    browser.mouse("mouseMoved", **place(browser, 0.5))
    assert "a_function_whose_name" in browser.value("document.getElementById('tip').textContent")
    middle = browser.value("canvas().pixels[canvas().width / 2]")
    start = browser.value("canvas().pixels[0]")
    assert middle != start, "half of the run it works, at its beginning nothing"


def test_hostile_names_run_nothing(browser: Browser, tmp_path: Path) -> None:
    browser.open(written(tmp_path / "r.html", hostile()), width=800, height=4000)
    browser.value("window.alert = () => { window.struck = true; }")
    browser.value(CANVAS)
    browser.mouse("mouseMoved", **place(browser, 0.3))
    assert "<img src=x onerror" in browser.value("document.getElementById('tip').textContent")
    assert browser.value("document.images.length + document.links.length") == 0
    assert browser.value("window.struck") is None
    assert "</script><script>alert(1)" in browser.value("document.title")


def test_colours_follow_the_system_and_paper_is_light(browser: Browser, tmp_path: Path) -> None:
    path = written(tmp_path / "r.html", large(3000, 200, 10).trace())
    colours = (
        "[getComputedStyle(document.body).backgroundColor,"
        " document.getElementById('timeline').timeline.idle[0],"
        " document.getElementById('curves').layout.font.color,"
        " document.documentElement.scrollWidth <= innerWidth]"
    )
    browser.open(path, width=800)
    light = browser.value(colours)
    browser.look(dark=True)
    dark = browser.value(f"new Promise((done) => setTimeout(() => done({colours}), 300))")
    assert light[0] == "rgb(255, 255, 255)" and dark[0] == "rgb(20, 24, 29)"
    assert light[1] > 200 > 60 > dark[1] and light[2] != dark[2]
    assert light[3] and dark[3], "nothing is wider than the window"
    browser.value("dispatchEvent(new Event('beforeprint'))")
    assert browser.value(colours)[:3] == light[:3]
    browser.value("dispatchEvent(new Event('afterprint'))")
    assert browser.value(colours)[:3] == dark[:3]


@pytest.mark.alone
def test_a_hundred_thousand_batches_are_zoomed_smoothly(browser: Browser, tmp_path: Path) -> None:
    """The least of some redraws: what a machine does that has nothing else to do."""
    browser.open(written(tmp_path / "r.html", large(100_000).trace()))
    browser.value(CANVAS)
    spans, *spent = browser.value(
        "(() => { const line = canvas(); const found = [line.spans.began.length];"
        " for (const share of [0, 0.2, 0.4]) { let least = 1e9; for (let n = 0; n < 30; n++)"
        " { line.from = share * line.seconds; line.until = line.seconds - line.from; line.draw();"
        " least = Math.min(least, line.spent); } found.push(least); } return found; })()"
    )
    assert spans > 100_000
    assert max(spent) < 16, f"{spent} ms for a picture: below 60 a second"
