"""What makes a shell complete the words of a command: the text that bash, zsh or fish read.

Of two kinds. `asking`: at each TAB the shell asks the command itself, by click's mechanism, as it
knows which programs there are. `listed`: the options stand in the text, and no process is started.
Here is also what click's mechanism lacks: values of `--option=value`, and Python files.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
)

SHELLS = ("bash", "zsh", "fish")


@add_completion_class
class _Bash(BashComplete):
    """Bash takes `--option=value` for three words, and completes the last of them."""

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        return joined(args), incomplete


def joined(words: Sequence[str]) -> list[str]:
    """Return words with those put together that bash has taken apart at an equals sign."""
    found: list[str] = []
    for place, word in enumerate(words):
        behind = words[max(place - 2, 0) : place]
        if word == "=" and found and found[-1].startswith("--"):
            continue
        if len(behind) == 2 and behind[1] == "=" and behind[0].startswith("--"):
            found[-1] += f"={word}"
        else:
            found.append(word)
    return found


class _Whole:
    """What the two other shells have in common: they complete `--option=value` as one word."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        option, equals, _ = incomplete.partition("=")
        found: list[CompletionItem] = super().get_completions(args, incomplete)  # type: ignore[misc]
        if not (equals and option.startswith("--")):
            return found
        return [
            CompletionItem(f"{option}={value}", help=item.help)
            for item in found for value in _values(item)
        ]  # fmt: skip


def _values(item: CompletionItem) -> Iterator[str]:
    """Return what an item stands for: itself, or files and directories that begin so."""
    if item.type == "plain":
        yield item.value
        return
    for path in sorted(glob.glob(f"{glob.escape(item.value)}*")):
        if os.path.isdir(path):
            yield path + os.sep
        elif item.type == "file":
            yield path


@add_completion_class
class _Zsh(_Whole, ZshComplete):
    """As zsh asks."""


@add_completion_class
class _Fish(_Whole, FishComplete):
    """As fish asks."""


class Listed(NamedTuple):
    """An option that a text lists. value: what its value is called; empty where it has none."""

    word: str
    value: str
    help: str


def asking(name: str, shell: str) -> str:
    """Return the text by which a shell asks the command NAME, which click must run."""
    kind = get_completion_class(shell)
    assert kind is not None, shell
    variable = f"_{name.upper()}_COMPLETE"
    asked = kind(click.Command(name), {}, name, variable)
    return asked.source_template % asked.source_vars()


def listed(name: str, shell: str, options: Iterable[Listed]) -> str:
    """Return the text by which a shell completes the options of NAME, and files otherwise.

    options: each is one word, with its value behind it.
    """
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](name, list(options))


def _bash(name: str, options: list[Listed]) -> str:
    words = " ".join(option.word for option in options)
    return f"""\
_{name}_completion() {{
    COMPREPLY=()
    [[ $2 != -* ]] || COMPREPLY=($(compgen -W '{words}' -- "$2"))
}}

complete -o default -F _{name}_completion {name}
"""


def _zsh(name: str, options: list[Listed]) -> str:
    lines = "".join(f"        {_zsh_word(option)} \\\n" for option in options)
    return f"""\
#compdef {name}

_{name}_completion() {{
    _arguments \\
{lines}        '*:file:_files'
}}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _{name}_completion "$@"
else
    compdef _{name}_completion {name}
fi
"""


def _zsh_word(option: Listed) -> str:
    marked = {ord(sign): f"\\{sign}" for sign in "[]:\\"}
    text = f"{option.word}[{option.help.translate(marked)}]"
    if option.value:
        text += f":{option.value.translate(marked)}:_files"
    return "'" + text.replace("'", "'\\''") + "'"


def _fish(name: str, options: list[Listed]) -> str:
    return "".join(f"complete -c {name} {_fish_word(option)}\n" for option in options)


def _fish_word(option: Listed) -> str:
    """Return an option as fish writes it: -s a letter, -o a word behind one dash, -l behind two."""
    word = option.word.lstrip("-")
    kind = "l" if option.word.startswith("--") else "o" if len(word) > 1 else "s"
    text = option.help.replace("\\", "\\\\").replace("'", "\\'")
    return f"-{kind} {word}{' -r' if option.value else ''} -d '{text}'"


def files(incomplete: str) -> list[CompletionItem]:
    """Return a mark by which the shell completes any file."""
    return [CompletionItem(incomplete, type="file")]


def python_files(incomplete: str) -> Iterator[str]:
    """Return files in .py and directories that begin so.

    Within a directory, where it is the only one.
    The shell puts a blank behind the only word it is given, which must not happen to a directory.
    """
    found = list(_python_files(incomplete))
    while len(found) == 1 and found[0].endswith(os.sep) and found[0] != incomplete:
        incomplete = found[0]
        within = list(_python_files(incomplete))
        found = within if within else found
    return iter(found)


def _python_files(incomplete: str) -> Iterator[str]:
    directory, start = os.path.split(incomplete)
    try:
        entries = sorted(os.scandir(os.path.expanduser(directory) or "."), key=lambda one: one.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(start) and (start or not entry.name.startswith(".")):
            name = os.path.join(directory, entry.name)
            if entry.is_dir():
                yield name + os.sep
            elif entry.name.endswith(".py"):
                yield name
