"""What every test may use, and the rule that a CI run skips nothing."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

settings.register_profile("rex", deadline=None)  # Speed is judged in load_tests/, not by a busy machine's clock.
settings.load_profile("rex")


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the venue does."""
    return "asyncio"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With REX_REQUIRE_EVERYTHING=1, as in CI, a test that is skipped for lack of a part is a failure."""
    report = yield
    if report.skipped and os.environ.get("REX_REQUIRE_EVERYTHING") == "1":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped where nothing may be: {report.longrepr}"
    return report
