"""Keys of tasks that two threads work out at a time."""

from __future__ import annotations

from typing import Any

import pytest

from scoopmpi.tasks import pedigree


class Overtaken(tuple[Any, ...]):
    """An origin: when its maker is looked up another thread works out the key of what is below."""

    below: pedigree.Maker | None = None

    def __getitem__(self, place: Any) -> Any:
        below, self.below = self.below, None
        if below is not None:
            pedigree.key_of(below)
        return super().__getitem__(place)


@pytest.mark.parametrize("last", [False, True])
def test_two_threads_work_out_the_key_of_the_same_task(last: bool) -> None:
    first: pedigree.Maker = [Overtaken((1, 0, 1, 0, None)), 3]
    second: pedigree.Maker = [Overtaken((1, first, 2, 0, None)), 5]
    key = pedigree.key_of([(1, [(1, 0, 1, 0, None), 3], 2, 0, None), 5])
    first[0].below = second if last else first
    assert pedigree.key_of(second) == key
    assert (second[2:], len(first)) == ([key], 3)
