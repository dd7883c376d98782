"""Lines as the user asks for them: with a label before each, or at once into a file of their own.

A label says who prints, and is put where a line begins, when it begins: what a task has printed
bears its name, also where it is sent later. A line that a task does not end gets an end, so that no
label comes in the middle of another. Bytes only: what a label says is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from .lines import Lines


class LabelledLines(Lines):
    """Holds the unfinished lines of one stream.

    label: returns what is put before a line that begins now; None where no labels are wanted.
    apart: True where what is written now goes to a file of its own: at once, without a label, so
        that the file has it whatever becomes of the task.
    """

    def __init__(self, label: Callable[[], str] | None, apart: Callable[[], bool]) -> None:
        super().__init__()
        self._label, self._apart = label, apart

    def text(self, owner: Hashable, data: bytes, task: int = 0) -> bytes:
        """Take what an owner writes, and return the lines that are whole now."""
        with self._guard:
            if self._apart():
                return self.rest(owner) + data
            return super().text(owner, self._labelled(owner, data, task), task)

    def binary(self, owner: Hashable, data: bytes, task: int = 0) -> bytes:
        """Take bytes, and return what is whole now."""
        with self._guard:
            if self._apart():
                return self.rest(owner) + data
            return super().binary(owner, self._labelled(owner, data, task), task)

    def rest(self, owner: Hashable, before: int | None = None) -> bytes:
        """Take and return what an owner has begun, with an end where lines have labels."""
        return self._whole(super().rest(owner, before))

    def _of_others(self, owner: Hashable, task: int) -> bytes:
        return self._whole(super()._of_others(owner, task))

    def _labelled(self, owner: Hashable, data: bytes, task: int) -> bytes:
        if self._label is None or not data:
            return data
        label = self._label().encode("utf-8", "backslashreplace")
        inner = data[:-1].replace(b"\n", b"\n" + label) + data[-1:]
        return inner if self.begun(owner, task) else label + inner

    def _whole(self, line: bytes) -> bytes:
        return line + b"\n" if self._label is not None and line and line[-1:] != b"\n" else line
