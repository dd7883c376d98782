"""Large values belong to who has them, over the in-memory link: nobody finds what another wrote."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import memory_farm
from tests.support.isolation import SCENARIOS

farm = memory_farm.farm


@pytest.mark.parametrize("farm", memory_farm.FEW, indirect=True)
@pytest.mark.parametrize("name", SCENARIOS)
def test_nobody_is_disturbed(farm: Any, name: str) -> None:
    SCENARIOS[name](farm)
