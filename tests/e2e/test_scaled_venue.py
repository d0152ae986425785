"""The scaled venue as its users see it: real processes on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from rex_client import OutcomeUnknown, RexClient
from websockets.exceptions import InvalidStatus

from load_tests.servers.postgres import PostgresServer
from services.gateway.websocket.liveness import CUT_OFF_REASON
from services.journal.postgres.journal import PostgresJournal
from services.journal.postgres.statements import MIGRATION_LOCK
from services.processes.exit_codes import ExitCode
from tests.faults.scaled_mutants import clock_ahead, links_through
from tests.faults.scaled_venue import ScaledVenue, answered_health, read_health, scaled_venue
from tests.faults.tcp_proxy import TcpProxy
from tests.faults.traders import SYMBOL, Trader, open_traders
from tests.faults.venue_process import RexProcess, rex
from tests.integration.alert_receiver import SECRET, receiving
from tests.integration.documented import operations
from tests.integration.postgres_journal import execute, until
from tests.patience import PATIENCE_S, AsyncHttpClient, WebSocketClient

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


PROCESSES = ("sequencer 1", "sequencer 2", "projector 1", "gateway 1", "gateway 2")


@pytest.fixture(scope="module")
def running(shared_postgres: PostgresServer) -> Iterator[ScaledVenue]:
    with scaled_venue(shared_postgres.create_database("rex_scaled_venue")) as venue:
        yield venue


@pytest.fixture
def venue(running: ScaledVenue) -> ScaledVenue:
    """The venue of this file with its own processes, all of them running: what a test ended or added is as before."""
    for name in [*running.processes]:
        if name not in PROCESSES or name in running.ended():
            running.end(name)
    for name in PROCESSES:
        if name not in running.processes:
            running.start(name)
    running.wait_ready()
    return running


async def test_gateway_and_leader_prove_the_figure_record_it_once_and_turn_red_at_a_changed_amount(
    venue: ScaledVenue,
) -> None:
    """The schedule of the leader proves on meanwhile."""
    buyer, seller = await open_traders(venue)
    async with RexClient(venue.url, buyer.key) as one, RexClient(venue.url, seller.key) as other:
        await one.place_order(_order(buyer, price="161.00", quantity=5))  # No order of another test trades with it.
        offer = await other.place_order(_order(seller, price="161.00", quantity=5))
        traded = (await other.fills(limit=1, cursor=None))["fills"][0]["amount"]
        year = int((await one.venue())["trading_date"][:4])
    leader = _lead_alone(venue, {"REX_PROOF_EVERY_S": "1", "REX_ALERTS_EVERY_S": "0.1"})
    report = partial(_asked, venue.url, venue, f"/v1/reports/turnover/{year}")
    told = list[int]()
    for _ in range(2):
        await until(report, lambda found: (found["proven_seq"] or 0) > max(told, default=0))
        told.append((await report())["proven_seq"])
    assert told[0] >= int(offer["order_id"])
    certificate = await _asked(venue.url, venue, f"/v1/reports/turnover/{year}/certificate")
    assert (certificate["net"], certificate["breakdown"]["ladder"]["ladder"]["net"]["amount"]) == (traded, traded)
    assert [_failed(url) for url in (venue.url, leader.url)] == [[], []]

    await execute(venue.database_url, "UPDATE trades SET amount_fen = amount_fen + 1")
    found = await _asked(venue.url, venue, f"/v1/reports/turnover/{year}/proof")
    figure = found["figure"]
    assert (found["agree"], figure["engine_counter"], figure["sql_sum"] == traded) == (False, None, False), found
    assert (figure["journal_replay"], figure["independent_decoder"]) == (traded, traded)
    for url in (venue.url, leader.url):
        await until(partial(_failed, url), lambda warnings: len(warnings) == 1)
    await execute(venue.database_url, "UPDATE trades SET amount_fen = amount_fen - 1")

    venue.end("sequencer 1")
    journal = await PostgresJournal.open(venue.database_url)
    try:
        texts = [json.loads(text) async for batch in journal.read(0) for text in batch.attachments]
    finally:
        await journal.close()
    recorded = [text["proven_seq"] for text in texts if text.get("type") == "proof_agreed"]
    assert recorded == sorted({*recorded})
    assert {*told} <= {*recorded}


def _lead_alone(venue: ScaledVenue, variables: dict[str, str]) -> RexProcess:
    """The only sequencer, with these variables."""
    for sequencer in [name for name in venue.processes if name.startswith("sequencer")]:
        venue.end(sequencer)
    return venue.start("sequencer 1", variables=variables)


async def _asked(url: str, venue: ScaledVenue, path: str) -> dict[str, Any]:
    async with AsyncHttpClient(base_url=url, headers={"authorization": f"Bearer {venue.operator_key}"}) as http:
        found: dict[str, Any] = (await http.get(path)).json()
        return found


def _failed(url: str) -> list[str]:
    """The warnings of proofs that failed. Another depends on the date of the machine: next year's calendar."""
    warnings = answered_health(url)["warnings"]
    return [one for one in warnings if one.startswith("The proof of") or "(proof_failed) is open" in one]


