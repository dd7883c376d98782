"""The outcomes of a map, asked for by one thread while another brings them."""

from __future__ import annotations

import threading

from scoopmpi.farm.ahead import Ahead
from scoopmpi.farm.map_outcomes import MapOutcomes
from scoopmpi.tasks.arguments import Source
from scoopmpi.tasks.outcomes import OutcomeRange
from scoopmpi.tasks.reorder import ReorderBuffer
from scoopmpi.wire import payload


class Slow(ReorderBuffer[OutcomeRange]):
    """Another thread looks just before an outcome can be taken."""

    looks = staticmethod(lambda: None)

    def add(self, arrived: OutcomeRange) -> None:
        thread = threading.Thread(target=self.looks)
        thread.start()
        thread.join(0.1)
        super().add(arrived)
        self.thread = thread


def test_what_is_counted_can_be_taken() -> None:
    waiting = Slow(ordered=False)
    outcomes = MapOutcomes(
        waiting, Source([[1]]), threading.RLock(), Ahead(2), None, lambda: None
    )  # fmt: skip
    lost: list[bool] = []

    def looks() -> None:
        if outcomes.count:
            lost.append(outcomes.take() is None)

    waiting.looks = looks  # type: ignore[method-assign]
    outcomes.add(OutcomeRange(0, 1, False, (payload.pack("value"),), ()))
    waiting.thread.join(10)
    assert lost == [False]
