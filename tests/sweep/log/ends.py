"""Items and their ends, as tests of logs need them."""

from __future__ import annotations

import io
from typing import Any

from scoopmpi.sweep.items.ended import Ended
from scoopmpi.sweep.items.item import Item
from scoopmpi.sweep.log import lines
from scoopmpi.sweep.log.known import Known, State

OLD, NEW = b"old row!", b"new row!"
"""Digests of an item before and after its row was edited."""
WHEN = 1472816865.0
HEADER = lines.run({"words": ["--data", "t.csv", "./x"]})


def end(number: int, digest: bytes = OLD, status: int = 0, **more: Any) -> Ended:
    given = {"worker": 3, "host": "node1", "started": WHEN + number, "seconds": 0.25, **more}
    return Ended(number=number, digest=digest, status=status, **given)


def whole(how: Ended) -> bytes:
    """What the log has of an item that was short: its start and its end."""
    return lines.started(how.number, how.worker, how.started) + lines.ended(how)


def known(text: bytes) -> Known:
    return Known(io.BytesIO(text))


def state(text: bytes, number: int = 7, digest: bytes = OLD) -> State:
    return known(text).state(Item(number, (), digest))