async def test_the_leader_raises_alerts_that_every_gateway_answers_and_the_webhook_sends(
    venue: ScaledVenue, tmp_path: Path
) -> None:
    async with receiving() as receiver:
        variables = {
            "REX_ALERTS_EVERY_S": "0.1",
            "REX_ALERT_QUIET_S": "1",
            "REX_ALERT_WEBHOOK_URL": receiver.url,
            "REX_ALERT_WEBHOOK_SECRET": SECRET,
            "REX_DATA_DIR": str(tmp_path / "leader"),
        }
        leader = _lead_alone(venue, variables)
        sent: list[str] = []
        while "journal_quiet" not in sent:
            sent = [message.told["data"]["kind"] for message in await receiver.until(len(sent) + 1)]
        warnings = answered_health(leader.url)["warnings"]
        assert [warning for warning in warnings if "(journal_quiet) is open" in warning]
        assert not [warning for warning in warnings if "looked at" in warning or "No alerts" in warning]
        for gateway in venue.gateways():
            await until(partial(_quiet_alert, venue, gateway))
        alert = await _quiet_alert(venue, venue.url)
        assert alert is not None
        headers = {"authorization": f"Bearer {venue.operator_key}"}
        async with AsyncHttpClient(base_url=venue.url, headers=headers) as http:
            path = f"/v1/alerts/{alert['alert_id']}/acknowledge"
            seen = await http.post(path, json={"name": "Li Na", "note": "it is a test"})
        assert seen.status_code in (200, 409), seen.text
        while not any(message.told["type"] == "alert.acknowledged" for message in receiver.taken):
            await receiver.until(len(receiver.taken) + 1)
        for name in venue.processes:
            assert SECRET not in venue.processes[name].errors.read_text()
            assert "in-the-address" not in venue.processes[name].errors.read_text()
        venue.end("sequencer 1")


async def _quiet_alert(venue: ScaledVenue, gateway: str) -> dict[str, Any] | None:
    found = (await _asked(gateway, venue, "/v1/alerts?state=all"))["alerts"]
    return next((alert for alert in found if alert["kind"] == "journal_quiet"), None)


