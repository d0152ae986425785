"""The scaled venue as its users see it: real processes on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from rex_client import OutcomeUnknown, RexClient, RexError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode

from load_tests.servers.postgres import PostgresServer
from matching_engine.records import Command, CommandKind, pack_commands
from services.gateway.websocket.liveness import CUT_OFF_REASON
from services.journal.postgres.journal import PostgresJournal
from services.journal.postgres.statements import MIGRATION_LOCK
from services.journal.postgres.tables import initialise
from services.messaging import Submission
from services.messaging.link.frames import LINK_HEADER, pack_submissions
from services.processes.exit_codes import ExitCode
from services.venue.settings import MIN_SECRET_CHARACTERS
from tests.faults.scaled_mutants import clock_ahead, links_through
from tests.faults.scaled_venue import ScaledVenue, answered_health, read_health, scaled_venue
from tests.faults.tcp_proxy import TcpProxy
from tests.faults.traders import SYMBOL, Trader, open_traders
from tests.faults.venue_process import rex
from tests.integration.alert_receiver import SECRET, receiving
from tests.integration.documented import operations
from tests.integration.postgres_journal import execute, until
from tests.patience import PATIENCE_S, AsyncHttpClient, WebSocketClient, http_get

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


PROCESSES = ("sequencer 1", "sequencer 2", "projector 1", "gateway 1", "gateway 2")


@pytest.fixture
def own_venue(postgres_url: str) -> Iterator[ScaledVenue]:
    """For a test that counts the venue's trades, or changes its tables."""
    with scaled_venue(postgres_url) as running:
        yield running


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


@pytest.mark.smoke
async def test_one_order_from_one_gateway_to_the_report_of_another(own_venue: ScaledVenue) -> None:
    venue = own_venue
    first, second = venue.gateways()
    buyer, seller = await open_traders(venue)
    async with RexClient(first, buyer.key) as one, RexClient(second, seller.key) as other:
        async with _read_database_locked(venue.database_url):
            bid = await one.place_order(_order(buyer, price="160.00", quantity=5))
            await until(lambda: answered_health(venue.processes["projector 1"].url)["journal_lag_s"])
            assert answered_health(venue.processes["projector 1"].url)["journal_lag"] > 0
        offer = await other.place_order(_order(seller, price="160.00", quantity=5))
        assert (bid["state"], offer["state"]) == ("new", "filled")
        fills = await other.fills(limit=10, cursor=None)
        assert [fill["quantity"] for fill in fills["fills"]] == [5]
        assert (await one.order(bid["order_id"]))["state"] == "filled"
    await _revoked_at_one_gateway_closed_at_another(first, second, venue.operator_key)
    reporting = venue.start("reporting 1")
    async with RexClient(reporting.url, venue.operator_key) as operator:
        today = (await operator.venue())["trading_date"]
        report = await operator.turnover(int(today[:4]), at_least_seq=offer["seq"])
        assert (report["trades"], report["net"]) == (1, fills["fills"][0]["amount"])
    async with AsyncHttpClient(headers={"authorization": f"Bearer {venue.operator_key}"}) as http:
        for address in (first, reporting.url):
            route = f"{address}/v1/reports/turnover/{today[:4]}"
            assert (await http.get(route, params={"seq": report["seq"]})).json() == report
            assert (await http.get(route, params={"seq": bid["seq"]})).json()["trades"] == 0
            quality = (await http.get(f"{address}/v1/reports/quality/{today}")).json()
            traded = {one["symbol"]: one["trades"] for one in quality["products"] if one["trades"]}
            assert (traded, quality["seq"] >= offer["seq"]) == ({SYMBOL: 1}, True)
    await _drill(reporting.url, venue.operator_key, int(today[:4]), bid, report["net"])
    async with RexClient(reporting.url, buyer.key) as reader:
        with pytest.raises(RexError) as refused:
            await reader.place_order(_order(buyer, price="160.00", quantity=1))
    assert (refused.value.status, refused.value.code) == (503, "read_only")
    async with AsyncHttpClient() as http:
        for process in venue.processes.values():  # the standby and the read-only one, too, reach the end
            await until(partial(_at_the_end, process.url, offer["seq"]))
            assert "rex_journal_lag 0" in (await http.get(f"{process.url}/metrics")).text


