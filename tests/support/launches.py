"""Ranks with what is asked of their launcher, from words without groups."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from scoopmpi.launch.flavours.ranks import Daemons, LauncherOptions, Ranks


def asking(*given: Any, **more: Any) -> Ranks:
    """`Ranks` with fields of its groups, each under its own name: `agent`, `deaf` and so on."""
    for group, kind in (("asked", LauncherOptions), ("daemons", Daemons)):
        names = {each.name for each in fields(kind)} & more.keys()
        if names:
            more[group] = kind(**{name: more.pop(name) for name in names})
    return Ranks(*given, **more)
