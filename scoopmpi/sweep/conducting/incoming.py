"""Items that are made while the sweep runs, as by a pipe: a thread of its own waits for them.

So items that are there run, and what has run is printed and noted, however long the next one takes
to come; who makes them may wait for what the ones before have done.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Queue

from ..items.item import Item

MOST = 4096
"""Items that were read and wait to be taken: beyond, who makes them has to wait."""


class Incoming:
    """An iterator over items, which one thread reads; what reading them raises is raised here."""

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self._came: Queue[Item | BaseException] = Queue(MOST)
        self._end: BaseException | None = None
        threading.Thread(target=self._read, name="items", daemon=True).start()

    def __iter__(self) -> Incoming:
        return self

    def __next__(self) -> Item:
        if self._end is None:
            came = self._came.get()
            if not isinstance(came, BaseException):
                return came
            self._end = came
        raise self._end

    @property
    def there(self) -> bool:
        """True where the next item can be had without waiting, or there is none."""
        return self._end is not None or not self._came.empty()

    def _read(self) -> None:
        try:
            for item in self._items:
                self._came.put(item)
        except BaseException as error:
            self._came.put(error)
        else:
            self._came.put(StopIteration())
