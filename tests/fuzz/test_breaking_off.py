"""A run that is told to end stops its venue and reports what it sent: a real process, a real signal."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from tests.fuzz import rest
from tests.fuzz.__main__ import perform
from tests.fuzz.breaking_off import EXIT_STATUS, BreakOff
from tests.fuzz.stage import embedded
from tests.long import some
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

ENDLESS = "1000000"


@pytest.mark.parametrize(
    ("run", "number", "reason"),
    some(
        [
            ("requests", signal.SIGINT, "SIGINT"),
            ("frames", signal.SIGALRM, "the time limit"),
            ("requests", signal.SIGTERM, "SIGTERM"),
            ("frames", signal.SIGTERM, "SIGTERM"),
        ]
    ),
)
def test_a_signal_breaks_off_with_a_report(run: str, number: signal.Signals, reason: str) -> None:
    requests = ENDLESS if run == "requests" else "0"
    command = [sys.executable, "-m", "tests.fuzz", "--requests", requests, "--frames", ENDLESS, "--seed", "5", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as fuzz:
        assert fuzz.stderr is not None
        said = [fuzz.stderr.readline()]
        while not said[-1].startswith(f"{run}: 1 of"):
            assert said[-1], f"it ended by itself: {said}"
            said.append(fuzz.stderr.readline())
        if number == signal.SIGINT:
            os.killpg(fuzz.pid, number)  # As Ctrl-C does: to every process of the terminal.
        else:
            fuzz.send_signal(number)
        try:
            out, err = fuzz.communicate(timeout=PATIENCE_S)
        finally:
            fuzz.kill()
    assert fuzz.returncode == EXIT_STATUS, err
    (report,) = json.loads(out)  # The other run has not begun.
    assert report["rig"] == run
    assert report["broken_off"] == reason
    assert report["broken"] == []
    assert 0 < report["counts"][run] < int(ENDLESS)
    (url,) = [line.split()[-1] for line in said if line.startswith(f"{run}: to ")]
    with socket.socket() as probe:
        assert probe.connect_ex((str(urlsplit(url).hostname), urlsplit(url).port)) != 0, "its venue still runs"


@pytest.mark.long
def test_a_signal_before_the_first_request_is_no_broken_promise() -> None:
    break_off = BreakOff()
    break_off.ask("SIGTERM")
    report = perform("requests", rest.run, 100, 5, embedded, break_off)
    assert (report.broken, report.counts["requests"]) == ([], 0)
