"""`--halt`, as GNU parallel spells it: what is read, and when it is time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoopmpi.sweep import halting
from scoopmpi.sweep.halting import Counts, Halt


@pytest.mark.parametrize(
    ("text", "now", "why", "number", "share"),
    [
        ("soon,fail=1", False, "fail", 1, False),
        ("now,fail=3", True, "fail", 3, False),
        ("now,success=20%", True, "success", 20, True),
        ("soon,done=7", False, "done", 7, False),
        ("1", False, "fail", 1, False),
        ("2", True, "fail", 1, False),
        ("-1", False, "success", 1, False),
        ("-2", True, "success", 1, False),
        ("5%", False, "fail", 5, True),
    ],
)
def test_what_parallel_reads_is_read(
    text: str, now: bool, why: str, number: int, share: bool
) -> None:
    found = halting.read(text)
    assert found is not None
    assert found[1:] == (now, why, number, share)
    assert halting.problem(text) is None


@pytest.mark.parametrize("text", ["never", "0"])
def test_never_is_never(text: str) -> None:
    assert halting.read(text) is None


@pytest.mark.parametrize(
    "text", ["", "soon", "later,fail=1", "soon,fail", "soon,fail=", "soon,fail=-1", "now,fail=0",
             "soon,fail=101%", "soon,fail=1.5", "soon, fail=1", "3", "٣%", "-3", "now,lost=1"],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="--halt"):
        halting.read(text)
    assert text in (halting.problem(text) or "")


def test_percentages_are_of_all_items() -> None:
    halt = halting.read("soon,fail=10%")
    assert halt is not None
    assert not halt.reached(Counts(failed=1, well=18), 20)
    assert halt.reached(Counts(failed=2), 20)
    assert not halt.reached(Counts(failed=20), None), "nobody knows yet how many there are"
    assert not halt.reached(Counts(), 0)


counts = st.integers(0, 300)


@given(st.sampled_from(["fail", "success", "done"]), st.integers(1, 100), st.booleans(), counts,
       counts, st.integers(1, 600))  # fmt: skip
def test_it_is_time_from_the_number_on(
    why: str, number: int, share: bool, failed: int, well: int, items: int
) -> None:
    halt = Halt("", False, why, number, share)
    counted = {"fail": failed, "success": well, "done": failed + well}[why]
    wanted = number * items / 100 if share else number
    assert halt.reached(Counts(failed, well), items) == (counted >= wanted)
