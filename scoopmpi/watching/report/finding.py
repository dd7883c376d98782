"""One thing that would make a run faster: what a rule of advice says where it holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Finding:
    """What was found. share: of all worker time that it has cost, about, for the order."""

    title: str
    text: str
    share: float
