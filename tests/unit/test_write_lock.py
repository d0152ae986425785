"""Who may write the read database of an embedded venue."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from services.journal import JournalBusy
from services.read_model import write_lock as module
from services.read_model.write_lock import write_lock
from tests.patience import PATIENCE_S


def test_the_next_one_waits_for_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits, order = threading.Event(), list[str]()
    monkeypatch.setattr("services.read_model.write_lock.time.sleep", lambda _seconds: waits.set())

    def next_one() -> None:
        with write_lock(tmp_path / "read.sqlite"):
            order.append("next")

    with write_lock(tmp_path / "read.sqlite"):
        thread = threading.Thread(target=next_one)
        thread.start()
        assert waits.wait(PATIENCE_S)
        order.append("before")
    thread.join()
    assert order == ["before", "next"]


def test_the_next_one_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.0)
    with (
        write_lock(tmp_path / "read.sqlite"),
        pytest.raises(JournalBusy, match=f"process id {os.getpid()}"),
        write_lock(tmp_path / "read.sqlite"),
    ):
        pytest.fail("two have the lock")
