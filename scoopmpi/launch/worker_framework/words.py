"""The words of the framework's commands, read as its documentation has them, and their help.

Options have one dash or two and are never abbreviated, as letters and words that are not known
belong to qsub and sbatch: `-batch FILE`, `--batch FILE`, `-batch=FILE`, `-Nname`. Pure.
"""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_LIKE = 0.8
"""How like a word of ours a mistyped one is (`difflib`): `bacth` and `prologue` are, no option of
qsub or sbatch is."""


class Refused(Exception):
    """Says why a command does nothing: the word or file, and what helps."""


class Option(NamedTuple):
    """An option of a command.

    name: without its dash. metavar: what its value is called; empty where it has none.
    also: further names. takes: how many values. dash: what stands before it in the help.
    """

    name: str
    help: str
    metavar: str = ""
    also: tuple[str, ...] = ()
    takes: int = 1
    dash: str = "-"


@dataclass(frozen=True, slots=True)
class Given:
    """What a command line has: options with their values in order, and all other words."""

    values: Mapping[str, list[tuple[str, ...]]] = field(default_factory=dict)
    rest: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        """Return whether an option was given."""
        return name in self.values

    def all(self, name: str) -> list[str]:
        """Return the values of an option that may be given several times."""
        return [value for values in self.values.get(name, ()) for value in values]

    def last(self, name: str) -> str | None:
        """Return the value of an option, the last one where it was given twice."""
        return next(reversed(self.all(name)), None)

    def number(self, name: str, least: int) -> int | None:
        """Return the value of an option as a number; Refused where it is none."""
        text = self.last(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdecimal()) or int(text) < least:
            raise Refused(f"-{name} {text}: a whole number from {least} on is meant")
        return int(text)


def read(words: Sequence[str], options: Iterable[Option], others: bool = False) -> Given:
    """Return what the words of a command line say; Refused says which is wrong.

    others: options that are not known are left, with their values, for another command.
    """
    known = {name: option for option in options for name in (option.name, *option.also)}
    values: dict[str, list[tuple[str, ...]]] = {}
    rest: list[str] = []
    left = deque(words)
    while left:
        word = left.popleft()
        if word == "--":
            rest += left
            break
        found = _option(word, known)
        if found is not None:
            option, text = found
            values.setdefault(option.name, []).append(_values(word, option, text, left))
            continue
        if word.startswith("-") and word != "-":
            _refuse_like(word, known, others)
        rest.append(word)
    return Given(values, tuple(rest))


def _option(word: str, known: Mapping[str, Option]) -> tuple[Option, str | None] | None:
    """Return the option that a word is, and the value in it; None where it is another's."""
    if not word.startswith("-"):
        return None
    name, equals, text = word[2 if word.startswith("--") else 1 :].partition("=")
    if name in known:
        return known[name], text if equals else None
    letter = known.get(word[1:2])
    return (letter, word[2:]) if letter is not None and letter.metavar else None


def _values(word: str, option: Option, text: str | None, left: deque[str]) -> tuple[str, ...]:
    if not option.metavar:
        if text is not None:
            raise Refused(f"{word}: -{option.name} takes no value")
        return ()
    found = () if text is None else (text,)
    while len(found) < option.takes:
        if not left:
            raise Refused(f"{word} needs {option.metavar}: {option.help}")
        found = (*found, left.popleft())
    return found


def _refuse_like(word: str, known: Mapping[str, Option], others: bool) -> None:
    """Refuse what is no option, or was mistyped; what is another's has no like among ours."""
    name = word.lstrip("-").partition("=")[0]
    close = difflib.get_close_matches(name, [each for each in known if len(each) > 1], 1, _LIKE)
    if close:
        raise Refused(f"{word} is no option; did you mean -{close[0]}?")
    if not others:
        raise Refused(f"{word} is no option (-help has them)")
