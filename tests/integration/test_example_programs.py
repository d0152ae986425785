"""The programs of clients/python/examples, as a trader starts and stops them.

What trades has a venue of its own; what changes nothing shares one."""

from __future__ import annotations

import asyncio
import csv
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from examples.book_recorder import rebuilt
from examples.ledger_reader import Balances, LedgerDiffers
from examples.market_maker import MarketMaker
from rex_client import OutOfStep, RexClient, RexError

from tests.integration.served_venue import Served, served_venue
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

CLIENT = Path(__file__).parents[2] / "clients" / "python"
SYMBOL = "NDFEB-N35"
Json = dict[str, Any]


class Program:
    """An example in a process of its own, and what it prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.printed: list[str] = []

    async def line(self, *words: str) -> str:
        """The next line that has all these words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            async for line in self.process.stdout:
                self.printed.append(line.decode())
                if all(word in self.printed[-1] for word in words):
                    return self.printed[-1]
        raise AssertionError(f"no line with {words} in {self.printed}")

    async def ended(self, *statuses: int) -> str:
        """All that it printed, after it has ended with one of these statuses; well, if none is given."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            self.printed.append((await self.process.stdout.read()).decode())
            assert await self.process.wait() in (statuses or (0,)), self.printed
        return "".join(self.printed)

    async def stopped(self) -> str:
        """The same, after a Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return await self.ended()


class Programs:
    """Starts examples for members of a venue; what still runs at the end is killed."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.running: list[Program] = []

    async def start(self, name: str, member: str, *options: str | Path, url: str | None = None) -> Program:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            CLIENT / "examples" / f"{name}.py",
            *options,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ
            | {
                "PYTHONPATH": str(CLIENT),
                "VENUE_URL": url or self.served.url,
                "VENUE_KEY": self.served.venue.keys[member].key,
            },
        )
        self.running.append(Program(process))
        return self.running[-1]


@asynccontextmanager
async def programs_of(folder: Path) -> AsyncIterator[Programs]:
    async with served_venue(folder) as served:
        programs = Programs(served)
        try:
            yield programs
        finally:
            for program in programs.running:
                if program.process.returncode is None:
                    program.process.kill()
                    await program.process.wait()


@pytest.fixture
async def programs(tmp_path: Path) -> AsyncIterator[Programs]:
    async with programs_of(tmp_path / "venue") as programs:
        yield programs


@pytest.fixture(scope="module")
async def idle_programs(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Programs]:
    """Programs on a venue that all such tests share: they change nothing there."""
    async with programs_of(tmp_path_factory.mktemp("examples")) as programs:
        yield programs


async def test_a_maker_quotes_a_taker_trades_a_recorder_and_a_ledger_tell_the_same(
    programs: Programs, tmp_path: Path
) -> None:
    served = programs.served
    books, ledger = tmp_path / "books.jsonl", tmp_path / "ledger.csv"
    recorder = await programs.start("book_recorder", "bob", "record", books, "--symbols", SYMBOL)
    maker = await programs.start("market_maker", "alice", "--symbol", SYMBOL, "--quantity", "2", "--distance", "3")
    await maker.line("sell placed")
    alice, bob = await served.client("alice"), await served.client("bob")
    assert await quotes(alice) == {"buy": Decimal("159.70"), "sell": Decimal("160.30")}
    first = {order["order_id"] for order in (await alice.orders("open"))["orders"]}

    taker = await programs.start("taker", "bob", "--symbol", SYMBOL, "--price", "160.30", "--quantity", "2")
    assert "traded 2 of 2 lots" in await taker.ended()
    await maker.line("sell", "160.80")
    # Two lots sold at 160.30: both quotes are around the last price, and two ticks higher for the position.
    assert await quotes(alice) == {"buy": Decimal("160.20"), "sell": Decimal("160.80")}
    fills = (await alice.fills(symbol=SYMBOL))["fills"]
    assert [(fill["side"], fill["quantity"], fill["liquidity"]) for fill in fills] == [("sell", 2, "maker")]
    standing = {order["order_id"] for order in (await alice.orders("open"))["orders"]}
    assert len(standing & first) == 1, "the bid was moved, the offer is a new order"

    assert "stopped with a position of -2" in await maker.stopped()
    assert (await alice.orders("open"))["orders"] == []
    resting = await alice.place_order({"symbol": SYMBOL, "side": "buy", "price": "159", "quantity": 5})
    await recorder.line(SYMBOL, str(resting["seq"]))
    await recorder.stopped()
    recorded = books.read_text(encoding="utf-8").splitlines()
    assert rebuilt(recorded)[SYMBOL].checksum() == (await bob.depth(SYMBOL))["checksum"]
    assert len(recorded) >= 5, "quotes placed, traded, moved, canceled, and the last order"
    with pytest.raises(OutOfStep):
        rebuilt(recorded[:2] + recorded[3:])
    shown = await programs.start("book_recorder", "bob", "show", books)
    assert "5       159.00" in await shown.ended()

    reader = await programs.start("ledger_reader", "alice", ledger)
    await reader.ended()
    account = await alice.account()
    with ledger.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert sum(Decimal(line["cash"]) for line in lines) == Decimal(account["cash"])
    assert {"deposit", "receipt", "reserve", "trade", "release"} <= {line["cause"] for line in lines}


class Refused(RexClient):
    """Is refused one kind of call."""

    refused = ""

    async def cancel_order(self, **ids: str | None) -> Json:
        self.refuse("cancel_order")
        return await super().cancel_order(**ids)

    async def cancel_all_after(self, seconds: int) -> Json:
        self.refuse("cancel_all_after")
        self.timer_s = seconds
        return await super().cancel_all_after(seconds)

    def refuse(self, call: str) -> None:
        if call == self.refused:
            raise RexError({"status": 403, "code": "scope_missing"})


async def maker_of(programs: Programs, refused: str) -> tuple[Refused, MarketMaker]:
    """A market maker of alice's, who is refused such calls."""
    key = programs.served.venue.keys["alice"].key
    client = Refused(programs.served.url, key)
    await programs.served.clients.enter_async_context(client)
    client.refused = refused
    (instrument,) = [each for each in await client.instruments() if each["symbol"] == SYMBOL]
    return client, MarketMaker(client, instrument, 1, 3)


