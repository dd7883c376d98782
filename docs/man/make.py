"""Write `share/`: manual pages and what shells read, made from the commands' own options and help.

    python docs/man/make.py

It is installed below the prefix as it lies there, so that `man` and the shells find it.
Exit statuses are those of the pages beside. When it is to run again, `tests/pages/test_share.py`
says.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import click  # noqa: E402

import scoopmpi  # noqa: E402
from scoopmpi import mympirun, myscoop  # noqa: E402
from scoopmpi.launch import completion_command, own_commands  # noqa: E402
from scoopmpi.launch.cli import completion, help  # noqa: E402
from scoopmpi.launch.worker_framework.command_line import CommandLine  # noqa: E402
from scoopmpi.sweep import options as sweep  # noqa: E402

MAN = "man/man1"
FOR_SHELLS = {
    "bash": "bash-completion/completions/{}",
    "zsh": "zsh/site-functions/_{}",
    "fish": "fish/vendor_completions.d/{}.fish",
}
STATUSES = {
    "myscoop": ("myscoop.md", "Exit status"), "mympirun": ("myscoop.md", "Exit status"),
    "myscoop-sweep": ("sweeps.md", "When items fail"),
}  # fmt: skip
"""Pages and headings below which a table has the exit statuses."""
INDENT = 4


class Entry(NamedTuple):
    """An option, a command or a status, and what is said of it."""

    words: str
    help: str


class Part(NamedTuple):
    """What stands below a heading: paragraphs and a list. below: the heading is a smaller one."""

    heading: str
    text: str = ""
    entries: tuple[Entry, ...] = ()
    below: bool = False


class Page(NamedTuple):
    """A manual page. usage: the command's words, behind its name."""

    name: str
    about: str
    usage: str
    parts: tuple[Part, ...]


def files() -> Mapping[str, str]:
    """Return the content of all files, by their paths below `share`."""
    pages = list(all_pages())
    names = [page.name for page in pages]
    found = {f"{MAN}/{page.name}.1": written(page, names) for page in pages}
    for shell in completion.SHELLS:
        for name in (*completion_command.ASKED, *completion_command.LISTED):
            path = FOR_SHELLS[shell].format(name)
            found[path] = completion_command.text_for(name, shell)
    return found


def all_pages() -> Iterator[Page]:
    """Return a page for each command, and for each of `myscoop`'s own."""
    yield wrapper("myscoop", myscoop.main)
    yield wrapper("mympirun", mympirun.main)
    yield of_click("myscoop sweep", sweep.command)
    for name in own_commands.NAMES:
        yield of_click(f"myscoop {name}", own_commands.command(name))
    for name in completion_command.LISTED:
        yield of_framework(completion_command.framework_command(name))


def wrapper(name: str, command: help.WrapperCommand) -> Page:
    """Return the page of a command whose options have headings, and are variables."""
    with context(command, name) as ctx:
        parts = [described(command), Part("OPTIONS")]
        for section, records in command.by_section(ctx):
            parts.append(Part(section, entries=entries(records), below=True))
        parts.append(Part("ENVIRONMENT", help.ALSO))
        return Page(name, first_sentence(command), usage(command, ctx), (*parts, *statuses(name)))


def of_click(words: str, command: click.Command) -> Page:
    """Return the page of `myscoop NAME`, with those of its commands where it has some."""
    with context(command, words) as ctx:
        parts = [described(command)]
        if isinstance(command, click.Group):
            for name in command.list_commands(ctx):
                parts += of_group(f"{words} {name}", command.commands[name], ctx)
        parts += [Part("OPTIONS", entries=entries(records_of(command, ctx)))]
        if command.epilog:
            parts += [Part("EXAMPLES", inspect.cleandoc(command.epilog))]
        parts += statuses(dashed(words))
        return Page(dashed(words), first_sentence(command), usage(command, ctx), tuple(parts))


def of_group(words: str, command: click.Command, above: click.Context) -> Iterator[Part]:
    """Return what a group's command does, with its options."""
    with context(command, words.split()[-1], above) as ctx:
        if words.endswith(f" {next(iter(above.command.list_commands(above)))}"):  # type: ignore
            yield Part("COMMANDS")
        text = f"{words} {usage(command, ctx)}\n\n{cleaned(command)}"
        yield Part(words, text, entries(records_of(command, ctx)), below=True)


def of_framework(line: CommandLine) -> Page:
    """Return the page of a command of the worker framework."""
    options = [
        Entry(f"{option.dash}{option.name} {option.metavar}".rstrip(), option.help)
        for option in line.options if option.help
    ]  # fmt: skip
    examples = "\b\n" + "\n".join(line.examples)
    parts = (
        Part("DESCRIPTION", line.about),
        Part("OPTIONS", entries=(*options, Entry("-help", "Show this in short and exit."))),
        *([Part("OPTIONS OF OTHERS", line.others)] if line.others else []),
        Part("EXAMPLES", examples),
    )
    return Page(line.name, line.about.partition(". ")[0].rstrip("."), line.usage, parts)


def context(command: click.Command, name: str, above: click.Context | None = None) -> click.Context:
    """Return what click asks its settings of: how options for help are called."""
    return click.Context(command, above, name, **command.context_settings)


