"""A supervised process ends with its starter: without a watcher there is none (tests/integration/test_servers.py)."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest

from services.processes.supervised_process import SupervisedProcess


def test_a_watcher_that_cannot_start_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started = list[subprocess.Popen[bytes]]()

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    sleep = shutil.which("sleep")
    assert sleep is not None
    monkeypatch.setattr(subprocess, "Popen", Recorded)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FileNotFoundError):
        SupervisedProcess([sleep, "1000"])
    (process,) = started
    assert process.returncode == -9
