"""Whoever is left behind by a test is found, however it was started; whoever is still ours is not."""

from __future__ import annotations

import os
import select
import signal
import subprocess

from tests.left_behind import left_behind
from tests.patience import PATIENCE_S


def test_a_child_is_ours_and_an_orphan_is_left_behind() -> None:
    ours = subprocess.Popen(["sleep", "60"])
    started = subprocess.run(
        ["sh", "-c", "sleep 61 >/dev/null 2>&1 & echo $!"], capture_output=True, text=True, check=True
    )
    orphan = int(started.stdout)
    end = os.pidfd_open(orphan)
    try:
        found = left_behind(patience_s=0)
        assert f"{orphan}: sleep 61 " in found
        assert not [line for line in found if line.startswith(f"{ours.pid}:")]
    finally:
        os.kill(orphan, signal.SIGKILL)
        ours.kill()
        ours.wait()
    select.select([end], [], [], PATIENCE_S)  # readable once the process has ended
    os.close(end)
    assert not [line for line in left_behind(patience_s=0) if line.startswith(f"{orphan}:")]
