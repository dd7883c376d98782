"""`scoop.fallbacks`: an exception that programs catch. It is never raised: all runs serially."""

from __future__ import annotations


class NotStartedProperly(Exception):
    """SCOOP's way of refusing to submit without a launcher; here submit works, in place."""
