"""How far maps are, in a cell: a message for each line, drawn anew, and what stays."""

from __future__ import annotations

from typing import Any

import pytest

from scoopmpi.kernel.progress import CellDisplay, as_html
from scoopmpi.watching.progress.choice import Choice
from scoopmpi.watching.progress.row import Busy, Row


class Cell:
    """What was sent to it, and what is over."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.over: list[Row] = []
        self.display = CellDisplay(self.stay, self.publish)

    def stay(self) -> list[Row]:
        over, self.over = self.over, []
        return over

    def publish(self, kind: str, content: dict[str, Any]) -> None:
        name = content["transient"]["display_id"]
        self.sent.append((kind, name, content["data"]["text/plain"]))


def test_a_line_is_drawn_anew_and_stays_when_it_is_over() -> None:
    cell = Cell()
    cell.display.show([])
    assert cell.sent == []
    cell.display.show([Row("square", 3, 10)])
    cell.display.show([Row("square", 7, 10)])
    cell.over = [Row("square", 10, 10, took=4.0)]
    cell.display.show([])
    cell.display.show([])
    kinds = [kind for kind, _, _ in cell.sent]
    assert kinds == ["display_data", "update_display_data", "update_display_data"]
    assert len({name for _, name, _ in cell.sent}) == 1
    assert [text for _, _, text in cell.sent] == [
        "square: 3 of 10 done", "square: 7 of 10 done", "square: 10 of 10 done in 4.0 s",
    ]  # fmt: skip


def test_what_follows_is_shown_apart() -> None:
    """It may be another cell's."""
    cell = Cell()
    cell.display.show([Row("a", 1, 2)])
    cell.display.leave()
    cell.display.settle()
    cell.display.show([Row("b", 1, 2)])
    assert [kind for kind, _, _ in cell.sent] == ["display_data"] * 2
    assert len({name for _, name, _ in cell.sent}) == 2


def test_names_of_functions_are_no_html() -> None:
    shown = as_html([Row("<lambda>", 1, 4, busy=Busy(1, 2)), Row("x", 5), Row("y", 2, 2, took=1.0)])
    assert "&lt;lambda&gt;" in shown and "<lambda>" not in shown
    assert '<progress value="1" max="4"></progress>' in shown and "<progress></progress>" in shown
    assert shown.count("<progress") == 2


@pytest.mark.parametrize(("asked", "quiet"), ((False, False), (None, True)))
def test_nothing_is_shown_where_that_was_asked_for(asked: bool | None, quiet: bool) -> None:
    choice = Choice(asked, {}, quiet)
    assert choice.readers_by(lambda stay: CellDisplay(stay, lambda kind, content: None)) == ()
    choice.rest()


def test_in_a_batch_job_the_cell_shows_in_the_place_of_the_log() -> None:
    made = []

    def make(stay: Any) -> Any:
        made.append(CellDisplay(stay, lambda kind, content: None))
        return made[-1]

    plain = Choice(None, {})
    assert len(plain.readers_by(make)) == 2
    in_job = Choice(True, {"SLURM_JOB_ID": "1"})
    before = in_job.readers()
    assert len(before) == 2 and in_job.readers_by(make) == ()
    assert in_job._display(list) is made[-1]