async def _revoked_at_one_gateway_closed_at_another(first: str, second: str, operator_key: str) -> None:
    """The second gateway learns both from the journal: that the key is valid, and that it no longer is."""
    async with RexClient(first, operator_key) as operator:
        issued = await operator.issue_key("to be revoked", ["read"])
        headers = {"authorization": f"Bearer {issued['key']}"}
        async with AsyncHttpClient(base_url=second, headers=headers) as http:
            await until(partial(_is_fine, http))
        url = second.replace("http", "ws") + "/v1/ws"
        async with WebSocketClient(url, additional_headers=headers) as socket:
            await operator.revoke_key(issued["key_id"])
            async with asyncio.timeout(PATIENCE_S):
                await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (4001, "the key was revoked")


async def _is_fine(http: AsyncHttpClient) -> bool:
    return (await http.get("/v1/venue")).status_code == 200


async def test_gateway_and_leader_prove_the_figure_and_a_changed_amount_turns_them_red(own_venue: ScaledVenue) -> None:
    venue = own_venue
    buyer, seller = await open_traders(venue)
    async with RexClient(venue.url, buyer.key) as one, RexClient(venue.url, seller.key) as other:
        await one.place_order(_order(buyer, price="160.00", quantity=5))
        offer = await other.place_order(_order(seller, price="160.00", quantity=5))
        traded = (await other.fills(limit=1, cursor=None))["fills"][0]["amount"]
        year = int((await one.venue())["trading_date"][:4])
    for standby in [name for name in venue.processes if name.startswith("sequencer")]:
        venue.end(standby)
    # Without alerts: nothing is journaled between two proofs, and the proof's own sentence stays in health.
    leader = venue.start("sequencer 1", variables={"REX_PROOF_EVERY_S": "6", "REX_ALERTS_EVERY_S": "0"})
    await until(partial(read_health, leader.url), lambda health: health.get("proven_seq"))
    health = answered_health(leader.url)
    assert (health["proven_seq"] >= int(offer["order_id"]), _failed(health)) == (True, [])

    found = await _proof(venue, year)
    figure = found["figure"]
    assert (found["agree"], figure["engine_counter"]) == (True, None), found
    for computation in ("sql_sum", "journal_replay", "independent_decoder"):
        assert figure[computation] == traded, computation

    certificate = await _proof(venue, year, "certificate")
    assert (certificate["net"], certificate["row_hash"]) == (traded, figure["row_hash"])
    assert certificate["breakdown"]["ladder"]["ladder"]["net"]["amount"] == traded

    await execute(venue.database_url, "UPDATE trades SET amount_fen = amount_fen + 1")
    assert not (await _proof(venue, year))["agree"]
    assert (await _proof(venue, year, "certificate"))["code"] == "not_certified"
    await until(partial(answered_health, leader.url), _failed)
    assert len(_failed(answered_health(venue.url))) == 1


async def test_each_proof_of_the_leader_is_recorded_once_and_told_by_the_report_of_a_gateway(
    venue: ScaledVenue,
) -> None:
    """The schedule proves on meanwhile."""
    year = int((await _told(venue, "/v1/venue"))["trading_date"][:4])
    for standby in [name for name in venue.processes if name.startswith("sequencer")]:
        venue.end(standby)
    venue.start("sequencer 1", variables={"REX_PROOF_EVERY_S": "1", "REX_ALERTS_EVERY_S": "0.1"})
    report = partial(_told, venue, f"/v1/reports/turnover/{year}")
    told = list[int]()
    for _ in range(2):
        await until(report, lambda found: (found["proven_seq"] or 0) > max(told, default=0))
        told.append((await report())["proven_seq"])
    venue.end("sequencer 1")
    journal = await PostgresJournal.open(venue.database_url)
    try:
        texts = [json.loads(text) async for batch in journal.read(0) for text in batch.attachments]
    finally:
        await journal.close()
    recorded = [text["proven_seq"] for text in texts if text.get("type") == "proof_agreed"]
    assert recorded == sorted({*recorded})
    assert {*told} <= {*recorded}


async def _told(venue: ScaledVenue, path: str) -> dict[str, Any]:
    async with AsyncHttpClient(base_url=venue.url, headers={"authorization": f"Bearer {venue.operator_key}"}) as http:
        found: dict[str, Any] = (await http.get(path)).json()
        return found


