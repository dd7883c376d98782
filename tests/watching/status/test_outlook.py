"""When the work ends, beside when the job does."""

from __future__ import annotations

import pytest

from scoopmpi.watching.estimate import Estimate
from scoopmpi.watching.status.outlook import Outlook, outlook
from scoopmpi.watching.status.words import duration, memory, rate

NOW = 1796016400.0


def seconds(left: float | None, more: bool = False) -> Estimate:
    return Estimate(left, 2.0, more)


def test_work_that_fits_has_time_to_spare() -> None:
    assert outlook(seconds(600), 1200, NOW, NOW + 1000) == Outlook(NOW + 600, NOW + 1000, 400.0)
    assert outlook(seconds(600), 1200, NOW, None) == Outlook(NOW + 600)
    assert outlook(seconds(None), 1200, NOW, NOW + 60) == Outlook(ends=NOW + 60)
    assert outlook(seconds(0), 0, NOW, NOW + 60) == Outlook(ends=NOW + 60), "nothing is to do"


def test_work_that_does_not_fit_comes_with_what_to_do() -> None:
    found = outlook(seconds(7200), 1200, NOW, NOW + 5400)
    assert found.spare == -1800
    assert found.hint == (
        "the work does not fit: it needs 2 h 00 min, the job ends in 1 h 30 min; "
        "about 300 tasks of the 1200 that are left will not be done; "
        "with --checkpoint FILE another run would go on from there; "
        "--stop-before auto begins no task that would be cut"
    )
    kept = outlook(seconds(7200), 1200, NOW, NOW + 5400, "run.ckpt", stops=True)
    assert kept.hint is not None and kept.hint.endswith(
        "will not be done; run it again with --checkpoint run.ckpt: it goes on from there"
    )
    late = outlook(seconds(10), 1, NOW, NOW - 5)
    assert late.hint is not None and "about 1 task of the 1" in late.hint


def test_little_time_to_spare_is_tight_and_held_tasks_are_said() -> None:
    tight = outlook(seconds(600), 1200, NOW, NOW + 630)
    assert tight.hint == "it will be tight: the job ends 30 s after the work is expected to"
    held = outlook(seconds(600), 1200, NOW, NOW + 60, "c", stops=True, held=True)
    assert held.expected is None and held.hint is not None
    assert held.hint.startswith("no task begins any more that would not end before the job does")


@pytest.mark.parametrize(("number", "text"), [
    (0, "0 s"), (0.0123, "0.012 s"), (2.46, "2.5 s"), (9.7, "10 s"), (75, "75 s"),
    (125, "2 min 05 s"), (754, "13 min"), (3599, "1 h 00 min"), (11100, "3 h 05 min"),
    (86399, "24 h 00 min"), (90000, "1 d 01 h"), (863999, "10 d 00 h"),
])  # fmt: skip
def test_seconds_in_words(number: float, text: str) -> None:
    assert duration(number) == text


def test_bytes_and_paces_in_words() -> None:
    sizes = [memory(size) for size in (0, 34e6, 999.4e6, 1.23e9, 250e9, 5e12)]
    assert sizes == ["0 MB", "34 MB", "999 MB", "1.2 GB", "250 GB", "5000 GB"]
    paces = [rate(each) for each in (1234, 2.5, 1 / 30, 1 / 1800, 1e-5)]
    assert paces == ["1234 a second", "2.5 a second", "2 a minute", "2 an hour", "0.036 an hour"]
