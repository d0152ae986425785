"""The tests of the engine's rules run on the engine and on the naive engine of the property tests."""

from __future__ import annotations

import pytest

from matching_engine import Engine
from tests.model.naive_engine import NaiveEngine
from tests.unit.matching_engine.engine_talk import Talk


@pytest.fixture(params=[Engine, NaiveEngine])
def talk(request: pytest.FixtureRequest) -> Talk:
    return Talk(request.param())
