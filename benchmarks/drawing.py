"""A chart as SVG: a row for each case, and a mark in it for each system.

Pure: figures in, text out, the same each time. A picture has its own dark colours, for whoever
prefers those, and is readable at the width of a phone. Which charts there are is in `plots`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, MARGIN, ROW, LINE = 480, 16, 42, 18
"""Units of the picture; letters have 13 of them."""
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1b1f24; }
.title { font-weight: 600; font-size: 15px; }
.quiet { fill: #57606a; font-size: 11.5px; }
.rule { stroke: #d0d7de; } .axis { stroke: #eaeef2; }
.mark { stroke: #ffffff; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .quiet { fill: #9aa4ae; }
.rule { stroke: #3d444d; } .axis { stroke: #262c33; } .mark { stroke: #131416; }
}
"""
# Told apart by everybody: colours of Okabe and Ito, and a shape for each.
OURS = ("#d55e00", "disc")
LOOKS = {
    "Pool": ("#0072b2", "square"), "ProcessPool": ("#009e73", "diamond"),
    "mpi4py.futures": ("#cc79a7", "triangle"), "mpi4py in chunks": ("#56b4e9", "wedge"),
    "schwimmbad": ("#e69f00", "bar"), "loky": ("#7f6fc9", "diamond"),
}  # fmt: skip
OTHER = ("#8c8c8c", "square")
SHAPES = {
    "square": "M-4.5-4.5h9v9h-9z", "diamond": "M0-6l6 6-6 6-6-6z", "triangle": "M0-6l6 10h-12z",
    "wedge": "M0 6l6-10h-12z", "bar": "M-2.5-7h5v14h-5z",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chart:
    """What a picture shows.

    title: what was measured. axis: what the numbers are, and which are better. systems: in the
    order of the legend, ours first. rows: figures by system, by case. log: the axis has powers of
    ten. below: how it was measured.
    """

    title: str
    axis: str
    systems: Sequence[str]
    rows: Mapping[str, Mapping[str, float]]
    log: bool = False
    below: str = ""


def drawn(chart: Chart) -> str:
    """Return the picture."""
    legend = list(_legend(chart))
    top = 54 + LINE * (legend[-1][1] + 1)
    low, high, ticks = _scale(chart)
    bottom = top + ROW * len(chart.rows)
    height = bottom + 24 + LINE * (2 if chart.below else 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(chart.title)}</title>",
        f"<style>{STYLE}</style>",
        _text(MARGIN, 22, chart.title, "title"),
        _text(MARGIN, 42, chart.axis, "quiet"),
    ]
    for system, line, x in legend:
        y = 62 + LINE * line
        parts.append(_mark(chart, system, x + 6, y - 4.5))
        parts.append(_text(x + 18, y, system))
    for tick in ticks:
        x = _x(tick, low, high, chart.log)
        parts.append(f'<path class="axis" d="M{x:.1f} {top}V{bottom}"/>')
        parts.append(_text(x, bottom + 16, shown(tick), "quiet", "middle"))
    for place, (case, figures) in enumerate(chart.rows.items()):
        parts += _row(chart, case, figures, top + ROW * place, (low, high))
    if chart.below:
        parts.append(_text(MARGIN, bottom + 42, chart.below, "quiet"))
    return "\n".join([*parts, "</svg>\n"])


def shown(value: float) -> str:
    """Three digits that count, thousands with commas."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _legend(chart: Chart) -> Iterator[tuple[str, int, float]]:
    """Give the systems with a line and a place in it for each."""
    line, x = 0, float(MARGIN)
    for system in chart.systems:
        width = 32 + 7.2 * len(system)
        if x + width > WIDTH and x > MARGIN:
            line, x = line + 1, float(MARGIN)
        yield system, line, x
        x += width


def _row(
    chart: Chart, case: str, figures: Mapping[str, float], top: float, ends: tuple[float, float]
) -> Iterator[str]:
    """Give the label of a row, and its marks: ours is large, and hides no other."""
    y = top + 29
    yield _text(MARGIN, top + 14, case)
    ours = chart.systems[0]
    if ours in figures:
        yield _text(WIDTH - MARGIN, top + 14, f"{ours} {shown(figures[ours])}", "quiet", "end")
    yield f'<path class="rule" d="M{MARGIN} {y}H{WIDTH - MARGIN}"/>'
    for system in chart.systems:
        if system in figures:
            yield _mark(chart, system, _x(figures[system], *ends, chart.log), y, figures[system])


def _scale(chart: Chart) -> tuple[float, float, list[float]]:
    """Return the ends of the axis and what is written below it."""
    values = [value for row in chart.rows.values() for value in row.values()]
    if chart.log:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return 10.0**low, 10.0**high, [10.0**power for power in range(low, high + 1)]
    step = next(
        factor * 10.0**power
        for power in range(-3, 9) for factor in (1, 2, 5)
        if max(values) <= 6 * factor * 10.0**power
    )  # fmt: skip
    count = math.ceil(max(values) / step - 0.01)
    return 0.0, step * count, [step * place for place in range(count + 1)]


def _x(value: float, low: float, high: float, log: bool) -> float:
    share = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
    return MARGIN + 14 + min(share, 1.0) * (WIDTH - 2 * MARGIN - 28)


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    look = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{look} text-anchor="{anchor}">{escape(words)}</text>'


def look(system: str) -> tuple[str, str]:
    """Return the colour and the shape of a system, the same in all pictures."""
    family = system.removesuffix(".map").removesuffix(" in chunks")
    return LOOKS.get(system) or LOOKS.get(family, OTHER)


def _mark(chart: Chart, system: str, x: float, y: float, value: float | None = None) -> str:
    colour, shape = OURS if system == chart.systems[0] else look(system)
    inner = "" if value is None else f"<title>{escape(system)}: {shown(value)}</title>"
    if shape == "disc":
        place = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8"'
        return f'{place} class="mark" fill="{colour}">{inner}</circle>'
    place = f'<path transform="translate({x:.1f} {y:.1f})" d="{SHAPES[shape]}"'
    return f'{place} class="mark" fill="{colour}">{inner}</path>'
