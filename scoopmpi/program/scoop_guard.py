"""A guard over imports of `scoop`: ours takes the place of SCOOP's.

Where SCOOP is installed too, pip has written both into one directory and the later one is what an
import finds.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

REMEDY = "pip uninstall scoop && pip install --force-reinstall scoopmpi"


def original() -> str | None:
    """Return the version of SCOOP itself, None where it is not installed in this environment."""
    if not any(map(_has_metadata, sys.path)):
        return None
    from importlib.metadata import PackageNotFoundError, version  # takes 25 ms

    try:
        return version("scoop")
    except PackageNotFoundError:
        return None


def warn_of_original() -> None:
    """Warn that our `scoop`, which is being imported, belongs to two packages."""
    found = original()
    if found is not None:
        warnings.warn(
            f"SCOOP {found} is installed beside scoopmpi, and both bring the package `scoop`. "
            f"This is scoopmpi's, but uninstalling SCOOP would remove it. Do: {REMEDY}",
            RuntimeWarning,
            stacklevel=3,
        )


def look_out() -> None:
    """Watch imports of `scoop` from here on; called on rank 0 before the program runs."""
    sys.meta_path.insert(0, Guard)
    if "scoop" in sys.modules:  # by python -m scoop, too early to know whether this is rank 0
        warn_of_original()


class Guard:
    """Refuses, among the finders of imports, to import SCOOP itself into one of our ranks.

    Its functions would find no broker, and run everything one after the other.
    """

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return None, so that the other finders go on, or raise ImportError with the remedy."""
        if name != "scoop":
            return None
        spec: Any = PathFinder.find_spec(name, None)
        if spec is None or not spec.origin or _is_ours(spec.origin):
            return None
        found = original()
        if found is None:
            return None  # a module of the user's own
        raise ImportError(
            f"SCOOP {found} is installed beside scoopmpi, and `import scoop` finds it "
            f"({spec.origin}) instead of scoopmpi's package of that name. Do: {REMEDY}"
        )


def _has_metadata(directory: str) -> bool:
    try:
        return any(name.startswith("scoop-") for name in os.listdir(directory or "."))
    except OSError:
        return False


def _is_ours(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"scoopmpi" in file.read()
    except OSError:
        return False
