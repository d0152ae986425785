"""Backup and restore: runs the commands of docs/durability.md, as written there, while a venue trades."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from services.client import RexClient
from services.reporting.report_database import JOURNAL_FILE
from tests.faults.venue_process import rex, serve
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[2] / "docs" / "durability.md").read_text(encoding="utf-8")


def commands_under(heading: str) -> list[str]:
    """The shell lines of a section."""
    section = re.search(rf"\n## {heading}\n.*?```sh\n(.*?)```", PAGE, re.DOTALL)
    assert section is not None
    return section[1].replace(".venv/bin/", f"{Path(sys.executable).parent}/").splitlines()


def shell(lines: list[str], folder: Path) -> None:
    subprocess.run(["sh", "-ec", "\n".join(lines)], cwd=folder, check=True, timeout=PATIENCE_S, capture_output=True)


def verified(data_dir: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(rex("journal", "verify", "--prove", "--json", "--data-dir", data_dir).out)
    return found


async def test_a_backup_taken_while_the_venue_trades_restores_all_it_knew(tmp_path: Path) -> None:
    with serve(tmp_path / "rex-data") as venue:
        async with RexClient(venue.url, venue.operator_key) as operator:
            for number in range(60):
                await operator.open_account(f"member {number}")
            shell(commands_under("Backup"), tmp_path)
            with closing(sqlite3.connect(tmp_path / "rex-data" / JOURNAL_FILE, isolation_level=None)) as reader:
                reader.execute("PRAGMA wal_checkpoint")  # as an idle venue does after a second
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM rows").fetchone()
                last_acknowledged = (await operator.open_account("after the backup"))["account"]
                # While this reader is in a transaction, appended batches stay in the write-ahead log.
                (tmp_path / "copied").mkdir()
                shutil.copy(tmp_path / "rex-data" / JOURNAL_FILE, tmp_path / "copied")
        assert venue.stop() == 0
    kept = verified(tmp_path / "backup")
    assert kept["good"]
    assert verified(tmp_path / "copied")["last_seq"] == kept["last_seq"], "cp leaves the log behind"
    assert verified(tmp_path / "rex-data")["last_seq"] == int(str(kept["last_seq"])) + 1

    *restore, start = commands_under("Restore")
    kept_line = f"{kept['last_seq']}:{kept['last_hash']}"
    assert any("--expect SEQ:HASH" in line for line in restore)
    shell([line.replace("SEQ:HASH", kept_line) for line in restore], tmp_path)
    assert "rex serve --data-dir restored" in start
    with serve(tmp_path / "restored") as venue:
        async with RexClient(venue.url, venue.operator_key) as operator:
            names = [account["name"] for account in await operator.accounts()]
            again = await operator.open_account("the first one after it")
        assert venue.stop() == 0
    assert [f"member {number}" for number in range(60)] == names[-60:]
    assert again["account"] == last_acknowledged, "a backup knows nothing of what came after it"
    assert verified(tmp_path / "restored")["good"]
