"""What several workers say alike, to be told once: pure logic.

Workers run the same program, so what is wrong with it is wrong on each of them. What differs
between them (a file that one host has not) stands apart, with ranks and hosts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_ADDRESS = re.compile(r"\b0x[0-9a-f]+\b")
"""Of objects in messages: another one in each process."""


class Reports:
    """Texts and the workers that have sent them."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._workers: dict[str, list[tuple[int, str]]] = {}

    def add(self, text: str, worker: int, host: str) -> None:
        """Take the text of one worker."""
        alike = _ADDRESS.sub("0x", text)
        self._texts.setdefault(alike, text)
        self._workers.setdefault(alike, []).append((worker, host))

    def taken(self) -> list[tuple[str, list[tuple[int, str]]]]:
        """Return each text with its workers, these once; the text is empty where it was given."""
        workers, self._workers = self._workers, {}
        found = [(self._texts[alike], sorted(who)) for alike, who in workers.items()]
        self._texts |= dict.fromkeys(workers, "")
        return found

    def __bool__(self) -> bool:
        return bool(self._workers)


def more_of_the_same(text: str, who: Sequence[tuple[int, str]]) -> str:
    """Return a line for all but the first who say a text; for all where it was told before."""
    others = who[1:] if text else who
    if not others:
        return ""
    count = "1 more worker" if len(others) == 1 else f"{len(others)} more workers"
    hosts = list(dict.fromkeys(host for _, host in others))
    shown = ", ".join(hosts[:8]) + (f" and {len(hosts) - 8} more hosts" if len(hosts) > 8 else "")
    return f"{count} the same: {ranges([worker for worker, _ in others])} on {shown}"


def ranges(numbers: Sequence[int]) -> str:
    """Return rising numbers in short: 1-3,7."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in spans)
