"""A command that is given as words: variables are replaced in each word, no shell reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from os import fsencode
from os.path import basename

from . import shells
from .command import Call, CommandProblem
from .pattern import Pattern


class Words:
    """A program and its arguments, in which `$NAME` and `${NAME}` stand for variables.

    patterns: the words in which variables are replaced. texts: those that a shell reads.
    env: the environment, for words that name a shell by a variable (`$SHELL`).
    """

    def __init__(self, words: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        shown = [_with(word, env or {}) for word in words]
        untouched = shells.texts(shown)
        self._words = [
            word if place in untouched else _pattern(word) for place, word in enumerate(words)
        ]
        self.name = basename(words[0]) or words[0]
        self.patterns = [word for word in self._words if isinstance(word, Pattern)]
        self.texts = [words[place] for place in sorted(untouched) if place < len(words)]
        self._untouched = untouched
        self._chosen = any(
            isinstance(self._words[place], Pattern) for place in shells.programs(shown)
        )
        self._digest = blake2b(b"words\0" + fsencode("\0".join(words))).digest()
        _refuse_handed_on(shown, self._words)

    def digest(self) -> bytes:
        """Return a digest of the words as they were written."""
        return self._digest

    def call(self, variables: Mapping[str, str]) -> Call:
        """Return the words with the variables' values."""
        words = [word if isinstance(word, str) else word.put(variables) for word in self._words]
        if self._chosen:
            self._check_chosen(words)
        return Call(words)

    def _check_chosen(self, words: Sequence[str]) -> None:
        """Raise CommandProblem where an item's program is a shell that reads other values."""
        for place in shells.texts(words) - self._untouched:
            if place < len(words) and isinstance(self._words[place], Pattern):
                raise CommandProblem(
                    f"{words[0]}: a value names a shell, which would read {words[place]!r} as its "
                    "program: name the shell in the command itself"
                )
        _refuse_handed_on(words, self._words)


def _pattern(word: str) -> Pattern | str:
    pattern = Pattern(word)
    return pattern if pattern.names else pattern.put({})


def _with(word: str, env: Mapping[str, str]) -> str:
    """Return a word as far as the environment alone tells it."""
    try:
        return Pattern(word).put(env)
    except CommandProblem:
        return word


def _refuse_handed_on(shown: Sequence[str], words: Sequence[Pattern | str]) -> None:
    """Raise CommandProblem where a program makes a shell's line of values."""
    handed = shells.handed_on(shown)
    if handed is None:
        return
    program, places = handed
    for place in places:
        word = words[place]
        if isinstance(word, Pattern):
            raise CommandProblem(
                f"{program} gives its words to a shell, which would read values in {word.text!r} "
                "as parts of its program. A shell here quotes it for the other one: "
                """bash -c 'ssh host "./simulate ${temperature@Q}"'"""
            )
