"""Tables and lists as bytes, and what our readers make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scoopmpi.sweep.items.item import ItemsProblem, Source
from scoopmpi.sweep.items.opening import Asked, opened


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> str:
    """A file with this content; what it is called."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def table(folder: Path, content: str | bytes, **asked: Any) -> Source:
    return opened(Asked((written(folder, content),), **asked))


def values(source: Source) -> list[tuple[str, ...]]:
    return [item.values for item in source]


def fault(folder: Path, content: str | bytes, **asked: Any) -> str:
    """What is said of such a table, without the folder's name."""
    try:
        table(folder, content, **asked)
    except ItemsProblem as problem:
        return str(problem).replace(f"{folder}/", "")
    raise AssertionError("nothing is wrong")
