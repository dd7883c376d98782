"""A list: an item for each line of a file, or of stdin. The line is its only value, as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .column_names import LINE
from .files import Input
from .item import Item


class Lines:
    """The lines of a file without their ends (LF or CRLF), and without those that are empty."""

    columns: tuple[str, ...] = (LINE,)

    def __init__(self, path: str) -> None:
        self._input = Input(path)
        self.name = self._input.name
        self.variables: Mapping[str, str] = {}
        self.size: int | None = None
        if self._input.again:
            with self._input.text("\n") as text:
                self.size = sum(not line.isspace() for line in text)

    def __iter__(self) -> Iterator[Item]:
        number = 0
        with self._input.text("\n") as text:
            for line in text:
                if not line.isspace():
                    number += 1
                    yield Item(number, (line.removesuffix("\n").removesuffix("\r"),))
