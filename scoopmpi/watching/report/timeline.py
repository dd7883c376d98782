"""The time line of all workers, in as few bytes as the page needs to draw and to explain it.

Spans that are too short to be seen apart become one with their neighbours, until there are few
enough. Numbers are packed as columns of unsigned integers, deflated, in base64: `spans.js`
unpacks them.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from .run import Column, Spans, TracedRun

MOST = 150_000
"""Spans of a page: some 2 MB; 200 rows of a wide window have as many pixels."""
_LARGEST = (1 << 32) - 2


@dataclass(slots=True)
class Timeline:
    """Spans as the page has them.

    spans: those of batches and of nested tasks, by row and beginning. merged: seconds up to which
    neighbours were made one; 0.0 where each span is one of the trace.
    """

    spans: Spans
    merged: float


def timeline(run: TracedRun, most: int = MOST) -> Timeline:
    """Return the time line of a run with no more spans than that, unless workers alone are more."""
    spans = _joined(run.spans, run.nested)
    longest, width = float((spans.ended - spans.began).max(initial=0.0)), run.seconds / 1e6
    merged = spans
    while len(merged) > most and width < 4 * max(run.seconds, longest):
        merged = coarse(merged, width)
        width *= 2
    return Timeline(merged, 0.0 if merged is spans else width / 2)


def _joined(spans: Spans, nested: Spans) -> Spans:
    names = Spans.__slots__
    both = Spans(*(np.concatenate([getattr(spans, name), getattr(nested, name)]) for name in names))
    return both.chosen(np.lexsort((both.began, both.depth, both.row)))


def coarse(spans: Spans, width: float) -> Spans:
    """Return spans where those shorter than this, neighbours of one function, are one.

    width: seconds; what becomes one begins within so many.
    """
    short = spans.ended - spans.began < width
    place = np.where(short, np.floor(spans.began / width), -1)
    same = short[1:] & short[:-1] & (place[1:] == place[:-1])
    for name in ("row", "depth", "function"):
        column = getattr(spans, name)
        same &= column[1:] == column[:-1]
    first = np.flatnonzero(np.concatenate([[True], ~same])) if len(spans) else np.zeros(0, int)
    result = spans.chosen(first)
    if not len(spans):
        return result
    for name in ("busy", "tasks", "failed", "batches", "inner"):
        setattr(result, name, np.add.reduceat(getattr(spans, name), first))
    for name in ("ended", "attempt", "peak", "resident", "end"):
        setattr(result, name, np.maximum.reduceat(getattr(spans, name), first))
    return result


def packed(line: Timeline, rows: int, seconds: float) -> dict[str, Any]:
    """Return what the page gets: a text, and how to read it.

    rows: lines of the time line. seconds: of the whole run.
    """
    spans = line.spans
    ends = [float(spans.ended.max(initial=0.0)), seconds]
    unit = max(1e-6, max(ends) / _LARGEST)
    counts = np.bincount(spans.row, minlength=rows).astype(np.uint32)
    began = _integers(spans.began / unit)
    columns = [
        _differences(began, spans.row), _integers((spans.ended - spans.began) / unit),
        _integers(spans.busy / unit), _integers(spans.function), _integers(spans.tasks),
        _integers(spans.failed), _integers(spans.job + (1 << 20)),
        _differences(_integers(spans.start), spans.row, signed=True), _integers(spans.batches),
        _integers(spans.attempt), _integers(spans.depth), _integers(spans.end),
    ]  # fmt: skip
    # The bytes of one place of all numbers stand together: that deflates to half.
    data = b"".join(
        np.ascontiguousarray(column.view(np.uint8).reshape(-1, 4).T).tobytes()
        for column in (counts, *columns)
    )
    text = base64.b64encode(zlib.compress(data, 9)).decode()
    return {"data": text, "rows": rows, "spans": len(spans), "unit": unit, "merged": line.merged}


def _integers(values: Column) -> Column:
    return np.asarray(np.clip(np.rint(values.astype(float)), 0, _LARGEST), "<u4")


def _differences(values: Column, rows: Column, signed: bool = False) -> Column:
    """Return each value less the one before in its row; modulo 2**32.

    signed: small ones are made small for whichever sign (zigzag).
    """
    before = np.concatenate([[0], values[:-1].astype(np.int64)])
    before[np.concatenate([[True], rows[1:] != rows[:-1]])[: len(values)]] = 0
    steps = values.astype(np.int64) - before[: len(values)]
    if signed:
        steps = np.where(steps < 0, -2 * steps - 1, 2 * steps)
    return np.asarray(steps & 0xFFFFFFFF, "<u4")
