"""Lines with a label before each, which says who prints them: on request only.

A label is put where a line begins, when it begins: what a task has printed bears its name, also
where it is sent later. A line that a task does not end gets an end, so that no label comes in the
middle of another. Bytes only: what a label says is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from .lines import Lines


class LabelledLines(Lines):
    """Holds the unfinished lines of one stream.

    label: returns what is put before a line that begins now.
    """

    def __init__(self, label: Callable[[], str]) -> None:
        super().__init__()
        self._label = label

    def text(self, owner: Hashable, data: bytes, task: int = 0) -> bytes:
        """Take what an owner writes, and return the lines that are whole now."""
        with self._guard:
            return super().text(owner, self._labelled(owner, data, task), task)

    def binary(self, owner: Hashable, data: bytes, task: int = 0) -> bytes:
        """Take bytes, and return what is whole now."""
        with self._guard:
            return super().binary(owner, self._labelled(owner, data, task), task)

    def rest(self, owner: Hashable, before: int | None = None) -> bytes:
        """Take and return what an owner has begun, with an end: the next line has its own label."""
        return _whole(super().rest(owner, before))

    def _of_others(self, owner: Hashable, task: int) -> bytes:
        return _whole(super()._of_others(owner, task))

    def _labelled(self, owner: Hashable, data: bytes, task: int) -> bytes:
        label = self._label().encode("utf-8", "backslashreplace")
        inner = data[:-1].replace(b"\n", b"\n" + label) + data[-1:]
        return inner if not data or self.begun(owner, task) else label + inner


def _whole(line: bytes) -> bytes:
    return line + b"\n" if line and not line.endswith(b"\n") else line
