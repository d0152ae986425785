"""`rex certificate`: the page read back, its line run again, and no certificate where anything disagrees."""

from __future__ import annotations

import asyncio
import io
import json
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdf
import pytest
from typer.testing import CliRunner, Result

from matching_engine import Engine
from services.cli import app
from services.commands import administrative as admin
from services.commands.attachments import BustText, TradesDecided
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.messaging import Submission
from services.reporting import audit
from services.reporting.audit import own_sha256
from services.reporting.certificate import NotCertified, certify_report
from services.reporting.checked_report import report_at_rest
from services.reporting.exports.seal import COUNTING_RULE_ZH
from services.reporting.report import COUNTING_RULE
from tests.integration.test_reporting_folder import deals, journal_of
from tests.unit.read_model.history import SENDER, History, opening

SEED = opening()
TRADE_IDS = [(len(SEED) + 2 * number) << 20 | 1 for number in range(1, 5)]


def batches() -> list[list[Submission]]:
    """Four trades of 20,000.00 yuan each: one is busted, one is excluded."""
    decided = TradesDecided(decision="exclude", trade_ids=(TRADE_IDS[1],), reason="a ring", name="Li Na")
    return [
        SEED,
        deals(4),
        [admin.bust_trade(SENDER, TRADE_IDS[0], BustText(reason="a mistake"))],
        [admin.record(SENDER, decided)],
    ]


@pytest.fixture
def venue(tmp_path: Path) -> Path:
    folder = tmp_path / "venue"
    folder.mkdir()
    asyncio.run(journal_of(folder, History(Engine()), batches()))
    return folder


def rex(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["certificate", *map(str, arguments)])


