"""What docstrings of the package become on the site, as an extension of Sphinx.

In the source they are plain text: a sentence, an example that is indented, then `name: text` for
each parameter, and "Raises ..." for the errors. Here that is turned into reStructuredText: a
highlighted block, a list of parameters, a line of errors; what stands between backticks is code,
and a link where it is a public name. Pure but for `setup`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

_PARAMETERS = re.compile(r"([a-z_]\w*(?:, \*{0,2}[a-z_]\w*)*): (\S.*)")
_SECOND = re.compile(r"(?<=[.;]) (?=[a-z_]\w*: )")
_ERRORS = re.compile(r"(?:^|(?<=[.] ))Raises (?=[A-Z`]|[a-z.]+\.[A-Z])")
_CODE = re.compile(r"(`[^`]+`)")
_ERROR = re.compile(
    r"\b((?:pickle\.|multiprocessing\.)?"
    r"(?:[A-Z][A-Za-z]*(?:Error|Timeout|Lost|Warning|MPIExecutor)|StopIteration))\b"
)
Link = Callable[[str], "str | None"]


def blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Give the lines between empty ones."""
    block: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []


def rendered(lines: Iterable[str], link: Link, named: str = "Parameters") -> list[str]:
    """Return the lines of a docstring as reStructuredText.

    link: gives the name that a word in backticks is documented under, None where it is none.
    named: what stands before colons.
    """
    found: list[str] = []
    example = False
    for block in blocks(lines):
        if block[0].startswith("    "):
            found += block if example else [".. code-block:: python", "", *block]
        elif _PARAMETERS.match(block[0]):
            found += parameters(block, link, named)
        else:
            found += paragraph(" ".join(map(str.strip, block)), link)
        found.append("")
        example = block[0].startswith("    ")
    return found


def paragraph(text: str, link: Link) -> Iterator[str]:
    """Give a paragraph, and by themselves the errors that it ends with."""
    said, *errors = _ERRORS.split(text, maxsplit=1)
    if said:
        yield inline(said.rstrip(), link)
    if said and errors:
        yield ""
    if errors:
        yield f":Raises: {inline(errors[0], link)}"


def parameters(block: Iterable[str], link: Link, named: str) -> Iterator[str]:
    """Give a list of what stands before a colon at the left, and what is said of it."""
    entries: list[tuple[str, list[str]]] = []
    after: list[str] = []
    for line in chain.from_iterable(map(_SECOND.split, block)):
        begun = _PARAMETERS.match(line)
        if begun:
            entries.append((begun[1], [begun[2]]))
        elif line.startswith(" ") and not after:
            entries[-1][1].append(line.strip())
        else:  # of the whole, behind its parameters
            after.append(line)
    yield f":{named}:"
    for names, text in entries:
        yield "    " + ", ".join(f"**{name}**" for name in names.replace("*", "").split(", "))
        yield f"        {inline(' '.join(text), link)}"
        yield ""
    yield from paragraph(" ".join(map(str.strip, after)), link)


def inline(text: str, link: Link) -> str:
    """Return a text whose words in backticks, and errors, are code or links; no other marks."""
    parts = []
    for part in _CODE.split(_quoted(text)):
        if part.startswith("`"):
            target = link(part[1:-1])
            parts.append(f":py:obj:`{part[1:-1]} <{target}>`" if target else f"`{part}`")
        else:
            parts.append(re.sub(r"([*|\\])|_(?=\W|$)", lambda mark: "\\" + mark[0], part))
    return "".join(parts)


def _quoted(text: str) -> str:
    """Return a text with the names of errors between backticks."""
    parts = _CODE.split(text)
    return "".join(part if part[:1] == "`" else _ERROR.sub(r"`\1`", part) for part in parts)


def setup(app):
    from public_names import link_from

    def process(app, what, name, obj, options, lines):
        named = "Attributes" if what == "exception" else "Parameters"
        lines[:] = rendered(lines, link_from(name), named)

    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True}
