"""Random programs with values of all sizes over the in-memory link, by seed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import memory_farm, random_programs

farm = memory_farm.farm


@pytest.mark.parametrize("farm", range(24), indirect=True)
def test_a_program_with_values_of_all_sizes(farm: Any, request: pytest.FixtureRequest) -> None:
    random_programs.KEPT.clear()
    seed = request.node.callspec.params["farm"]
    random_programs.Program(farm, seed, most=3 << 20).run(steps=12)
