"""The guided tour: one order, from HTTP to the report. Read it beside ARCHITECTURE.md, "The life of one order".

A seller offers two lots of praseodymium-neodymium oxide (a lot is 1 t) at 473,000 yuan a tonne; a buyer takes one. Every room
of the house says what it saw, and all of them name the same sequence number.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from matching_engine.records import CommandKind, EventKind, Side
from services.bootstrap import Venue, open_venue
from services.client import RexClient
from services.first_start import OPERATOR
from services.read_database import tables
from services.settings import Settings
from tests.e2e.clock import Clock

pytestmark = pytest.mark.anyio

OFFER = {"symbol": "PRND-OX", "side": "sell", "price": "473000.00", "quantity": 2, "client_order_id": "offer-1"}
BID = {"symbol": "PRND-OX", "side": "buy", "price": "473100.00", "quantity": 1, "client_order_id": "bid-1"}

# A lot of one tonne at 473,000 yuan is 47,300,000 fen; 0.05 % of it, for each side, is 23,650 fen.
AMOUNT_FEN = 47_300_000
FEE_FEN = 23_650


async def open_account(venue: Venue, name: str, *, cash: str | None = None, lots: int = 0) -> RexClient:
    """An account with money or goods, and a client that trades for it."""
    async with RexClient(venue.url, venue.keys[OPERATOR].key) as operator:
        account = (await operator.open_account(name))["account"]
        if cash is not None:
            await operator.change_cash(account, cash)
        if lots:
            await operator.change_inventory(account, "PRND-OX", lots)
        key = await operator.issue_key(name, ["read", "trade"], account=account)
    return RexClient(venue.url, key["key"])


async def test_one_order_from_http_to_the_report(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, port=0, schedule="always")
    async with open_venue(settings, clock=Clock()) as venue:
        async with (
            await open_account(venue, "Oxide Separator", lots=10) as seller,
            await open_account(venue, "Magnet Maker", cash="1000000.00") as buyer,
        ):
            # 1. A sell rests: HTTP → door → order entry → inbox → sequencer → engine → journal → feed → reply.
            offer = await seller.place_order(OFFER)
            assert (offer["state"], offer["leaves_qty"], offer["cum_qty"]) == ("new", 2, 0)
            assert offer["trading_date"] == "2023-12-01"
            assert offer["order_id"] == str(offer["seq"]), "an order's id is the sequence number of its command"

            # 2. A buy at a higher limit trades at once, at the maker's price.
            bid = await buyer.place_order(BID)
            assert (bid["state"], bid["cum_qty"], bid["avg_px"], bid["fees"]) == (
                "filled",
                1,
                "473000.000000",
                "236.50",
            )
            seq = bid["seq"]

            # 3. Delivery versus payment, to the fen, and both read their own writes.
            paid = await buyer.account()
            assert (paid["cash"], paid["reserved"]) == ("526763.50", "0.00")
            assert paid["holdings"] == [{"symbol": "PRND-OX", "quantity": 1, "reserved": 0, "available": 1}]
            delivered = await seller.account()
            assert delivered["cash"] == "472763.50"
            assert delivered["holdings"] == [{"symbol": "PRND-OX", "quantity": 9, "reserved": 1, "available": 8}]
            [fill] = (await seller.fills())["fills"]
            assert (fill["liquidity"], fill["amount"], fill["fee"], fill["seq"]) == (
                "maker",
                "473000.00",
                "236.50",
                seq,
            )

            # 4. Everybody sees the book and the trade.
            depth = await buyer.depth("PRND-OX")
            assert (depth["bids"], depth["asks"]) == ([], [{"price": "473000.00", "quantity": 1, "orders": 1}])
            [trade] = await buyer.trades("PRND-OX")
            assert (trade["price"], trade["quantity"], trade["seq"]) == ("473000.00", 1, seq)

            # 5. The same client_order_id again is the same order, not another one.
            assert (await buyer.place_order(BID))["order_id"] == bid["order_id"]

            # 6. The report moved by exactly that trade.
            report = await buyer.turnover(2023)
            assert report["net"] == "473000.00"
            assert report["target"] == "23000000000.00"

        await in_the_journal(venue, seq)
        await in_the_read_database(venue, seq)
        assert venue.engine.turnover_fen(2023) == AMOUNT_FEN


async def in_the_journal(venue: Venue, seq: int) -> None:
    """The row that was on the device before anybody heard of the trade: the command, and all it did."""
    rows = [row async for row in venue.journal.read(seq - 1)]
    row = rows[0]
    command = row.command_list[seq - row.first_seq]
    assert (command.kind, command.side, command.client_order_id) == (CommandKind.NEW_ORDER, Side.BUY, b"bid-1")
    events = [event for event in row.event_list if event.seq == seq]
    assert [event.kind for event in events] == [EventKind.ACCEPTED, EventKind.TRADE, EventKind.LEVEL]
    accepted, trade, level = events
    # A tick is 100 yuan, so the limit of 473,100 is 4,731 ticks; the reserve is the lot at the limit and its fee.
    assert (accepted.price_ticks, accepted.reserve_fen) == (4_731, 47_310_000 + 23_655)
    assert (trade.price_ticks, trade.amount_fen, trade.fee_fen, trade.maker_fee_fen) == (
        4_730,
        AMOUNT_FEN,
        FEE_FEN,
        FEE_FEN,
    )
    assert trade.reserve_fen == -accepted.reserve_fen, "the difference to the limit is released, nothing stays behind"
    assert (level.side, level.price_ticks, level.quantity_lots, level.number) == (Side.SELL, 4_730, 1, 1)


async def in_the_read_database(venue: Venue, seq: int) -> None:
    """What reports and histories are made of, with the position in the same transaction."""
    await venue.projector.reached(seq)
    async with venue.read_database.connect() as connection:
        trade = (await connection.execute(select(tables.trades))).mappings().one()
        position = (await connection.execute(select(tables.position))).mappings().one()
    assert (trade["seq"], trade["amount_fen"], trade["trading_date"]) == (seq, AMOUNT_FEN, 20231201)
    assert position["seq"] >= seq


async def test_a_second_start_carries_on(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, port=0, schedule="always")
    clock = Clock()
    async with open_venue(settings, clock=clock) as venue:
        async with await open_account(venue, "Oxide Separator", lots=10) as seller:
            offer = await seller.place_order(OFFER)
            account = await seller.account()
        before = venue.engine.state_hash()
    async with open_venue(settings, clock=clock) as venue:
        assert venue.recovery.last_seq == venue.engine.last_seq, "a second start adds nothing"
        assert venue.engine.state_hash() == before
        assert venue.keys == venue.keys
        async with RexClient(venue.url, venue.keys[OPERATOR].key) as operator:
            assert (await operator.order(offer["order_id"]))["state"] == "new"
            assert (await operator.account(account["account"])) == account