async def test_while_nothing_can_commit_every_process_says_so(venue: ScaledVenue) -> None:
    """The writer row is locked as by a migration, which no standby ends. One with a wrong clock says that, too."""
    buyer, _ = await open_traders(venue)
    wrong = venue.start("sequencer 3", mutant=partial(clock_ahead, 901))
    await until(lambda: "ahead of that of the database server" in " ".join(read_health(wrong.url).get("warnings", [])))
    leader = venue.leader()
    (standby,) = {"sequencer 1", "sequencer 2"} - {leader}
    holder = await asyncpg.connect(venue.database_url)
    async with RexClient(venue.url, buyer.key) as client:
        async with holder.transaction():
            await holder.fetch("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
            await holder.fetch("SELECT FROM journal_writer FOR UPDATE")
            placing = asyncio.create_task(client.place_order(_order(buyer, price="160.00", quantity=1)))
            await until(lambda: "Nothing is committed" in read_health(venue.url).get("detail", ""))
            await until(lambda: "has not answered a statement" in _cause(venue, leader))
            await until(lambda: "locks the writer row" in _cause(venue, standby))
        with suppress(OutcomeUnknown):  # on a slow machine its gateway has not waited so long
            await placing
        await until(lambda: read_health(venue.url).get("oldest_command_age_s") == 0)
        assert len((await client.orders())["orders"]) == 1
    await holder.close()
    for url in (venue.url, *(venue.processes[name].url for name in (leader, standby))):
        await until(partial(_is_ready, url))


def _is_ready(url: str) -> bool:
    return read_health(url).get("status") == "ready"


def _cause(venue: ScaledVenue, name: str) -> str:
    """Why this process does not do its work; empty if it does."""
    return " ".join(read_health(venue.processes[name].url).get("causes", []))


@pytest.mark.parametrize("lost", ["link", "journal"])
async def test_a_gateway_that_is_cut_off_closes_its_websockets_and_says_how_old_its_reads_are(
    venue: ScaledVenue, lost: str
) -> None:
    """An order gateway whose link is cut while others keep theirs, and a read-only one that PostgreSQL does not answer."""
    buyer, _ = await open_traders(venue)
    key = {"authorization": f"Bearer {buyer.key}"}
    (writer,) = await execute(venue.database_url, "SELECT url FROM journal_writer")
    target = urlsplit(writer["url"] if lost == "link" else venue.database_url)
    async with (
        TcpProxy((target.hostname or "", target.port or 0)).running() as way,
        RexClient(venue.gateways()[0], buyer.key) as elsewhere,
        AsyncHttpClient(headers=key) as http,
        asyncio.timeout(PATIENCE_S),
    ):
        if lost == "link":
            gateway = await asyncio.to_thread(venue.start, "gateway 3", mutant=partial(links_through, way.port))
        else:
            through = {"REX_DATABASE_URL": venue.database_url.replace(f":{target.port}/", f":{way.port}/")}
            gateway = await asyncio.to_thread(venue.start, "gateway 3", "--read-only", variables=through)
        websocket = gateway.url.replace("http", "ws") + "/v1/ws"
        await asyncio.to_thread(venue.wait_ready)
        await _is_documented(gateway.url, http)
        async with WebSocketClient(websocket, additional_headers=key) as socket:
            assert "rex-as-of" not in (await http.get(f"{gateway.url}/v1/orders")).headers
            await way.refuse()
            await (way.cut() if lost == "link" else way.black_hole())
            await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (4010, CUT_OFF_REASON)
        order = await elsewhere.place_order(_order(buyer, price="160.00", quantity=1))
        assert (await asyncio.to_thread(read_health, gateway.url))["code"] == "cut_off"
        await _is_documented(gateway.url, http)
        with pytest.raises(InvalidStatus):
            await WebSocketClient(websocket, additional_headers=key)
        told = (await http.get(f"{gateway.url}/v1/time")).headers["rex-as-of"]
        seen = re.fullmatch(r'seq=(\d+), time="(.+)"', told)
        assert seen is not None, told
        assert int(seen[1]) < order["seq"]
        assert datetime.fromisoformat(seen[2]) < datetime.fromisoformat(order["updated_at"])
        await way.heal()
        await until(partial(_is_ready, gateway.url))
        async with WebSocketClient(websocket, additional_headers=key):
            await until(partial(_shows_the_present, http, f"{gateway.url}/v1/orders/{order['order_id']}"))


async def _is_documented(gateway: str, http: AsyncHttpClient) -> None:
    for path in ("/healthz", "/readyz"):
        answer = await http.get(f"{gateway}{path}")
        operations().check("GET", path, answer.status_code, answer.headers["content-type"], answer.content)


async def _shows_the_present(http: AsyncHttpClient, url: str) -> bool:
    answer = await http.get(url)
    return answer.status_code == 200 and "rex-as-of" not in answer.headers


async def test_what_does_not_belong_to_this_venue_does_not_start(venue: ScaledVenue, tmp_path: Path) -> None:
    """With the read database of another venue its keys would be valid here."""
    await open_traders(venue)
    venue.end("projector 1")
    (position,) = await execute(venue.database_url, "SELECT journal_id FROM position")
    await execute(venue.database_url, "UPDATE position SET journal_id = $1", bytes(16))
    refused = rex("gateway", "--read-only", "--port", "0", variables={"REX_DATABASE_URL": venue.database_url})
    await execute(venue.database_url, "UPDATE position SET journal_id = $1", position["journal_id"])
    assert (refused.exit_status, refused.out) == (ExitCode.TROUBLE, "")
    assert "(REX_DATABASE_URL) was made from another journal" in refused.err
    for command in ("reporting", "demo"):
        refused = rex(command, "--data-dir", str(tmp_path), variables={"REX_DATABASE_URL": venue.database_url})
        assert (refused.exit_status, refused.is_traceback) == (ExitCode.TROUBLE, False)
        assert f"{tmp_path / 'keys.json'} does not hold the key `pages`" in refused.err


def _order(trader: Trader, *, price: str, quantity: int) -> dict[str, object]:
    return {"symbol": SYMBOL, "side": trader.side, "price": price, "quantity": quantity, "time_in_force": "gtc"}
