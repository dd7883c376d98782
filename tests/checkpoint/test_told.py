"""The line at the end of a run reads well, whatever has come together, and its numbers add up."""

from __future__ import annotations

import itertools
import re

import pytest

from scoopmpi.checkpoint.told import Tally

NAMES = ([], ["model"], ["model", "fit"], ["a", "b", "c"], ["a", "b", "c", "d", "e"])
PARTS = (
    r"\d+ of (\d+) results? found",
    r"(\d+) computed again as .*? (?:or what (?:it uses|they use)) has changed",
    r"(\d+) computed with arguments that are new",
    r"(\d+) that had failed tried again",
    r"(\d+) computed for the first time",
    r"\d+ (?:of earlier versions|of other versions|not used this time) kept "
    r"\(myscoop checkpoint show run\.ckpt\)",
)
"""What a line may consist of, in this order."""


@pytest.mark.parametrize("names", NAMES, ids=len)
@pytest.mark.parametrize("ended", [True, False])
def test_a_line_for_every_combination(names: list[str], ended: bool) -> None:
    for found, new, others, retried, left, back in itertools.product(
        (0, 1, 60), (0, 2), (0, 3), (0, 1), (0, 1, 50), (False, True)
    ):
        tally = Tally(earlier=found + retried + left)
        tally.add(found=found, new=new, others=others, retried=retried, passed_over=left // 2)
        for name in names:
            tally.add_changed(name, 4)
        if back:
            tally.goes_back()
        line = tally.summary("run.ckpt", ended)
        if not (names or others or retried or (back and left and (ended or left > 1))):
            assert line is None
            continue
        assert line is not None
        match = re.fullmatch("".join(f"(?:(?:; )?{part})?" for part in PARTS), line)
        assert match, line
        total, changed, *rest = (int(each or 0) for each in match.groups())
        assert line.startswith(f"{found} of {total} result{'s' * (total != 1)} found")
        assert (
            total == found + changed + sum(rest) == found + 4 * len(names) + others + retried + new
        )
        assert line.count("has changed") == bool(names)
        assert (" kept (" in line) == bool(left and (ended or left > 1))


def test_names_in_a_line() -> None:
    lines = []
    for names in NAMES[1:]:
        tally = Tally(earlier=60)
        for name in names:
            tally.add_changed(name, 1)
        lines.append(tally.summary("x", True))
    assert [line and line.partition(" as ")[2].partition(";")[0] for line in lines] == [
        "`model` or what it uses has changed",
        "`model` and `fit` or what they use has changed",
        "`a`, `b` and `c` or what they use has changed",
        "`a`, `b`, `c` and 2 more or what they use has changed",
    ]


def test_a_run_of_a_new_file_says_nothing() -> None:
    tally = Tally(earlier=0)
    tally.add(new=100)
    assert tally.summary("run.ckpt", True) is None
