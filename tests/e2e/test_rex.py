"""`rex` as a person or a program uses it: real processes, real folders.

Most are forked from one process that has imported REX already (`tests/faults/venue_process.py`): a start of the console script
imports for a second or two.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from matching_engine import is_native
from matching_engine.pools import NATIVE
from services.cli import app
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.processes.exit_codes import ExitCode
from services.scaled.launch import REX
from services.venue.first_start import KEYS_FILE
from services.venue.key_uses import KEY_USES_FILE
from tests.faults.venue_process import VenueProcess, rex, serve
from tests.patience import PATIENCE_S, http_post
from tests.unit.journal.killed import leave_in_log

AT_REST = {JOURNAL_FILE, f"{JOURNAL_FILE}.lock", READ_DATABASE_FILE, f"{READ_DATABASE_FILE}.lock", KEYS_FILE}
"""The files of a venue that was stopped cleanly: no write-ahead log and no index of one."""
DEMOS_S = (2, 4, 8, 16, 32)
STOPPING = "rex: stopping: the journal and the read database are completed, then the year is proven\n"


def close_venue(folder: Path) -> None:
    """Starts and stops a venue in the folder."""
    with serve(folder) as venue:
        assert venue.stop() == 0
    assert {file.name for file in folder.iterdir()} == AT_REST
    assert folder.stat().st_mode & 0o777 == 0o700


def demo_until(folder: Path, reached: Callable[[dict[str, Any]], bool], *options: str) -> dict[str, Any]:
    """What a `rex demo` prints that ends after some seconds: the first one with what was to be reached. On a busy machine a
    demo may end before its traders have traded; then the next one carries on, for longer."""
    for seconds in DEMOS_S:
        ended = rex("demo", *options, "--seconds", str(seconds), "--port", "0", "--data-dir", folder, "--json")
        assert ended.exit_status == 0, ended.err
        assert STOPPING in ended.err
        told: dict[str, Any] = json.loads(ended.out)
        if reached(told):
            return told
    raise AssertionError("the simulated traders do not trade")


def test_demo_trades_by_itself_carries_on_and_agrees_with_itself(tmp_path: Path) -> None:
    options = ("--no-history", "--pace", "2000", "--rate", "200")
    one = demo_until(tmp_path, lambda told: told["trades"] > 0, *options)
    assert {file.name for file in tmp_path.iterdir()} == AT_REST | {KEY_USES_FILE}
    assert one["orders"] > one["trades"]
    assert (one["target_cny"], one["agree"]) == ("23000000000.00", True)
    figure = one["figure"]
    assert figure["engine_counter"] == figure["sql_sum"] == figure["journal_replay"] == one["turnover_cny"]
    assert figure["independent_decoder"] == one["turnover_cny"]
    assert figure["seq"] == one["last_seq"]

    # The report, with and without proof, agrees with what the venue printed when it closed.
    report = rex("report", str(one["year"]), "--data-dir", tmp_path, "--prove", "--json")
    assert report.exit_status == 0, report.err
    found = json.loads(report.out)
    assert (found["net"], found["seq"], found["figure"]["agree"]) == (one["turnover_cny"], one["last_seq"], True)
    for_people = rex("report", str(one["year"]), "--data-dir", tmp_path)
    assert f"{Decimal(one['turnover_cny']):,}" in for_people.out
    assert "Single-sided" in for_people.out

    # So does the decoder that an auditor runs alone, at the same row.
    audit = [sys.executable, "-m", "services.reporting.audit", str(tmp_path / JOURNAL_FILE), str(one["year"]), "--json"]
    audited = json.loads(subprocess.run(audit, capture_output=True, text=True, check=True).stdout)
    names = ("net", "seq", "row_hash")
    assert [audited[name] for name in names] == [found[name] for name in names]
    assert audited["program_sha256"] == found["figure"]["decoder_sha256"]

    # The journal is good, and a second start continues with the same books.
    verified = rex("journal", "verify", "--data-dir", tmp_path, "--prove", "--json")
    checked = json.loads(verified.out)
    assert (checked["good"], checked["last_seq"], checked["state_hash"]) == (True, one["last_seq"], one["state_hash"])
    two = demo_until(tmp_path, lambda told: told["last_seq"] > one["last_seq"], *options)
    assert Decimal(two["turnover_cny"]) >= Decimal(one["turnover_cny"])


def test_a_second_process_on_a_folder_is_refused_and_reports_are_not(tmp_path: Path) -> None:
    """The folder is private."""
    with serve(tmp_path) as venue:
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
        second = rex("serve", "--port", "0", "--data-dir", tmp_path)
        assert second.exit_status == ExitCode.OTHER_WRITER
        assert "another REX process" in second.err
        assert str(tmp_path) in second.err
        assert "Traceback" not in second.err
        report = rex("report", "2026", "--data-dir", tmp_path, "--json")
        assert json.loads(report.out)["net"] == "0.00"
        assert rex("journal", "verify", "--data-dir", tmp_path).exit_status == 0
        port = venue.url.rsplit(":", 1)[1]
        taken = rex("serve", "--new", "--port", port, "--data-dir", tmp_path / "other")
        assert taken.exit_status == 1
        assert "in use" in taken.err
        assert "Traceback" not in taken.err
        assert not (tmp_path / "other").exists()


def test_a_changed_row_is_found_and_named(tmp_path: Path) -> None:
    close_venue(tmp_path)
    database = sqlite3.connect(tmp_path / JOURNAL_FILE)
    with database:
        [(first_seq, data)] = database.execute("SELECT first_seq, data FROM rows ORDER BY first_seq LIMIT 1")
        changed = data[:400] + bytes([data[400] ^ 1]) + data[401:]
        database.execute("UPDATE rows SET data = ? WHERE first_seq = ?", (changed, first_seq))
    database.close()
    verified = rex("journal", "verify", "--data-dir", tmp_path, "--json")
    found = json.loads(verified.out)
    assert verified.exit_status == 1
    assert (found["good"], found["error_seq"]) == (False, first_seq)
    for_people = rex("journal", "verify", "--data-dir", tmp_path)
    assert (for_people.exit_status, for_people.err) == (1, "")
    assert "bad at seq 1" in for_people.out
    restarted = rex("serve", "--port", "0", "--data-dir", tmp_path)
    assert restarted.exit_status == ExitCode.JOURNAL_DAMAGED
    assert "seq 1" in restarted.err
    assert "Traceback" not in restarted.err


@pytest.fixture(scope="module")
def killed_venue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a killed venue: its last six batches are only in the write-ahead log, and the read database has all."""
    folder = tmp_path_factory.mktemp("killed")
    with serve(folder) as venue:
        for number in range(6):
            assert open_account(venue, f"a{number}")
        assert venue.stop() == 0
    leave_in_log(folder / JOURNAL_FILE, 6)
    return folder


