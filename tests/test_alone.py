"""A test that measures seconds has the machine for itself, however many processes run tests."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

from tests.support.alone import admitted


def test_nobody_is_in_the_room_with_one_who_is_alone(tmp_path: Path) -> None:
    inside: list[bool] = []
    met: list[list[bool]] = []

    def enters(seed: int) -> None:
        chance = random.Random(seed)
        for turn in range(30):
            alone = turn % 5 == 0
            with admitted(tmp_path, alone):
                inside.append(alone)
                time.sleep(chance.random() * 0.003)
                met.append([*inside])
                inside.remove(alone)

    threads = [threading.Thread(target=enters, args=(seed,), daemon=True) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert len(met) == 120
    assert all(there == [True] for there in met if True in there)
    assert any(len(there) > 1 for there in met), "others share it"
