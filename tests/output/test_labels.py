"""Labels before lines: one for each line, when it begins, and no line without an end."""

from __future__ import annotations

import random

import pytest

from scoopmpi.output.labels import LabelledLines


@pytest.mark.parametrize("seed", range(30))
def test_each_line_has_the_label_of_the_task_that_began_it(seed: int) -> None:
    chance = random.Random(seed)
    running = ["a"]
    lines = LabelledLines(lambda: f"[{running[0]}] ", bool)
    shown = b""
    expected: list[str] = []
    for task in range(6):
        running[0] = f"t{task}"
        text = "".join(chance.choice(["x", "yy", "\n"]) for _ in range(chance.randint(0, 12)))
        expected += [f"[t{task}] {line}" for line in text.split("\n") if line or "\n" in text]
        if text.endswith("\n"):
            expected.pop()
        if not text:
            expected = expected[:]
        while text:
            size = chance.randint(1, 4)
            shown += lines.text("worker", text[:size].encode(), task)
            text = text[size:]
        if chance.random() < 0.5:  # else the next task's line sends the rest
            shown += lines.rest("worker")
    shown += lines.rest("worker")
    assert shown.decode().splitlines() == expected
    assert not shown or shown.endswith(b"\n")


def test_bytes_in_one_piece_have_labels_too() -> None:
    lines = LabelledLines(lambda: "[t] ", bool)
    assert lines.binary("worker", b"a\nb\n") == b"[t] a\n[t] b\n"


def test_what_goes_to_a_file_of_its_own_goes_at_once_and_has_no_label() -> None:
    apart = [False]
    for label in (None, lambda: "[t] "):
        lines = LabelledLines(label, lambda: apart[0])
        apart[0] = False
        before = lines.text("worker", b"be")
        apart[0] = True
        assert before == b"" and lines.text("worker", b"gun")[-3:] == b"gun"
        assert lines.binary("worker", b"more") == b"more" and not lines


def test_without_labels_lines_are_as_they_were_written() -> None:
    lines = LabelledLines(None, bool)
    assert lines.text("worker", b"a\nb") == b"a\n" and lines.rest("worker") == b"b"
