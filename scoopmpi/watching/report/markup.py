"""HTML in which nothing of the user's can be anything but text.

Names of functions, messages and commands come from programs and are whatever these want. Every
text on the page goes through `shown`, every value for its scripts through `data`.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

NAME = 48
"""Signs of a name that are shown in a table."""
LONGEST = 2000
"""Signs of a text that are shown: messages of tasks can be whole arrays."""


@dataclass(frozen=True)
class Markup:
    """HTML that is made here, and goes on the page as it is."""

    text: str


Text = str | Markup


def visible(text: str, most: int = LONGEST) -> str:
    """Return a text without signs that cannot be shown: `\\x00` in words, halves of pairs too."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else sign.encode("unicode_escape").decode()
        for sign in cut
    )


def shown(text: Text) -> str:
    """Return a text as HTML."""
    return text.text if isinstance(text, Markup) else html.escape(visible(text), quote=True)


def short(text: str, most: int = NAME) -> str:
    """Return a name with its middle left out where it is long: both ends tell names apart."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2 - 1]}…{text[-(most - most // 2) :]}"


def name(text: str) -> Markup:
    """Return the name of a function, short; the whole one shows under the mouse."""
    whole = f' title="{shown(text)}"' if len(text) > NAME else ""
    return Markup(f"<code{whole}>{shown(short(text))}</code>")


def data(value: Any) -> str:
    """Return a value as JSON that no browser takes for the end of its element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def code(text: str) -> Markup:
    """Return a text as code is set."""
    return Markup(f"<code>{shown(text)}</code>")


def bar(share: float) -> Markup:
    """Return a bar that is filled so far. share: 0 to 1."""
    width = 100 * min(max(share, 0.0), 1.0)
    return Markup(
        f'<span class="bar" aria-hidden="true"><span style="width:{width:.1f}%"></span></span>'
    )


def joined(*parts: Text) -> Markup:
    """Return several texts as one."""
    return Markup("".join(map(shown, parts)))


@dataclass(frozen=True)
class Heading:
    """The head of a column. kind: `n` for numbers, `wide` for long texts."""

    text: str
    kind: str = ""


def table(title: str, heads: Sequence[Heading], rows: Iterable[Sequence[Text]]) -> str:
    """Return a table whose rows each have a head, in their first column.

    title: what is in it, for who does not see it.
    """
    head = "".join(f'<th scope="col"{_class(each.kind)}>{shown(each.text)}</th>' for each in heads)
    body = []
    for row in rows:
        cells = [f'<th scope="row"{_class(heads[0].kind)}>{shown(row[0])}</th>']
        cells += [
            f"<td{_class(each.kind)}>{shown(cell)}</td>"
            for each, cell in zip(heads[1:], row[1:], strict=True)
        ]
        body.append(f"<tr>{''.join(cells)}</tr>")
    label = html.escape(title, quote=True)
    return (
        f'<div class="scroll"><table aria-label="{label}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
