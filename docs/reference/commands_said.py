"""The commands as Markdown: a section for each that has a manual page, made of the same."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK = "<!-- The commands. -->"
"""Where they stand in `commands.md`."""


def pages() -> list[Any]:
    """Return the manual pages, as docs/man/make.py has them."""
    path = Path(__file__).resolve().parents[1] / "man" / "make.py"
    spec = importlib.util.spec_from_file_location("manual_pages", path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return list(made.all_pages())


def text() -> str:
    """Return the sections of all commands."""
    return "\n".join(line for page in pages() for line in section(page))


def section(page: Any) -> Iterator[str]:
    """Give the lines of a command: what it does, its usage, its options below their headings."""
    name = page.name.replace("-", " ")
    yield from (f"## {name}", "", "```{program} " + name, "```", "")
    yield from ("```text", f"{name} {page.usage}", "```", "")
    for part in page.parts:
        if part.heading not in ("DESCRIPTION", "OPTIONS"):
            heading = f"### {part.heading}" if part.below else f"**{part.heading.capitalize()}**"
            yield from (heading, "")
        yield from paragraphs(part.text)
        for entry in part.entries:
            yield from option(entry)


def option(entry: Any) -> Iterator[str]:
    """Give an option and what it does, so that pages can lead to it."""
    kind = "option" if entry.words.startswith("-") else "describe"
    words = entry.words.replace(" / ", ", ")
    said = escaped(entry.help)
    if old := re.match(r"(-\w{2,}), -\1(?!\w)", words):  # one place of the page for both
        words, said = words.removeprefix(f"{old[1]}, "), f"{said} Also as {old[1]}."
    yield from ("````{" + kind + "} " + words, said, "````", "")


def paragraphs(said: str) -> Iterator[str]:
    """Give paragraphs; those that begin with \\b are commands, a line each, as in click's help."""
    for paragraph in filter(None, (part.strip("\n") for part in said.split("\n\n"))):
        if paragraph.startswith("\b"):
            yield from ("```console", *paragraph.splitlines()[1:], "```", "")
        else:
            yield from (escaped(" ".join(paragraph.split())), "")


def escaped(said: str) -> str:
    """Return text that Markdown leaves alone."""
    return re.sub(r"([\\`*_\[\]<>#|{}])", r"\\\1", said)


def setup(app):
    def insert(app, docname, source):
        if MARK in source[0]:
            source[0] = source[0].replace(MARK, text())

    app.connect("source-read", insert)
    return {"parallel_read_safe": True}