async def test_a_maker_that_cannot_cancel_its_quotes_leaves_the_timer_on(programs: Programs) -> None:
    client, maker = await maker_of(programs, "cancel_order")
    await client.cancel_all_after(20)
    await maker.quote("buy", -3)
    with pytest.raises(SystemExit, match=r"not canceled.*buy: 403"):
        await maker.stop()
    assert (len(await quotes(client)), client.timer_s) == (1, 20)
    client.refused = ""
    await maker.stop()
    assert (await quotes(client), client.timer_s) == ({}, 0)
    await maker.stop()  # A quote that has ended is no reason to leave the timer on.


async def test_a_maker_that_cannot_keep_the_timer_does_not_go_on(programs: Programs) -> None:
    client, maker = await maker_of(programs, "cancel_all_after")
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ExceptionGroup, match="TaskGroup"):
            await maker.run()
    assert await quotes(client) == {}


async def quotes(client: RexClient) -> dict[str, Decimal]:
    """The prices of the open orders by side."""
    return {order["side"]: Decimal(order["price"]) for order in (await client.orders("open"))["orders"]}


async def test_an_example_says_what_it_is_for(idle_programs: Programs) -> None:
    for program in [
        await idle_programs.start(name, "bob", "--help")
        for name in ("market_maker", "taker", "book_recorder", "ledger_reader")
    ]:
        assert {"--url", "--key"} <= set((await program.ended()).replace(",", " ").split())


async def test_a_taker_that_gets_no_reply_has_one_order_not_two(programs: Programs) -> None:
    alice, bob = await programs.served.client("alice"), await programs.served.client("bob")
    async with losing_the_first_reply_to(b"POST /v1/orders", programs.served.url) as (url, is_lost):
        taker = await programs.start("taker", "bob", "--symbol", "PRND-OX", "--price", "473000", url=url)
        await alice.place_order({"symbol": "PRND-OX", "side": "sell", "price": "473000", "quantity": 3})
        printed = await taker.ended()
    assert is_lost.is_set()
    assert "traded 1 of 1 lots" in printed
    placed = (await bob.orders())["orders"]
    assert [(order["state"], order["cum_qty"]) for order in placed] == [("filled", 1)]