async def test_the_leader_raises_alerts_that_every_gateway_answers_and_the_webhook_sends(
    venue: ScaledVenue, tmp_path: Path
) -> None:
    async with receiving() as receiver:
        for sequencer in [name for name in venue.processes if name.startswith("sequencer")]:
            venue.end(sequencer)
        variables = {
            "REX_ALERTS_EVERY_S": "0.1",
            "REX_ALERT_QUIET_S": "1",
            "REX_ALERT_WEBHOOK_URL": receiver.url,
            "REX_ALERT_WEBHOOK_SECRET": SECRET,
            "REX_DATA_DIR": str(tmp_path / "leader"),
        }
        leader = venue.start("sequencer 1", variables=variables)
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
    headers = {"authorization": f"Bearer {venue.operator_key}"}
    async with AsyncHttpClient(base_url=gateway, headers=headers) as http:
        found: list[dict[str, Any]] = (await http.get("/v1/alerts", params={"state": "all"})).json()["alerts"]
    return next((alert for alert in found if alert["kind"] == "journal_quiet"), None)


def _failed(health: dict[str, Any]) -> list[str]:
    """The warnings of proofs that failed. Another depends on the date of the machine: next year's calendar."""
    return [warning for warning in health["warnings"] if warning.startswith("The proof of")]


async def _drill(url: str, key: str, year: int, bid: dict[str, Any], net: str) -> None:
    """From the year's trades by their links to the row that holds the order."""
    async with AsyncHttpClient(base_url=url, headers={"authorization": f"Bearer {key}"}) as http:
        page = (await http.get("/v1/reports/trades", params={"year": year})).json()
        assert page["sum"]["net"] == net
        order = (await http.get(page["trades"][0]["links"]["buy_order"])).json()
        entered = (await http.get(order["links"]["journal"])).json()
        assert (order["order_id"], entered["command"]["kind"]) == (bid["order_id"], "NEW_ORDER")


async def _proof(venue: ScaledVenue, year: int, what: str = "proof") -> dict[str, Any]:
    headers = {"authorization": f"Bearer {venue.operator_key}"}
    async with AsyncHttpClient(base_url=venue.url, headers=headers) as http:
        answer = await http.get(f"/v1/reports/turnover/{year}/{what}")
        found: dict[str, Any] = answer.json()
        return found


def test_the_health_of_a_gateway_is_as_documented(venue: ScaledVenue) -> None:
    reader = venue.start("gateway 3", "--read-only")
    for url in (*venue.gateways(), reader.url):
        for path in ("/healthz", "/readyz"):
            answer = http_get(f"{url}{path}")
            operations().check("GET", path, answer.status_code, "application/json", answer.content)


async def test_a_leader_that_stops_cleanly_hands_over_at_once(venue: ScaledVenue) -> None:
    buyer, _ = await open_traders(venue)
    leader = venue.leader()
    venue.processes[leader].signal(signal.SIGTERM)
    assert venue.processes[leader].ended() == ExitCode.OK
    async with RexClient(venue.gateways()[1], buyer.key) as client:
        order = await client.place_order(_order(buyer, price="160.00", quantity=1))
    assert order["state"] == "new"
    assert venue.leader() != leader


async def test_while_nothing_can_commit_every_process_says_so(venue: ScaledVenue) -> None:
    """The writer row is locked as by a migration, which no standby ends."""
    buyer, _ = await open_traders(venue)
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
        async with WebSocketClient(websocket, additional_headers=key) as socket:
            assert "rex-as-of" not in (await http.get(f"{gateway.url}/v1/orders")).headers
            await way.refuse()
            await (way.cut() if lost == "link" else way.black_hole())
            await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (4010, CUT_OFF_REASON)
        order = await elsewhere.place_order(_order(buyer, price="160.00", quantity=1))
        assert (await asyncio.to_thread(read_health, gateway.url))["code"] == "cut_off"
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


async def _shows_the_present(http: AsyncHttpClient, url: str) -> bool:
    answer = await http.get(url)
    return answer.status_code == 200 and "rex-as-of" not in answer.headers


