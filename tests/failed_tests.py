"""A pytest plugin: writes the id of each test that failed to the file that FAILED_TESTS names, as soon as it has failed.

pytest's own list of failed tests forgets one that passes later in the same run. That happens to the test under which a worker
of xdist has crashed: xdist runs it again by itself.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FAILED_TESTS = "FAILED_TESTS"
"""An environment variable."""


class _Recorder:
    def __init__(self, to: Path) -> None:
        self._to = to

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._record(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._record(report)

    def _record(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed:
            with self._to.open("a", encoding="utf-8") as file:
                file.write(f"{report.nodeid}\n")


def pytest_configure(config: pytest.Config) -> None:
    """Records in the process that all workers report to."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Recorder(Path(os.environ[FAILED_TESTS])))
