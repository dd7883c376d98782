"""`scoop.futures`: the functions of `scoopmpi.futures`."""

from __future__ import annotations

from scoopmpi.futures import *  # noqa: F403 (the same names, whatever they are)
from scoopmpi.futures import __all__ as __all__