async def test_a_taker_that_is_stopped_says_what_it_has(programs: Programs) -> None:
    alice = await programs.served.client("alice")
    await alice.place_order({"symbol": "PRND-OX", "side": "buy", "price": "472000", "quantity": 2})
    options = ("--symbol", "PRND-OX", "--side", "sell", "--price", "472000", "--quantity", "5")
    taker = await programs.start("taker", "bob", *options)
    await taker.line("sell 2 at 472000")
    assert "traded 2 of 5 lots" in await taker.stopped()


@asynccontextmanager
async def losing_the_first_reply_to(request: bytes, url: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The address of a wire to the venue. In place of the reply to the first such request, the client finds the wire cut,
    and the event is set."""
    host, port = url.removeprefix("http://").split(":")
    asked: list[asyncio.StreamWriter] = []
    """Where the request came from."""
    is_lost = asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        venue_reader, venue_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(carry_requests(reader, venue_writer, writer), carry_replies(venue_reader, writer))
        for each in (venue_writer, writer):
            each.close()
            await each.wait_closed()

    async def carry_requests(
        reader: asyncio.StreamReader, venue: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(65_536):
            if data.startswith(request) and not asked:
                asked.append(client)
            venue.write(data)
        venue.write_eof()

    async def carry_replies(reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if client in asked:
                is_lost.set()
                client.close()
                return
            client.write(data)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", is_lost


def test_a_ledger_that_does_not_add_up_is_noticed() -> None:
    line = {"seq": 1, "cause": "deposit", "symbol": None, "cash": "5.00", "reserved": "0.00", "quantity": 0}
    balances = Balances()
    balances.add(line | {"balance": {"cash": "5.00", "reserved": "0.00", "quantity": None}})
    with pytest.raises(LedgerDiffers):
        balances.add(line | {"balance": {"cash": "9.99", "reserved": "0.00", "quantity": None}})
    with pytest.raises(LedgerDiffers):
        balances.compare({"cash": "5.00", "reserved": "0.00", "holdings": []})


async def test_an_order_that_it_did_not_place_is_no_quote_of_its(programs: Programs) -> None:
    """An order without a client_order_id is somebody's who trades by hand for the same account."""
    client, maker = await maker_of(programs, "")
    order = await client.place_order({"symbol": SYMBOL, "side": "buy", "price": "155", "quantity": 5})
    assert order["client_order_id"] is None
    maker.take({"orders": [order], "fills": [], "busts": []})
    assert maker.quotes == {}
    await client.cancel_order(order_id=order["order_id"])


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("taker", ("--price", "abc"), "argument --price: not a price: abc"),
        (
            "taker",
            ("--price", "160.05", "--symbol", SYMBOL),
            f"--price 160.05: prices of {SYMBOL} are multiples of 0.10",
        ),
        ("taker", ("--price", "1", "--symbol", "X"), "--symbol X: the venue has no such instrument"),
        ("market_maker", ("--key", "rex_x"), "401 unknown_key: "),
        ("book_recorder", ("record", "/no/such/folder/books"), "No such file or directory: '/no/such/folder/books'"),
        ("ledger_reader", ("/no/such/folder/ledger",), "No such file or directory: '/no/such/folder/ledger'"),
        ("ledger_reader", ("ledger.csv", "--key", "rex_x"), "401 unknown_key: "),
    ],
)
async def test_a_wrong_argument_ends_an_example_with_a_sentence(
    idle_programs: Programs, tmp_path: Path, name: str, options: tuple[str, ...], sentence: str
) -> None:
    options = tuple(str(tmp_path / option) if option == "ledger.csv" else option for option in options)
    program = await idle_programs.start(name, "bob", *options)
    said = await program.ended(1, 2)
    assert sentence in said.splitlines()[-1]
    assert "Traceback" not in said
