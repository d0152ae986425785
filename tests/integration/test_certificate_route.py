"""The certificate over HTTP, of a venue in a folder that proves itself."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pypdf
import pytest

from services.files.data_folder import READ_DATABASE_FILE
from services.reporting.certificate import LACKS_BREAKDOWN
from services.reporting.figure import compute_figure
from services.reporting.proven import Proven
from tests.integration.test_certificate import redone
from tests.integration.test_reporting import NET, place, trade
from tests.integration.venue import RunningVenue, running_venue

pytestmark = pytest.mark.anyio

CERTIFICATE = "/v1/reports/turnover/2023/certificate"


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[RunningVenue]:
    """A venue that trades on while it is proven: the proof is of the command before. Its read database was not copied."""

    async def prove(year: int, *, breakdown: bool = False) -> Proven:
        assert breakdown
        seq, counter_fen = running.sequencer.last_seq, running.engine.turnover_fen(year)
        await place(running, "alice", "NDFEB-N35", "sell", "160.00", 1)
        await running.projector.reached((await place(running, "bob", "NDFEB-N35", "buy", "160.00", 1))["seq"])
        figure = await compute_figure(
            year, seq=seq, engine_counter_fen=counter_fen, read_database=running.read_database, journal=running.journal
        )
        return Proven(year, seq, running.clock(), figure.to_json(), None)

    async with running_venue(tmp_path, prove=prove) as running:
        yield running


async def test_all_of_it_is_of_the_command_that_was_proven(venue: RunningVenue, tmp_path: Path) -> None:
    seq = await trade(venue)
    found = (await venue.client("operator").get(CERTIFICATE)).json()
    assert (found["seq"], found["net"], found["engine_counter"], found["trades"]) == (seq, str(NET), str(NET), 3)
    assert (found["outcome"], found["verdict"], found["share"]) == ("too_early", "It is too early to say.", "0.000046")
    again = redone(found["redo"], tmp_path)
    assert (again["net"], again["row_hash"]) == (found["net"], found["row_hash"])
    assert (found["breakdown"], found["lacks"]) == (None, LACKS_BREAKDOWN.format(year=2023, seq=seq))
    later = (await venue.client("operator").get(CERTIFICATE)).json()
    assert (later["seq"], later["trades"]) == (seq + 2, 4)


async def test_is_a_page_and_another_that_says_what_it_lacks(venue: RunningVenue) -> None:
    seq = await trade(venue)
    pdf = await venue.client("operator").get(CERTIFICATE, params={"format": "pdf"})
    assert pdf.headers["content-disposition"] == f'attachment; filename="rex-certificate-2023-seq-{seq}.pdf"'
    page, made_of = (page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf.content)).pages)
    assert page.count(f"{NET:,}") == 6  # the figure, its gross, four sums
    assert f"rex certificate 2023 --seq {seq} makes the certificate with it" in made_of


async def test_what_disagrees_is_a_problem_with_its_sentences(venue: RunningVenue, tmp_path: Path) -> None:
    await venue.projector.reached(await trade(venue))
    with closing(sqlite3.connect(tmp_path / READ_DATABASE_FILE)) as connection, connection:
        connection.execute(
            "UPDATE trades SET amount_fen = amount_fen + 1 WHERE trade_id = (SELECT min(trade_id) FROM trades)"
        )
    for query in ({}, {"format": "pdf"}):
        refused = await venue.client("operator").get(CERTIFICATE, params=query)
        assert (refused.status_code, refused.json()["code"]) == (409, "not_certified")
    assert "by the engine's counter, " in refused.json()["detail"]
    assert "There is no certificate of 2023" in refused.json()["detail"]


async def test_needs_trades_and_a_known_format(venue: RunningVenue) -> None:
    await trade(venue)
    empty = await venue.client("operator").get("/v1/reports/turnover/2022/certificate")
    assert (empty.status_code, empty.json()["code"]) == (409, "not_certified")
    assert "no trade of that year" in empty.json()["detail"]
    assert (await venue.client("operator").get(CERTIFICATE, params={"format": "csv"})).status_code == 422