def certified(*arguments: object) -> dict[str, Any]:
    done = rex(*arguments, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def redone(line: str, folder: Path) -> dict[str, Any]:
    """What the certificate's line finds, run where the journal and `audit.py` are, by a Python without packages."""
    shutil.copy(audit.__file__, folder / "audit.py")
    python, *arguments = shlex.split(line)
    assert python == "python3"
    alone = [sys.executable, "-I", "-S", *arguments, "--json"]
    done = subprocess.run(alone, cwd=folder, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def texts_of(pdf: bytes) -> tuple[str, str]:
    """The texts of the two pages, without the spaces and line ends that a reader guesses."""
    first, second = ("".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    return first, second


def reported(venue: Path, *options: object) -> dict[str, Any]:
    """What `rex report` says that the turnover is made of."""
    arguments = ("report", 2023, "--data-dir", venue, "--breakdown", "--json", *options)
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)["breakdown"]
    return found


def one_line(texts: Sequence[str]) -> list[str]:
    return ["".join(text.split()) for text in texts]


def test_the_certificate_has_the_sums_and_the_line_that_redoes_them(venue: Path) -> None:
    found = certified(2023, "--data-dir", venue)
    assert (found["net"], found["gross"], found["busted"], found["excluded"]) == (
        "40000.00", "80000.00", "20000.00", "20000.00",
    )  # fmt: skip
    assert [found[name] for name in ("engine_counter", "sql_sum", "journal_replay", "independent_decoder")] == [
        None, "60000.00", "60000.00", "60000.00",
    ]  # fmt: skip
    assert found["excluded_sql_sum"] == found["excluded_independent_decoder"] == "20000.00"
    assert (found["trades"], found["all_trades"], found["busted_trades"], found["excluded_trades"]) == (2, 4, 1, 1)
    assert found["decoder_sha256"] == own_sha256()
    assert (found["counting_rule"], found["counting_rule_zh"]) == (COUNTING_RULE, COUNTING_RULE_ZH)
    again = redone(found["redo"], venue)
    for name in ("net", "gross", "busted", "excluded", "seq", "row_hash", "journal_id"):
        assert again[name] == found[name], name
    assert again["trades"] == found["all_trades"], "the decoder counts all"
    assert (again["program_sha256"], again["agree"]) == (found["decoder_sha256"], True)


def test_a_past_moment_is_certified(venue: Path) -> None:
    bust = len(SEED) + 9
    found = certified(2023, "--data-dir", venue, "--seq", bust - 1)
    assert (found["net"], found["busted"], found["excluded"], found["seq"]) == ("80000.00", "0.00", "0.00", bust - 1)
    again = redone(found["redo"], venue)
    assert (again["net"], again["row_hash"]) == (found["net"], found["row_hash"])
    beyond = rex(2023, "--data-dir", venue, "--seq", 1_000)
    assert (beyond.exit_code, "has not reached seq 1,000" in beyond.stderr) == (1, True)


def test_the_pages_have_what_the_document_has_and_name_no_member(venue: Path, tmp_path: Path) -> None:
    pdf = tmp_path / "certificate.pdf"
    found = certified(2023, "--data-dir", venue, "--pdf", pdf)
    text, made_of = texts_of(pdf.read_bytes())
    assert "2tradesthatcount" in text
    assert "4trades,bustedandexcludedincluded" in text
    names = (
        "row_hash",
        "journal_id",
        "decoder_sha256",
        "redo",
        "verdict",
        "verdict_zh",
        "counting_rule_zh",
        "target_name",
    )
    for part in one_line([*(found[name] for name in names), "¥ 40,000.00", "¥ 60,000.00", "23,000,000,000.00"]):
        assert part in text, part
    assert text.count("60,000.00") == 3
    assert "Threecomputations" in text
    assert "notpartofthisproof" in text
    breakdown = found["breakdown"]
    assert breakdown["ladder"]["ladder"]["changed_hands"] == "40000.00"
    january, fees = breakdown["months"]["months"][0], breakdown["fees"]
    amounts = [f"{Decimal(one):,}" for one in (january["plan"], january["actual"], fees["fees"], fees["without_vat"])]
    titles = (
        "Changed hands 实际换手",
        "Taken out: tonnes",
        "Months and their plan 各月与计划",
        "Members by rank",
        "Fee income",
    )
    for part in one_line([*amounts, *titles, "2023-12", "waiting 待决定", "Flagged by the screen 筛查标记"]):
        assert part in made_of, part
    assert "trader" not in made_of
    assert "Againstlastyear" not in made_of, "there is no last year"


def test_what_the_turnover_is_made_of_is_that_of_the_report(venue: Path) -> None:
    bust = len(SEED) + 9
    for options in ((), ("--seq", bust - 1)):
        assert certified(2023, "--data-dir", venue, *options)["breakdown"] == reported(venue, *options)


@pytest.mark.anyio
async def test_a_breakdown_of_another_turnover_is_not_certified(venue: Path) -> None:
    found = await report_at_rest(venue, 2023, True, breakdown=True)
    earlier = await report_at_rest(venue, 2023, seq=len(SEED) + 8, breakdown=True)
    assert certify_report(found, 1).net == "40000.00"
    with pytest.raises(
        NotCertified, match=r"The breakdown's net turnover is 80000\.00 yuan, and 40000\.00 is proven\."
    ):
        certify_report(replace(found, breakdown=earlier.breakdown), 1)


def test_a_file_is_not_replaced(venue: Path, tmp_path: Path) -> None:
    pdf = tmp_path / "certificate.pdf"
    pdf.write_text("mine")
    done = rex(2023, "--data-dir", venue, "--pdf", pdf)
    assert (done.exit_code, pdf.read_text()) == (1, "mine")


def test_a_file_in_no_folder_is_refused_before_the_proof(tmp_path: Path) -> None:
    """There is no venue either: nothing was looked for."""
    pdf = tmp_path / "none" / "certificate.pdf"
    missing = rex(2023, "--data-dir", tmp_path / "no venue", "--pdf", pdf)
    assert missing.exit_code == 1
    said = "".join(missing.stderr.split())
    assert "".join(f"--pdf {pdf} cannot be made: there is no folder {pdf.parent}".split()) in said
    assert "journal" not in said


def refused(venue: Path, tmp_path: Path, year: int = 2023) -> str:
    """What is said where there is no certificate; there is no file either."""
    pdf = tmp_path / "certificate.pdf"
    done = rex(year, "--data-dir", venue, "--pdf", pdf)
    assert (done.exit_code, done.stdout, pdf.exists()) == (1, "", False)
    return done.stderr


def test_a_changed_byte_of_the_journal_gives_no_certificate(venue: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(venue / JOURNAL_FILE)) as connection, connection:
        (data,) = connection.execute("SELECT data FROM rows WHERE first_seq = ?", (len(SEED) + 1,)).fetchone()
        changed = bytearray(data)
        changed[200] ^= 1
        connection.execute("UPDATE rows SET data = ? WHERE first_seq = ?", (bytes(changed), len(SEED) + 1))
    assert "checksum is wrong" in refused(venue, tmp_path)


DIFFERENCES = [
    (
        "UPDATE trades SET amount_fen = amount_fen + 1 WHERE trade_id = :counted",
        "The amounts traded differ, in yuan:",
    ),
    (
        "DELETE FROM decided_trades",
        "The excluded amounts differ, in yuan: 0.00 by the sum over the trades, 20000.00",
    ),
    (
        "UPDATE daily_turnover SET amount_fen = amount_fen + 1",
        "net turnover is 40000.01 yuan, and 40000.00 is proven",
    ),
    ("UPDATE accounts SET cash_fen = cash_fen + 1 WHERE account = 2", "account 2"),
]


def test_a_read_database_that_differs_gives_no_certificate(venue: Path, tmp_path: Path) -> None:
    path = venue / READ_DATABASE_FILE
    true = path.read_bytes()
    for change, sentence in DIFFERENCES:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(change, {"counted": TRADE_IDS[3]} if ":counted" in change else {})
        said = refused(venue, tmp_path)
        assert "There is no certificate of 2023: at seq" in said
        assert sentence in said
        path.write_bytes(true)


def test_a_year_without_trades_is_not_certified(venue: Path, tmp_path: Path) -> None:
    assert "the venue has no trade of that year up to seq" in refused(venue, tmp_path, 2024)


def test_without_an_option_it_is_printed(venue: Path) -> None:
    done = rex(2023, "--data-dir", venue)
    assert done.exit_code == 0
    lines = dict(line.split(None, 1) for line in done.stdout.splitlines())
    assert (lines["net"], lines["engine_counter"]) == ("40000.00", "not part of this proof")
    assert (lines["ladder.changed_hands"], lines["fees.total"], lines["flagged.all"]) == ("40000.00", "60.00", "0.00")
    assert lines["redo"].startswith("python3 audit.py journal.sqlite 2023 --seq ")
