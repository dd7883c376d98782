"""Outputs to the user: those of each item together, in the order of the items."""

from __future__ import annotations

import sys

from ..items.ended import Ended


class InOrder:
    """Prints what items have written."""

    def expected(self, number: int) -> None:
        """Hear that an item is about to be run."""

    def add(self, ended: Ended) -> None:
        """Print what an item has written."""
        sys.stdout.buffer.write(ended.out)
        sys.stdout.buffer.flush()
        sys.stderr.buffer.write(ended.err)
        sys.stderr.buffer.flush()

    def close(self) -> None:
        """Print what is left."""
