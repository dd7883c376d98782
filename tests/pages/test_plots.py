"""Pictures of the benchmarks are those of the figures that are kept, which are complete."""

from __future__ import annotations

import json
import re
import sys
from datetime import date
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support.libraries import ROOT

KEPT: dict[str, Any] = json.loads((ROOT / "benchmarks" / "measured.json").read_text())
PICTURES = ROOT / "docs" / "pictures" / "benchmarks"


@pytest.fixture
def plots(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    for name in ("plots", "drawing"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import plots  # type: ignore[import-not-found]

    return plots  # type: ignore[no-any-return]


@pytest.mark.parametrize("part", sorted(KEPT))
def test_figures_say_where_they_come_from(part: str) -> None:
    kept = KEPT[part]
    assert kept["command"].startswith("python benchmarks/") and kept["rounds"] > 0
    assert (ROOT / kept["command"].split()[1]).is_file()
    assert date.fromisoformat(kept["date"]) and re.match(r"\d+ cores of ", kept["machine"])
    assert {"Python", "MPI", "scoopmpi", "mpi4py"} <= kept["versions"].keys()
    figures = [value for row in kept["figures"].values() for value in row.values()]
    assert figures and all(value > 0 for value in figures)


def test_pictures_are_drawn_from_the_figures(plots: ModuleType) -> None:
    """Else: `python benchmarks/plots.py`."""
    drawn = {name: plots.drawn(chart) for name, chart in plots.charts(KEPT)}
    assert drawn.keys() == plots.PICTURES_OF.keys()
    assert {path.stem: path.read_text() for path in PICTURES.glob("*.svg")} == drawn


def test_every_picture_is_on_the_page() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    assert set(re.findall(r"benchmarks/([\w-]+)\.svg", page)) == {
        path.stem for path in PICTURES.glob("*.svg")
    }


def test_a_picture_has_a_mark_for_each_figure_and_nothing_outside(plots: ModuleType) -> None:
    for _, chart in plots.charts(KEPT):
        root = ElementTree.fromstring(plots.drawn(chart))
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        marks = [each for each in root.iter() if each.get("class") == "mark"]
        told = [each for each in marks if len(each)]
        assert len(told) == sum(map(len, chart.rows.values()))
        assert len(marks) == len(told) + len(chart.systems)
        for each in root.iter("{http://www.w3.org/2000/svg}text"):
            x, y = float(each.attrib["x"]), float(each.attrib["y"])
            letters = 6.2 * len(each.text or "")
            left = x - letters * {"start": 0, "middle": 0.5, "end": 1}[each.attrib["text-anchor"]]
            assert left >= -1 and left + letters <= width + 1 and y < height, each.text
        places = [float(place) for place in re.findall(r'cx="([\d.]+)"', plots.drawn(chart))]
        assert all(0 < place < width for place in places)


def test_rounds_become_medians(plots: ModuleType) -> None:
    found = {"a": [{"x": 1.0}, {"x": 3.0}, {"x": 2.00004}], "b": [{"y": 5.0}]}
    assert plots.medians(found) == {"x": {"a": 2.0}, "y": {"b": 5.0}}


def test_a_part_is_measured_as_it_is_kept(
    plots: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With figures of nobody: starts are shown where the benchmarks themselves are."""
    import peers  # type: ignore[import-not-found]

    monkeypatch.setattr(peers, "measured", lambda *words: {"scoopmpi": [{"round trip, us": 5.0}]})
    monkeypatch.setattr(peers, "library", lambda: "Open MPI 5")
    made = plots.measured("calls", 2)
    assert made.keys() == KEPT["calls"].keys()
    assert made["figures"] == {"round trip, us": {"scoopmpi": 5.0}} and made["rounds"] == 2


def test_axes_end_behind_the_figures(plots: ModuleType) -> None:
    from drawing import Chart, _scale  # type: ignore[import-not-found]

    for values, log, expected in (
        ((0.97, 0.3), False, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ((45.7, 298.0), True, [10, 100, 1000]),
        ((10.7,), False, [0, 2, 4, 6, 8, 10, 12]),
    ):
        rows = {"case": dict(zip("ab", values, strict=False))}
        low, high, ticks = _scale(Chart("", "", "ab", rows, log))
        assert ticks == pytest.approx(expected) and (low, high) == (ticks[0], ticks[-1])
