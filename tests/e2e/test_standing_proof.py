"""The proof of a running venue: in a process of its own, over the API, and as a warning in health where it fails."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from rex_client import RexClient, RexError

from matching_engine import Engine
from services.files.data_folder import READ_DATABASE_FILE
from services.processes.child_process import run_module
from services.venue.bootstrap import Venue, open_venue
from services.venue.settings import Settings
from services.venue.standing_proof import StandingProof
from tests.e2e.clock import TEN_O_CLOCK_NS, Clock
from tests.patience import PATIENCE_S, AsyncHttpClient

pytestmark = pytest.mark.anyio

PROOF = "/v1/reports/turnover/2023/proof"


class OneFenMore:
    """An engine whose counter is a fen too high."""

    def __init__(self, engine: Engine) -> None:
        self.trading_date = engine.trading_date
        self.last_seq = engine.last_seq
        self._turnover_fen = engine.turnover_fen(2023) + 1

    def turnover_fen(self, _year: int) -> int:
        return self._turnover_fen


async def health_of(venue: Venue) -> list[str]:
    async with AsyncHttpClient(base_url=venue.url) as client:
        warnings: list[str] = (await client.get("/healthz")).json()["warnings"]
        return warnings


async def test_a_proof_that_failed_is_named_once_in_health(tmp_path: Path) -> None:
    """First by the proof, then by the alert that the monitor raises of it. The sums of days are those of the trades."""
    settings = Settings(data_dir=tmp_path, port=0, schedule="always", alerts_every_s=0.05)
    async with open_venue(settings, clock=Clock()) as venue, asyncio.timeout(PATIENCE_S):
        await one_trade(venue)
        operator = RexClient(venue.url, venue.keys["operator"].key)
        async with operator, operator.subscribe(["alerts"]) as pushes:
            assert (await anext(pushes))["data"]["alerts"] == []
            await venue.projector.reached(venue.engine.last_seq)
            with closing(sqlite3.connect(tmp_path / READ_DATABASE_FILE)) as connection, connection:
                for table in ("trades", "daily_turnover"):
                    connection.execute(f"UPDATE {table} SET amount_fen = amount_fen + 1")
            with pytest.raises(RexError, match="not_certified"):
                await operator.certificate(2023)
            (alert,) = (await anext(pushes))["data"]["alerts"]
        assert (alert["kind"], alert["subject"]) == ("proof_failed", "2023")
        assert await health_of(venue) == [f"Alert {alert['alert_id']} (proof_failed) is open: GET /v1/alerts."]


async def one_trade(venue: Venue) -> None:
    async with RexClient(venue.url, venue.keys["operator"].key) as operator:
        seller = (await operator.open_account("seller"))["account"]
        buyer = (await operator.open_account("buyer"))["account"]
        await operator.change_inventory(seller, "PRND-OX", 1)
        await operator.change_cash(buyer, "1000000.00")
        for account, side in ((seller, "sell"), (buyer, "buy")):
            key = (await operator.issue_key(side, ["read", "trade"], account=account))["key"]
            async with RexClient(venue.url, key) as trader:
                await trader.place_order({"symbol": "PRND-OX", "side": side, "price": "473000.00", "quantity": 1})


async def test_a_running_venue_proves_its_figure_and_shows_a_proof_that_failed(tmp_path: Path) -> None:
    async with open_venue(Settings(data_dir=tmp_path, port=0, schedule="always"), clock=Clock()) as venue:
        await one_trade(venue)
        headers = {"authorization": f"Bearer {venue.keys['operator'].key}"}
        async with AsyncHttpClient(base_url=venue.url, headers=headers) as client:
            found = (await client.get(PROOF)).json()
            health = (await client.get("/healthz")).json()
        async with RexClient(venue.url, venue.keys["operator"].key) as operator:
            certificate = await operator.certificate(2023)
        figure = found["figure"]
        assert (found["agree"], found["trouble"], found["seq"]) == (True, None, venue.engine.last_seq)
        for computation in ("engine_counter", "sql_sum", "journal_replay", "independent_decoder"):
            assert figure[computation] == "473000.00", computation
        assert (certificate["engine_counter"], certificate["seq"]) == ("473000.00", found["seq"])
        assert certificate["breakdown"]["ladder"]["ladder"]["changed_hands"] == "473000.00"
        assert health["warnings"] == []
        assert (health["proof_agrees"], health["proven_seq"]) == (True, found["seq"])
        assert health["proof_age_s"] >= 0
        assert (health["proof_reached_seq"], health["proof_to_seq"]) == (None, None)
        assert (health["read_database_lag"], health["websockets"], health["sessions"]) == (0, 0, 0)

        lines: list[bytes] = []
        arguments = ("2023", str(found["seq"]), "-", "-", "-", str(tmp_path))
        await run_module("services.reporting.proof_document", *arguments, on_line=lines.append)
        reached = [int(line) for line in lines]
        assert (reached, reached[-1]) == (sorted(reached), found["seq"])

        lying = StandingProof(
            tmp_path, None, OneFenMore(venue.engine), venue.projector.reached, lambda: TEN_O_CLOCK_NS, 0, 0
        )
        proven = await lying.prove(2023)
        assert proven.figure is not None
        assert (proven.agree, proven.figure["engine_counter"]) == (False, "473000.01")
        assert lying.alarms() == [
            f"The proof of 2023 at seq {found['seq']:,} failed: the computations of the turnover disagree, or the read database"
            " differs."
        ]

        elsewhere = StandingProof(
            tmp_path / "none", None, venue.engine, venue.projector.reached, lambda: TEN_O_CLOCK_NS, 0, 0
        )
        proven = await elsewhere.prove(2023)
        assert proven.trouble is not None
        assert "journal" in proven.trouble
        (alarm,) = elsewhere.alarms()
        assert "failed: it could not be made (" in alarm
        assert "journal" not in alarm  # health is public: the log, and operators, have the reason