async def test_a_standby_whose_clock_is_wrong_warns_and_leads_nothing(venue: ScaledVenue) -> None:
    buyer, _ = await open_traders(venue)
    wrong = venue.start("sequencer 3", mutant=partial(clock_ahead, 901))
    await until(lambda: "ahead of that of the database server" in " ".join(read_health(wrong.url).get("warnings", [])))
    (before,) = await execute(venue.database_url, "SELECT epoch FROM journal_writer")
    leader = venue.leader()
    for name in (*{"sequencer 1", "sequencer 2"} - {leader}, leader):  # No other one may lead meanwhile.
        venue.end(name)
    await until(lambda: "the claim is tried again" in _cause(venue, "sequencer 3"))
    assert await execute(venue.database_url, "SELECT epoch FROM journal_writer") == [before]
    venue.start("sequencer 1")
    venue.until_leads("sequencer 1")
    assert await execute(venue.database_url, "SELECT epoch FROM journal_writer") == [(before["epoch"] + 1,)]
    async with RexClient(venue.url, buyer.key) as client:
        assert (await client.place_order(_order(buyer, price="160.00", quantity=1)))["state"] == "new"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (Command(kind=CommandKind.RECORD, attachment=2), b"{}"),
        (Command(kind=CommandKind.RECORD, attachment=1), b'{"type": "of_tomorrow"}'),
    ],
    ids=["a text that is not there", "a record of a newer version"],
)
async def test_what_no_reader_could_read_ends_its_link_and_nothing_else(
    venue: ScaledVenue, command: Command, text: bytes
) -> None:
    """In the journal such a frame ended every reader at every start."""
    buyer, _ = await open_traders(venue)
    (writer,) = await execute(venue.database_url, "SELECT url FROM journal_writer")
    headers = {"Authorization": f"Bearer {venue.link_secret}", LINK_HEADER: "00" * 16}
    async with WebSocketClient(writer["url"], additional_headers=headers, compression=None) as link:
        await link.recv()
        await link.send(pack_submissions([Submission(pack_commands([command]), (text,))]))
        with pytest.raises(ConnectionClosed):
            await link.recv()
    assert link.close_code == CloseCode.POLICY_VIOLATION
    started = venue.start("gateway 3")
    async with RexClient(started.url, buyer.key) as client:
        seq = (await client.place_order(_order(buyer, price="160.00", quantity=1)))["seq"]
    for process in venue.processes.values():
        await until(partial(_at_the_end, process.url, seq))
    assert not venue.ended()


async def test_a_gateway_starts_while_the_projector_is_away(venue: ScaledVenue) -> None:
    buyer, _ = await open_traders(venue)
    venue.end("projector 1")
    async with RexClient(venue.gateways()[0], buyer.key) as client:
        order = await client.place_order(_order(buyer, price="160.00", quantity=1))
    venue.start("gateway 3")
    venue.wait_ready()
    async with RexClient(venue.gateways()[2], buyer.key) as client:
        assert (await client.order(order["order_id"]))["client_order_id"] == order["client_order_id"]


async def test_init_refuses_a_database_that_holds_a_venue(venue: ScaledVenue) -> None:
    again = rex("init", "--json", variables={"REX_DATABASE_URL": venue.database_url, "REX_DATA_DIR": "/nowhere"})
    assert again.exit_status == ExitCode.TROUBLE
    assert "nothing was changed" in again.err


async def test_a_gateway_does_not_open_the_read_database_of_another_venue(venue: ScaledVenue) -> None:
    """Its keys would be valid here."""
    await open_traders(venue)
    venue.end("projector 1")
    (position,) = await execute(venue.database_url, "SELECT journal_id FROM position")
    await execute(venue.database_url, "UPDATE position SET journal_id = $1", bytes(16))
    refused = rex("gateway", "--read-only", "--port", "0", variables={"REX_DATABASE_URL": venue.database_url})
    await execute(venue.database_url, "UPDATE position SET journal_id = $1", position["journal_id"])
    assert (refused.exit_status, refused.out) == (ExitCode.TROUBLE, "")
    assert "(REX_DATABASE_URL) was made from another journal" in refused.err