def open_account(venue: VenueProcess, name: str) -> bool:
    """Opens an account. Whether that was acknowledged."""
    headers = {"Authorization": f"Bearer {venue.operator_key}"}
    return http_post(f"{venue.url}/v1/admin/accounts", json={"name": name}, headers=headers).is_success


def here(*arguments: str | Path) -> Result:
    """Runs one `rex` command in this process."""
    return CliRunner().invoke(app, list(map(str, arguments)))


def verified(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the JSON document of `rex journal verify`."""
    result = here("journal", "verify", "--data-dir", folder, "--json", *arguments)
    return result.exit_code, json.loads(result.stdout)


def test_one_flipped_bit_in_the_log_is_no_silent_loss(killed_venue: Path, tmp_path: Path) -> None:
    folder = tmp_path / "flipped"
    shutil.copytree(killed_venue, folder)
    status, good = verified(killed_venue)
    stands = f"the read database {killed_venue / READ_DATABASE_FILE} stands at seq {good['last_seq']}"
    assert (status, good["good"], good["witness"]) == (0, True, stands)
    log = folder / f"{JOURNAL_FILE}-wal"
    data = bytearray(log.read_bytes())
    data[len(data) // 3] ^= 1
    log.write_bytes(data)
    status, found = verified(folder, "--prove")
    assert (status, found["good"], found["error_seq"]) == (1, False, found["last_seq"] + 1)
    assert found["last_seq"] < good["last_seq"]
    sentence = f"has lost commands from seq {found['error_seq']} on"
    for command in (("report", "2026"), ("report", "2026", "--prove"), ("serve", "--port", "0")):
        refused = rex(*command, "--data-dir", folder)  # not `here`: a venue forks, which a process with threads refuses
        assert refused.exit_status not in (0, 2), command
        for part in (sentence, f"up to seq {good['last_seq']}", "Remove nothing"):
            assert part in refused.err
    assert log.read_bytes() == data

    # If the log is missing altogether, the read database still shows the loss.
    log.unlink()
    process = rex("serve", "--port", "0", "--data-dir", folder)
    assert process.exit_status not in (0, 2)
    assert f"the read database {folder / READ_DATABASE_FILE} knows commands up to seq {good['last_seq']}" in process.err
    assert "Remove nothing" in process.err
    assert "Traceback" not in process.err


def test_the_read_database_and_a_noted_line_are_witnesses(killed_venue: Path, tmp_path: Path) -> None:
    _, good = verified(killed_venue)
    seq, digest = good["last_seq"], good["last_hash"]
    assert verified(killed_venue, "--expect", f"{seq}:{digest}")[1]["expected"] == [
        {"seq": seq, "hash": digest, "found": True}
    ]
    status, other = verified(killed_venue, "--expect", f"{seq}:{'0' * 64}")
    assert (status, other["good"], other["error_seq"], digest in other["error"]) == (1, False, seq, True)
    assert "--expect SEQ:HASH" not in other["error"], "that is what was just done"
    assert "start nothing on it and keep all files. Older lines say how far it is still true" in other["error"]

    shutil.copytree(killed_venue, folder := tmp_path / "lost")
    (folder / f"{JOURNAL_FILE}-wal").unlink()
    status, lost = verified(folder)
    assert (status, lost["error_seq"]) == (1, lost["last_seq"] + 1)
    assert f"the read database {folder / READ_DATABASE_FILE} knows commands up to seq {seq}" in lost["error"]
    refused = here("report", "2026", "--prove", "--data-dir", folder)
    assert (refused.exit_code not in (0, 2), lost["error"] in refused.stderr) == (True, True)
    (folder / READ_DATABASE_FILE).unlink()
    status, unseen = verified(folder)
    assert (status, unseen["witness"]) == (0, f"there is no read database {folder / READ_DATABASE_FILE}")
    status, missed = verified(folder, "--expect", f"{seq}:{digest}")
    assert (status, missed["expected"][0]["found"]) == (1, False)
    assert f"--expect {seq}:{digest} knows commands up to seq {seq}" in missed["error"]


@pytest.mark.parametrize("malformed", ["7", "0:" + "0" * 64, "x:" + "0" * 64, "7:abc", "-1:" + "0" * 64])
def test_an_expectation_that_cannot_be_is_bad_usage(malformed: str) -> None:
    refused = here("journal", "verify", "--expect", malformed)
    assert (refused.exit_code, "--expect" in refused.stderr) == (2, True)


def test_the_console_script_and_its_version_which_says_how_the_engine_runs() -> None:
    version = subprocess.run([REX, "--version"], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert version.stdout.startswith("rex 0.1.0 on Python 3.")
    if os.environ.get("REX_REQUIRE_EVERYTHING") == "1":
        assert NATIVE, "the set-up has compiled the engine"
    runs = "native code." if NATIVE else "plain Python, about 100 times slower: it is not compiled."
    assert f"; The matching engine runs as {runs}" in version.stdout
    assert is_native() == NATIVE, "the file of the engine says how it was built, without importing it"


MODULES_OF = """
import sys
from services.cli import main
for arguments in ("--version", "--help", "demo --help", "export --help", "journal verify --help"):
    sys.argv = ["rex", *arguments.split()]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code
print("|", *sys.modules, file=sys.stderr)
"""


def test_help_and_version_import_neither_the_venue_nor_a_heavy_library() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", MODULES_OF], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    modules = set(ended.stderr.split("|")[1].split())
    ours = {name for name in modules if name.partition(".")[0] in ("services", "matching_engine")}
    names = (
        "archive backup certificate copying export help instrument journal migrate options report running_venue scaled "
        "simulate snapshot target terminal user venue"
    )
    commands = {f"services.cli.{name}" for name in names.split()}
    light = {
        "services", "services.cli", "services.processes", "services.processes.exit_codes",
        "services.processes.own_process", "services.values", "services.values.decimals", "matching_engine",
    }  # fmt: skip
    assert ours - light - commands == set()
    heavy = {"fastapi", "jinja2", "numpy", "pydantic_settings", "sqlalchemy", "starlette", "structlog", "uvloop"}
    assert modules & (heavy | OF_FILES) == set()


OF_FILES = {"pyarrow", "pylopdf_fonts_zh_cn", "typst", "xlsxwriter"}
"""Libraries that make files: imported with the first file."""


def imported_with(module: str) -> set[str]:
    command = [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout.split())


def test_a_venue_starts_without_the_libraries_that_make_files() -> None:
    modules = imported_with("services.venue.bootstrap")
    assert "services.reporting.exports.answers" in modules
    assert modules & OF_FILES == set()


def test_what_reads_a_venue_at_rest_imports_no_gateway() -> None:
    modules = imported_with("services.venue.fatal_errors, services.reporting.checked_report, services.cli.verifying")
    assert modules & {"fastapi", "httpx", "rex_client", "services.gateway", "services.simulator"} == set()


def test_a_read_database_of_another_journal_is_refused_with_the_way_out(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        close_venue(tmp_path / folder)
    (tmp_path / "one" / READ_DATABASE_FILE).replace(tmp_path / "two" / READ_DATABASE_FILE)
    refused = rex("serve", "--port", "0", "--data-dir", tmp_path / "two")
    assert refused.exit_status == 1
    assert "was made from another journal" in refused.err
    # Every command reports it: it may be the only sign that the journal was replaced.
    reported = rex("report", "2026", "--data-dir", tmp_path / "two")
    assert (reported.exit_status, "was made from another journal" in reported.err) == (1, True)
    for options in ((), ("--prove",)):
        status, found = verified(tmp_path / "two", *options)
        assert (status, found["good"], found["error"], found["differences"]) == (1, False, None, [found["witness"]])
        assert "was made from another journal" in found["witness"]
    assert "restore the journal first" in refused.err
    assert "Traceback" not in refused.err
