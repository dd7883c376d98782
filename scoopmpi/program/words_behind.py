"""Options of ours behind the program, `myscoop scan.py --checkpoint x`: they are the program's.

Where the program never reads such a word, or refuses it, its user hears that once, from rank 0. A
program that reads its words, whatever it makes of them, is not disturbed: `sys.argv` remembers
which of them were asked for. Loaded where a program has options only.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import MethodType
from typing import Any, SupportsIndex

from . import scoop_options
from .option_names import MYSCOOPS

NAMES = frozenset((*MYSCOOPS, *scoop_options.NAMES)) - {"--help", "--version"}
"""Options of ours that a program may be given by mistake."""
_MANY = ("stand", "they are", "them")
_UNKNOWN = re.compile("no such|unrecogni[sz]ed|unknown|unexpected", re.IGNORECASE)
"""How parsers call a word that they do not know; a wrong value of the program's own is no mistake
of ours."""
_REFUSED = 2
"""The exit status of argparse and click for a word that they do not know."""


def ours(words: Iterable[str]) -> list[str]:
    """Return the words that are options of ours, each as its name and once."""
    names = (word.partition("=")[0] for word in words)
    return list(dict.fromkeys(name for name in names if name in NAMES))


class Watched(list[str]):
    """The words of a program, in the place of `sys.argv`, which know which of them were read."""

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__(words)
        self.read: set[str] = set()

    def _note(self, words: Iterable[str]) -> None:
        self.read.update(words)

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        self._note([found] if isinstance(found, str) else found)
        return found

    def pop(self, place: SupportsIndex = -1) -> str:
        word = super().pop(place)
        self._note([word])
        return word

    def __iter__(self) -> Iterator[str]:
        self._note(super().__iter__())
        return super().__iter__()

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return list, (list(self),)


def _reading_all(name: str) -> Callable[..., Any]:
    method = getattr(list, name)

    def reading(self: Watched, *more: Any) -> Any:
        self.read.update(list.__iter__(self))
        return method(self, *more)

    return reading


for _name in (
    "__contains__", "__add__", "__eq__", "__repr__", "__reversed__", "copy", "count", "index",
    "remove",
):  # fmt: skip
    setattr(Watched, _name, _reading_all(_name))


class WordsBehind:
    """The options of ours among a program's words.

    words: what stands behind the program. tell: hears a line, at most once.
    """

    def __init__(self, words: Sequence[str], tell: Callable[[str], None]) -> None:
        self._named, self._tell, self._told = ours(words), tell, False
        self._refused: list[str] = []
        self._argv = Watched(sys.argv)
        sys.argv = self._argv

    def task_made(self) -> None:
        """Hear that the program has made a task: it has read by now what it wants to read."""
        self._say(self._unread, "has not read")

    def program_left(self, leaving: SystemExit) -> None:
        """Hear that the program has called `sys.exit`, maybe as it does not know a word."""
        texts = _said(leaving) if leaving.code == _REFUSED else ()
        said = " ".join(text for text in texts if _UNKNOWN.search(text))
        self._refused = [name for name in self._named if f"{name} " in f"{said} "]

    def program_ended(self, status: int) -> None:
        """Hear how the program has ended."""
        if status == _REFUSED and self._refused:
            self._say(self._refused, "has refused")
        elif status in (0, _REFUSED):
            self._say(self._unread, "has not read")

    @property
    def _unread(self) -> list[str]:
        read = set(ours(self._argv.read))
        return [name for name in self._named if name not in read]

    def _say(self, names: Sequence[str], done: str) -> None:
        if not names or self._told:
            return
        self._told = True
        program = os.path.basename(self._argv[0])
        stand, they, them = ("stands", "it is", "it") if len(names) == 1 else _MANY
        self._tell(
            f"{', '.join(names)} {stand} behind {program}, so {they} the program's, which {done} "
            f"{them}; what is for the farm stands before: {names[0]} ... {program}"
        )


def _said(leaving: SystemExit) -> Iterator[str]:
    """Yield what a parser of words has said before it left."""
    error: BaseException | None = leaving
    while error is not None:  # click's, until 8.4
        yield _plain(str(error))
        error = error.__cause__ or error.__context__
    trace = leaving.__traceback__
    while trace is not None:
        found = trace.tb_frame.f_locals
        if trace.tb_frame.f_code.co_name == "error":  # a method of argparse and optparse
            yield _plain(f"{found.get('message')} {found.get('msg')}")
        for value in list(found.values()):  # click keeps how its error is shown
            if isinstance(value, MethodType) and isinstance(value.__self__, BaseException):
                yield _plain(str(value.__self__))
        trace = trace.tb_next


def _plain(text: str) -> str:
    """Return a text in which words stand between blanks."""
    return re.sub(r"[^\w-]+", " ", text)


def watched(words: Sequence[str], tell: Callable[[str], None]) -> WordsBehind | None:
    """Have `sys.argv` watched where an option of ours is among the words; mostly None."""
    return WordsBehind(words, tell) if ours(words) else None
