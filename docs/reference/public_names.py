"""The names that users may use, where the reference has each, and where other names lead.

As an extension of Sphinx: types in signatures are named as the code imports them.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping

MODULES = ("scoopmpi.futures", "scoopmpi.shared", "scoopmpi.task")
PYTHON = "https://docs.python.org/3/library/"
_OF_PYTHON = re.compile(
    r"(collections\.abc|concurrent\.futures|asyncio|contextlib|functools|logging|multiprocessing|os"
    r"|pathlib|pickle|random|typing|types)\.(?:_base\.)?(\w+)"
)
OTHERS = {
    "Random": f"{PYTHON}random.html#random.Random",
    "numpy.random.Generator": "https://numpy.org/doc/stable/reference/random/generator.html",
}


def public() -> Mapping[str, str]:
    """Return the full name of each public name, by how texts call it."""
    import scoopmpi

    found = {}
    for module in MODULES:
        for name in importlib.import_module(module).__all__:
            short = module.rpartition(".")[2]
            found[f"{short}.{name}"] = found[f"{module}.{name}"] = f"{module}.{name}"
    for name in scoopmpi.__all__:
        if f"scoopmpi.{name}" not in MODULES:
            found[name] = found[f"scoopmpi.{name}"] = f"scoopmpi.{name}"
    return found


def link_from(here: str) -> Callable[[str], str | None]:
    """Return what links from the docstring of a name: to its neighbours first."""
    known = public()

    def link(word: str) -> str | None:
        near = here
        while near := near.rpartition(".")[0]:
            if f"{near}.{word}" in known.values() and f"{near}.{word}" != here:
                return f"{near}.{word}"
        return known.get(word)

    return link


def address(name: str) -> str | None:
    """Return where others document a name of theirs."""
    ours = _OF_PYTHON.fullmatch(name)
    if ours:
        return f"{PYTHON}{ours[1]}.html#{ours[1]}.{ours[2]}"
    return OTHERS.get(name)


def setup(app):
    from docutils import nodes
    from sphinx.util.nodes import make_refnode

    homes = {}

    def collect(app):
        import scoopmpi

        for name in scoopmpi.__all__:
            value = getattr(scoopmpi, name)
            homes[f"{getattr(value, '__module__', '')}.{name}"] = f"scoopmpi.{name}"

    def resolve(app, env, node, inner):
        target = node.get("reftarget", "")
        if node.get("refdomain") != "py":
            return None
        home = env.domains["py"].objects.get(homes.get(target, ""))
        if home is not None:
            return make_refnode(app.builder, node["refdoc"], home.docname, home.node_id, inner)
        if (there := address(target)) is not None:
            return nodes.reference("", "", inner, refuri=there, internal=False)
        return inner if target.startswith("scoopmpi.") and node.get("reftype") == "class" else None

    app.connect("builder-inited", collect)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True}
