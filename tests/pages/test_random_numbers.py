"""Every program of docs/random-numbers.md runs, here in place: its asserts are the page's words."""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import Any

import pytest

from scoopmpi.process import identity
from scoopmpi.tasks import pedigree
from tests.support.libraries import ROOT

PAGE = (ROOT / "docs" / "random-numbers.md").read_text()
PROGRAMS = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", PAGE, re.DOTALL))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_of_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[Any] = []
    torch: Any = ModuleType("torch")
    torch.manual_seed = seeds.append
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(identity.this, "started", True)
    fresh = pedigree.Program()
    for user in ("task", "tasks.serial", "tasks.pedigree"):
        monkeypatch.setattr(f"scoopmpi.{user}.program", fresh)
    exec(compile(PROGRAMS[name], f"{name}.py", "exec"), {"__name__": "__main__"})
    assert len(set(seeds)) == (2 if name == "trained" else 0)


def test_every_block_is_a_program_with_a_name() -> None:
    assert len(PROGRAMS) == PAGE.count("```python") == 5
