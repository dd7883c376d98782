"""What makes a shell complete the words of a command: the text that bash, zsh or fish read.

Of two kinds. `asking`: at each TAB the shell asks the command itself, by click's mechanism, as it
knows which programs there are. `listed`: the options stand in the text, and no process is started.
Only texts are made here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


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