def cleaned(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "")


def described(command: click.Command) -> Part:
    return Part("DESCRIPTION", cleaned(command))


def first_sentence(command: click.Command) -> str:
    return " ".join(re.split(r"\.\s|:\s|\n\n", cleaned(command))[0].split()).rstrip(".")


def usage(command: click.Command, ctx: click.Context) -> str:
    if command is sweep.command:
        return "[OPTIONS] COMMAND..."
    return " ".join(command.collect_usage_pieces(ctx))


def records_of(command: click.Command, ctx: click.Context) -> list[tuple[str, str]]:
    options = [param for param in command.get_params(ctx) if isinstance(param, click.Option)]
    return [record for record in (each.get_help_record(ctx) for each in options) if record]


def entries(records: Iterable[tuple[str, str]]) -> tuple[Entry, ...]:
    return tuple(Entry(words, text) for words, text in records)


def dashed(words: str) -> str:
    return words.replace(" ", "-")


def statuses(name: str) -> Iterator[Part]:
    """Return the exit statuses that a page beside has for a command."""
    if name not in STATUSES:
        return
    page, heading = STATUSES[name]
    text = (ROOT / "docs" / page).read_text().partition(f"\n## {heading}\n")[2]
    text = re.sub(r"[;.] [Ss]ee \[[^]]*\]\([^)]*\)", "", text)
    text = text.replace(". `python -m scoop` has the same", "")
    table = re.search(r"^\| (?:exit )?status .*\n\|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table is not None, page
    rows = [line.strip("|\n ").split(" | ", 1) for line in table[1].splitlines()]
    rows = [row for row in rows if name != "mympirun" or "--stop-before" not in row[1]]
    plain = [(re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", row[1]).replace("`", "")) for row in rows]
    yield Part("EXIT STATUS", entries=tuple(map(Entry, (row[0] for row in rows), plain)))


# How it is written: troff, with the macros of man(7).


def written(page: Page, names: Iterable[str]) -> str:
    """Return a page as `man` reads it. names: of all pages, for the last section."""
    title = page.name.upper().replace("-", "\\-")
    lines = [
        '.\\" Made by docs/man/make.py of the options and the help of the command.',
        f'.TH {title} 1 "" "scoopmpi {scoopmpi.__version__}" "User Commands"',
        ".nh", ".ad l",
        ".SH NAME", f"{escaped(page.name)} \\- {escaped(page.about)}",
        ".SH SYNOPSIS", f"\\fB{escaped(page.name.replace('-', ' '))}\\fR {escaped(page.usage)}",
    ]  # fmt: skip
    for part in page.parts:
        lines += [f".SS {quoted(part.heading)}" if part.below else f".SH {quoted(part.heading)}"]
        lines += paragraphs(part.text)
        for entry in part.entries:
            lines += [".TP", bold(entry.words), escaped(entry.help)]
    others = [f"\\fB{escaped(name)}\\fR(1)" for name in names if related(name, page.name)]
    lines += [".SH SEE ALSO", ",\n".join(others)]
    return "\n".join(lines) + "\n"


def related(name: str, to: str) -> bool:
    """True for `myscoop`, for all below it, and for the commands of the framework among them."""
    return name != to and ("myscoop" in (name, to) or (name[0] == "w") == (to[0] == "w"))


def paragraphs(text: str) -> Iterator[str]:
    """Return paragraphs; those that begin with \\b keep their lines, as in click's help."""
    first = True
    for paragraph in filter(None, (part.strip("\n") for part in text.split("\n\n"))):
        if paragraph.startswith("\b"):
            yield from (".PP", f".RS {INDENT}", ".nf")
            yield from (escaped(line) for line in paragraph.splitlines()[1:])
            yield from (".fi", ".RE")
        else:
            if not first:
                yield ".PP"
            yield escaped(" ".join(paragraph.split()))
        first = False


SIGNS = {
    "\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti",
}  # fmt: skip
"""What troff would take for something else, or show as a typographer would."""


def escaped(text: str) -> str:
    """Return text that stands for itself."""
    shown = "".join(SIGNS.get(sign, sign) for sign in text)
    shown = re.sub(r"[^\x00-\x7f]", lambda sign: f"\\[u{ord(sign[0]):04X}]", shown)
    return re.sub(r"^(\.)", r"\\&\1", shown)


def quoted(heading: str) -> str:
    return '"' + escaped(heading).replace('"', "\\(dq") + '"'


def bold(words: str) -> str:
    """Return the words of an option, with its names bold and its value in italics."""
    names = re.match(r"((?:-[-\w?]+(?: / |, )?)+) ?(.*)$", words)
    if names is None:
        return f"\\fB{escaped(words)}\\fR"
    value = f" \\fI{escaped(names[2])}\\fR" if names[2] else ""
    return f"\\fB{escaped(names[1].strip())}\\fR{value}"


def main() -> None:
    """Write all files, and remove those that are of no command any more."""
    share = ROOT / "share"
    made = files()
    for path in sorted(share.rglob("*")):
        if path.is_file() and path.relative_to(share).as_posix() not in made:
            path.unlink()
    for name, text in made.items():
        path = share / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