async def test_what_needs_the_keys_of_the_venue_names_the_file_that_lacks_them(
    venue: ScaledVenue, tmp_path: Path
) -> None:
    for command in ("reporting", "demo"):
        refused = rex(command, "--data-dir", str(tmp_path), variables={"REX_DATABASE_URL": venue.database_url})
        assert refused.exit_status == ExitCode.TROUBLE
        assert f"{tmp_path / 'keys.json'} does not hold the key `pages`" in refused.err
        assert "Traceback" not in refused.err


def _at_the_end(url: str, seq: int) -> bool:
    facts = answered_health(url)
    lags = facts["journal_lag"] or facts["journal_lag_s"]
    return not lags and (facts["last_seq"] if "process" in facts else facts["seq"]) >= seq


@asynccontextmanager
async def _read_database_locked(url: str) -> AsyncIterator[None]:
    """The projector can read its position and write nothing."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE position IN EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("database", "sentence"), [(True, "run `rex migrate`"), (False, "REX_DATABASE_URL is not set")]
)
def test_init_refuses_a_database_without_tables_and_none(
    postgres_url: str, tmp_path: Path, database: bool, sentence: str
) -> None:
    variables = {"REX_DATABASE_URL": postgres_url} if database else {}
    keys = tmp_path / "keys"
    refused = rex("init", "--data-dir", str(keys), variables=variables)
    assert refused.exit_status == (ExitCode.TROUBLE if database else ExitCode.USAGE)
    assert sentence in refused.err
    assert "Traceback" not in refused.err
    assert not keys.exists()


def test_a_sequencer_that_listens_everywhere_needs_the_address_of_its_links() -> None:
    variables = {"REX_DATABASE_URL": "postgresql://127.0.0.1:1/none", "REX_LINK_SECRET": "s" * MIN_SECRET_CHARACTERS}
    refused = rex("sequencer", "--host", "0.0.0.0", "--port", "0", variables=variables)
    assert (refused.exit_status, "REX_LINK_URL is not set" in refused.err) == (ExitCode.USAGE, True)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["sequencer"], "REX_DATABASE_URL is not the address of a PostgreSQL database: write postgresql://"),
        (
            ["gateway", "--database-url", "postgresql://a/b?c"],
            "--database-url is not the address of a PostgreSQL database",
        ),
        (
            ["sequencer", "--redis-url", "redis://127.0.0.1:none/0"],
            "--redis-url is no address of Redis or Valkey: write",
        ),
    ],
)
def test_a_process_with_a_malformed_url_ends_as_one_with_any_other_wrong_setting(
    command: list[str], sentence: str
) -> None:
    wrong = "postgresql://rex:secret-word@127.0.0.1:port/rex"
    variables = {"REX_DATABASE_URL": wrong, "REX_LINK_SECRET": "s" * MIN_SECRET_CHARACTERS}
    refused = rex(*command, "--port", "0", variables=variables)
    assert (refused.exit_status, refused.out, refused.err.count("\n")) == (ExitCode.USAGE, "", 1), refused.err
    assert refused.err.startswith(f"rex: {sentence}")


def test_init_goes_on_where_a_killed_one_stopped(postgres_url: str, tmp_path: Path) -> None:
    variables = {"REX_DATABASE_URL": postgres_url, "REX_DATA_DIR": str(tmp_path)}
    assert rex("migrate", variables=variables).exit_status == ExitCode.OK
    asyncio.run(_claim_and_die(postgres_url))
    again = rex("init", "--json", variables=variables)
    assert (again.exit_status, again.err) == (ExitCode.OK, "")
    assert json.loads(again.out)["last_seq"] > 0


async def _claim_and_die(url: str) -> None:
    """What a `rex init` leaves that is killed after its claim."""
    connection = await asyncpg.connect(url)
    await initialise(connection)
    await connection.close()
    journal = await PostgresJournal.open(url)
    assert await journal.claim(await journal.look(), "rex init") is not None
    await journal.close()


async def test_the_journal_verifies_with_every_command_re_executed(venue: ScaledVenue) -> None:
    await open_traders(venue)
    proof = rex("journal", "verify", "--database-url", venue.database_url, "--prove", "--json")
    assert proof.exit_status == ExitCode.OK, proof.err
    assert json.loads(proof.out)["good"]


def _order(trader: Trader, *, price: str, quantity: int) -> dict[str, object]:
    return {"symbol": SYMBOL, "side": trader.side, "price": price, "quantity": quantity, "time_in_force": "gtc"}
