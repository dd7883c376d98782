"""The whole page: sections, what its scripts draw, and the bound of its size.

The page loads nothing: styles, scripts and numbers are in it, and a policy of its own forbids the
browser to fetch anything else.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import replace
from importlib import resources
from typing import Any

import numpy as np

from ..durations import BINS
from . import amounts, sections
from . import sections_of_events as events
from .facts import Facts
from .markup import data, short, shown, visible
from .run import Column, Job
from .timeline import MOST, packed, timeline

LARGEST = 6_000_000
"""Bytes of a page, at most: mail and browsers take it."""
DRAWN = 6
"""Functions whose durations are drawn: more curves are not told apart."""
MOST_JOBS = 2000
"""Jobs above the time line: more of them than pixels are not seen."""
TOGETHER = 200
"""Parts of the run; of more jobs those of a function that begin in the same part are one there."""
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)
_SCRIPTS = ("spans.js", "timeline.js", "explorer.js", "charts.js")
_LIBRARY = "plotly.js draws curves and histograms; it is under the MIT licence."


def page(facts: Facts, plotly: str, most: int = MOST) -> str:
    """Return the page of a run.

    plotly: the source of plotly.js. most: spans of the time line; fewer where the page is too long.
    """
    while True:
        text = _page(facts, plotly, most)
        if len(text.encode()) <= LARGEST or most < 1000:
            return text
        most //= 2


def _page(facts: Facts, plotly: str, most: int) -> str:
    line = packed(timeline(facts.run, most), len(facts.run.workers), facts.run.seconds)
    spans = line.pop("data")
    command = shown(str(facts.run.about.get("command") or "a run"))
    body = "".join((
        sections.head(facts), '<p class="note" id="trouble"></p>', sections.where_time_went(facts),
        sections.what_would_help(facts), _timeline(facts, line), sections.by_function(
            facts, '<div id="durations" role="img" aria-label="Histogram of the durations"></div>'
        ),
        sections.slow_tasks(facts), sections.hosts(facts), events.losses(facts),
        events.failures(facts), events.maps(facts), events.the_run(facts),
    ))  # fmt: skip
    scripts = "\n".join(f"<script>{_asset(name)}</script>" for name in _SCRIPTS)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="scoopmpi">
<title>Report: {command}</title>
<style>{_asset("report.css")}</style>
</head>
<body>
{body}
<footer>Made by scoopmpi from the trace of this run. {_LIBRARY}</footer>
<script type="application/json" id="data">{data(_numbers(facts, line))}</script>
<script type="text/plain" id="spans">{spans}</script>
<script type="text/plain" id="plotly">{_deflated(plotly)}</script>
{scripts}
</body>
</html>
"""


def _asset(name: str) -> str:
    return resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


