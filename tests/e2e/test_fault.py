"""After a fault a venue ends at once and by itself: requests under way get `outcome_unknown`; one sentence, one exit status."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

from services.files.data_folder import JOURNAL_FILE
from services.journal.connections import log_of
from services.processes.exit_codes import ExitCode
from tests.e2e.faults import fail_device, start_demo, url_of, watch_a_fault
from tests.faults.venue_process import rex, serve, told_operator
from tests.patience import PATIENCE_S, http_get
from tests.unit.journal.killed import flip, leave_in_log

OUTCOMES = {"outcome_unknown", "not_ready"}


def test_clients_under_way_hear_at_once_and_the_operator_once(tmp_path: Path) -> None:
    with start_demo(tmp_path) as process:
        seen = asyncio.run(watch_a_fault(process, tmp_path))
    assert seen.returncode == ExitCode.DEVICE_FAILED, seen.stderr
    (sentence,) = told_operator(seen.stderr)
    assert sentence.startswith("rex: the sequencer stopped, nothing from seq ")
    assert str(tmp_path / JOURNAL_FILE) in sentence
    assert len(seen.rest) == 4
    # The venue ends: a client between two orders may be refused a connection, or have it cut.
    assert set(seen.rest) <= OUTCOMES | {"ConnectError", "ReadError"}
    assert "outcome_unknown" in {*seen.rest, *seen.websocket}
    assert set(seen.websocket) <= OUTCOMES
    assert seen.closed == 1012
    verified = json.loads(rex("journal", "verify", "--data-dir", tmp_path, "--prove", "--json").out)
    assert verified["good"], verified


def test_a_fault_while_stopping_ends_the_same_way(tmp_path: Path) -> None:
    with start_demo(tmp_path) as process:
        assert http_get(f"{url_of(process)}/healthz").status_code == 200
        fail_device(process)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE_S)
    (sentence,) = [line for line in told_operator(said) if not line.startswith("rex: stopping: ")]
    assert str(tmp_path) in sentence
    assert process.returncode == ExitCode.DEVICE_FAILED, said


def test_a_start_that_is_refused_for_a_loss_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    """The frame of the last commit is damaged: the log alone looks torn, and only the read database shows that commits were
    lost."""
    with serve(tmp_path) as venue:
        assert venue.stop() == 0
    leave_in_log(tmp_path / JOURNAL_FILE, 1)
    log = log_of(tmp_path / JOURNAL_FILE)
    data = log.read_bytes()
    log.write_bytes(flip(data, len(data) - 100))
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    refused = rex("serve", "--port", "0", "--data-dir", tmp_path)
    assert refused.exit_status == ExitCode.JOURNAL_DAMAGED
    assert "the journal has lost commands from seq " in refused.err
    after = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    # A reader creates an empty log and its index if there are none; the lock file holds the last process id.
    changed = {name for name in before | after if before.get(name, b"") != after.get(name, b"")}
    assert {name for name in changed if not name.endswith(("-shm", ".lock"))} == set()
