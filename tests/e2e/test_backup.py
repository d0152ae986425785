"""Backup and restore: runs the commands of docs/durability.md, as written there, while a venue trades."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rex_client import RexClient, pages

from services.files.data_folder import JOURNAL_FILE
from services.journal.sqlite import SqliteJournal
from tests.faults.venue_process import rex, serve
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[2] / "docs" / "durability.md").read_text(encoding="utf-8")


def commands_under(heading: str, number: int = 0) -> list[str]:
    """The shell lines of a section: of its first block, or of a later one."""
    section = re.search(rf"\n## {heading}\n(.*?)(\n## |$)", PAGE, re.DOTALL)
    assert section is not None
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", section[1], re.DOTALL)
    return blocks[number].replace(".venv/bin/", f"{Path(sys.executable).parent}/").splitlines()


async def rows_of(data_dir: Path) -> list[bytes]:
    journal = await SqliteJournal.open(data_dir / JOURNAL_FILE, read_only=True)
    try:
        return [batch.encode() async for batch in journal.read(0)]
    finally:
        await journal.close()


def test_archives_and_the_drill_are_done_as_written(tmp_path: Path) -> None:
    days = ["--days", "3", "--commands", "50000", "--data-dir", tmp_path / "rex-data"]
    assert rex("simulate-year", "2025", *map(str, days), "--json").exit_status == 0
    shell(commands_under("Archives"), tmp_path)
    assert sorted(os.listdir(tmp_path / "rex-data" / "archives")) == ["2025-01-02", "2025-01-03", "2025-01-06"]
    drill = commands_under("Archives", number=1)
    assert sum("--to 2025-12-31" in line for line in drill) == 1
    shell([line.replace("2025-12-31", "2025-01-03") for line in drill], tmp_path)
    assert verified(tmp_path / "year-2025")["good"]


def shell(lines: list[str], folder: Path) -> None:
    subprocess.run(["sh", "-ec", "\n".join(lines)], cwd=folder, check=True, timeout=PATIENCE_S, capture_output=True)


def verified(data_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rex("journal", "verify", "--prove", "--json", "--data-dir", data_dir).out)
    return found


async def test_a_backup_under_load_holds_what_was_acknowledged_before_it(tmp_path: Path) -> None:
    """And it comes back; so does what a journal has whose log lacks nothing."""
    with serve(tmp_path / "rex-data") as venue:
        async with RexClient(venue.url, venue.operator_key) as operator:
            acknowledged = (await operator.open_account("before"))["account"]
            backup = "\n".join(commands_under("Backup"))
            making = await asyncio.create_subprocess_exec("sh", "-ec", backup, cwd=tmp_path)
            ended = asyncio.ensure_future(making.wait())
            while not ended.done():
                await operator.open_account("meanwhile")
            assert ended.result() == 0
            with closing(sqlite3.connect(tmp_path / "rex-data" / JOURNAL_FILE, isolation_level=None)) as reader:
                reader.execute("PRAGMA wal_checkpoint")  # as an idle venue does after a second
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM rows").fetchone()
                await operator.open_account("after the backup")
                # While this reader is in a transaction, appended batches stay in the write-ahead log.
                (tmp_path / "copied").mkdir()
                shutil.copy(tmp_path / "rex-data" / JOURNAL_FILE, tmp_path / "copied")
        assert venue.stop() == 0
    whole, kept, copied = verified(tmp_path / "rex-data"), verified(tmp_path / "backup"), verified(tmp_path / "copied")
    assert copied["last_seq"] == whole["last_seq"] - 1, "cp leaves the log behind"
    rows, kept_rows = await rows_of(tmp_path / "rex-data"), await rows_of(tmp_path / "backup")
    assert (kept["good"], kept_rows == rows[: len(kept_rows)], len(kept_rows) < len(rows)) == (True, True, True)
    rescue = commands_under("When the journal has lost commands")
    shell([line.strip() for line in rescue], tmp_path)
    assert verified(tmp_path / "rescued")["last_hash"] == whole["last_hash"]

    restore, start = commands_under("Restore")
    assert "--expect SEQ:HASH" in restore
    shell([restore.replace("SEQ:HASH", f"{kept['last_seq']}:{kept['last_hash']}")], tmp_path)
    assert json.loads((tmp_path / "backup" / "manifest.json").read_bytes())["state_hash"] == kept["state_hash"]
    assert "rex serve --data-dir restored" in start
    with serve(tmp_path / "restored") as venue:
        async with RexClient(venue.url, venue.operator_key) as operator:
            there = [account async for page in pages(operator.accounts) for account in page["accounts"]]
            again = await operator.open_account("the first one after it")
        assert venue.stop() == 0
    assert [account["name"] for account in there if account["account"] == acknowledged] == ["before"]
    assert again["account"] == max(account["account"] for account in there) + 1, (
        "it knows nothing of what came after it"
    )
    assert verified(tmp_path / "restored")["good"]
