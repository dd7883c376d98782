"""Programs that a page of recipes leads to are shown on the site, below the page's own text."""

from __future__ import annotations

import re

PAGE = "docs/recipes/index"
_LINK = re.compile(r"\]\((\w+)\.py\)")


def shown(page: str) -> str:
    """Return a page whose links to programs beside it lead to where it shows them."""
    names = dict.fromkeys(_LINK.findall(page))
    parts = [_LINK.sub(r"](#\1)", page), "\n## The programs\n"]
    for name in names:
        code = f"```{{literalinclude}} {name}.py\n:language: python\n```\n"
        parts.append(f"### {name}\n\n{code}\nAs a file: [{name}.py]({name}.py)\n")
    return "\n".join(parts)


def setup(app):
    def show(app, docname, source):
        if docname == PAGE:
            source[0] = shown(source[0])

    app.connect("source-read", show)
    return {"parallel_read_safe": True}