def _deflated(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _timeline(facts: Facts, line: dict[str, Any]) -> str:
    names = facts.run.functions
    legend = "".join(
        f'<span><span class="key" style="background:var(--kind-{min(place, 8)})"></span>'
        f"{shown(short(names[number]))}</span>"
        for place, number in enumerate(_by_work(facts)[:9])
    )
    more = len(names) - 9
    legend += f"<span>and {amounts.count(more, 'other')}, in grey</span>" if more > 0 else ""
    lost = " Brown: lost." if any(worker.lost is not None for worker in facts.run.workers) else ""
    merged = line["merged"]
    note = (
        f"Neighbours that are shorter than {amounts.duration(merged)} are drawn as one."
        if merged
        else ""
    )
    return sections.section(
        "Time line",
        '<noscript><p class="note">The time line and the curves need JavaScript; all numbers are in'
        " the tables.</p></noscript>",
        f'<div class="legend muted">{legend}</div>',
        '<div class="tools"><button type="button" id="reset">Whole run</button>'
        '<button type="button" id="closer" aria-label="Zoom in">+</button>'
        '<button type="button" id="wider" aria-label="Zoom out">−</button>'
        '<span class="hint">Zoom: wheel, drag, + and −. Move: shift and drag, arrows.</span>'
        f"<span>Red: failed.{lost}</span></div>",
        '<div class="frame"><canvas id="timeline" tabindex="0" role="img" aria-label="A line for'
        ' each worker, with what it ran when; the tables below say it in numbers"></canvas>'
        '<div id="tip" hidden></div></div><div id="curves" role="img"'
        ' aria-label="Workers at work, tasks queued and load of rank 0 over time"></div>',
        sections.paragraph(note),
    )  # fmt: skip


def _by_work(facts: Facts) -> list[int]:
    """Return the numbers of functions, that first on which workers spent most time."""
    names = {name: number for number, name in enumerate(facts.run.functions)}
    first = dict.fromkeys(names[each.name] for each in facts.functions if each.name in names)
    return list(first | dict.fromkeys(names.values()))


def _numbers(facts: Facts, line: dict[str, Any]) -> dict[str, Any]:
    """Return what the page's scripts get."""
    run = facts.run
    order = _by_work(facts)
    hosts = {name: number for number, name in enumerate(run.hosts)}
    jobs = sorted(run.jobs.values(), key=lambda job: job.began)
    return {
        "seconds": round(run.seconds, 6),
        "timeline": line,
        "functions": [visible(name, 200) for name in run.functions],
        "kinds": [order.index(number) for number in range(len(order))],
        "hosts": [visible(name, 100) for name in hosts],
        "workers": [
            {
                "rank": worker.rank, "pid": worker.pid, "host": hosts[worker.host],
                "lost": None if worker.lost is None else round(worker.lost, 6),
            }
            for worker in run.workers
        ],
        "names": {job.number: visible(job.name, 200) for job in jobs[:MOST_JOBS]},
        "jobs": _bands(_fewer(jobs, run.seconds), run.seconds),
        "at": _rounded(facts.curves.at, run.seconds * 1e-6),
        "curves": _curves(facts),
        "durations": [_histogram(facts, at) for at in range(min(len(facts.functions), DRAWN))],
    }  # fmt: skip


def _fewer(jobs: list[Job], seconds: float) -> list[Job]:
    """Return jobs, or, where they are too many, those of a function that begin together as one."""
    if len(jobs) <= MOST_JOBS:
        return jobs
    groups: dict[tuple[str, int], list[Job]] = {}
    for job in jobs:
        function = job.name.partition(" of ")[2] or job.name
        groups.setdefault((function, int(job.began / seconds * TOGETHER)), []).append(job)
    found = []
    for (function, _), group in groups.items():
        ended = max(seconds if job.ended is None else job.ended for job in group)
        many = f"{amounts.count(len(group), 'map')} of {function}"
        found.append(replace(group[0], name=many if len(group) > 1 else group[0].name, ended=ended))
    return found[:MOST_JOBS]


def _bands(jobs: list[Job], seconds: float) -> list[dict[str, Any]]:
    """Return where jobs stand above the time line: in lanes, so that they do not overlap."""
    free: list[float] = []
    found = []
    for job in jobs:
        ended = seconds if job.ended is None else job.ended
        lane = next((place for place, until in enumerate(free) if until <= job.began), len(free))
        free[lane : lane + 1] = [ended]
        found.append({
            "name": visible(job.name, 200), "began": round(job.began, 6), "ended": round(ended, 6),
            "lane": lane,
        })  # fmt: skip
    return found


def _curves(facts: Facts) -> list[dict[str, Any]]:
    curves, many = facts.curves, len(facts.run.workers)
    known = (
        ("working", curves.working, "Workers at work", "workers at work", "--working", many * 1.05),
        ("queued", curves.queued, "Tasks queued", "tasks queued", "--kind-0", None),
        ("load", curves.load, "Load of rank 0, percent of a core", "% of a core", "--alone", None),
    )
    return [
        {
            "name": name, "values": _rounded(values, 1e-3), "title": title, "unit": unit,
            "colour": colour, "most": most,
        }
        for name, values, title, unit, colour, most in known if values is not None
    ]  # fmt: skip


def _rounded(values: Column, step: float) -> list[float]:
    digits = max(0, min(6, int(np.ceil(-np.log10(step)))))
    return [float(each) for each in np.round(values, digits)]


def _histogram(facts: Facts, place: int) -> dict[str, Any]:
    """Return the durations of a function for the chart: a bin from each edge to the next."""
    function = facts.functions[place]
    bins, tasks = function.durations.bins, max(function.durations.tasks, 1)
    numbers = range(min(bins, default=0), max(bins, default=0) + 1)
    edges = [10 ** (number / BINS) for number in (*numbers, numbers[-1] + 1)]
    name = visible(short(function.name))
    told = [
        f"{name}: {amounts.count(bins[number], 'task')}, {amounts.duration(low)} to"
        f" {amounts.duration(high)}"
        for number, low, high in zip(numbers, edges[:-1], edges[1:], strict=True)
    ]
    return {
        "name": _plain(name), "kind": place, "edges": [edges[0], *edges],
        "shares": [0.0, *(round(100 * bins[number] / tasks, 3) for number in numbers), 0.0],
        "counts": [_plain(text) for text in (told[0], *told, told[-1])],
    }  # fmt: skip


def _plain(text: str) -> str:
    """Return a text in which plotly finds no markup of its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
