"""The guided tour: one order, from HTTP to the report. Read it beside ARCHITECTURE.md, "The life of one order".

A seller offers two lots of praseodymium-neodymium oxide (a lot is 1 t) at 473,000 yuan a tonne; a buyer takes one. The reply,
the market data, the journal batch, the read database and the report all name the sequence number of the buyer's command. The
numbers in the comments are the steps of that list.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from rex_client import RexClient
from sqlalchemy import select

from matching_engine.records import CommandKind, EventKind, Side
from services.read_model import tables
from services.venue.bootstrap import Venue, open_venue
from services.venue.first_start import KEYS_FILE, OPERATOR
from services.venue.settings import Settings
from tests.e2e.clock import Clock

pytestmark = [pytest.mark.anyio, pytest.mark.smoke]

OFFER = {"symbol": "PRND-OX", "side": "sell", "price": "473000.00", "quantity": 2, "client_order_id": "offer-1"}
BID = {"symbol": "PRND-OX", "side": "buy", "price": "473100.00", "quantity": 1, "client_order_id": "bid-1"}

# A lot of one tonne at 473,000 yuan is 47,300,000 fen; 0.05 % of it, for each side, is 23,650 fen.
AMOUNT_FEN = 47_300_000
FEE_FEN = 23_650


async def open_account(venue: Venue, name: str, *, cash: str | None = None, lots: int = 0) -> RexClient:
    """Opens an account with cash or goods. Returns a client that trades for it."""
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
            # The sell order rests in the book. Its way, step by step:
            # 1. socket and door: services/gateway/server/http_connection.py, gateway/http/access_middleware.py
            # 2. body to command: gateway/order_entry/order_body.py, order_command.py, request_tracker.py
            # 3. inbox: services/messaging/in_process.py, fair_queue.py
            # 4. sequencer: services/sequencer/sequencer.py, schedule.py
            # 5. engine: matching_engine/engine.py, rules/member_commands.py, rules/refusals.py, book/order_book.py
            # 6. journal: services/journal/batch.py, sqlite.py
            # 7. the gateway's reader: services/gateway/reader.py, which updates services/venue_state and market_data
            # 8. reply: services/gateway/replies/execution_report.py
            offer = await seller.place_order(OFFER)
            assert (offer["state"], offer["leaves_qty"], offer["cum_qty"]) == ("new", 2, 0)
            assert offer["trading_date"] == "2023-12-01"
            assert offer["order_id"] == str(offer["seq"]), "an order's id is the sequence number of its command"

            # Step 5 of the buy order: its limit is higher, so it trades at once, at the maker's price
            # (matching_engine/rules/execution.py, book/order_book.py).
            bid = await buyer.place_order(BID)
            assert (bid["state"], bid["cum_qty"], bid["avg_px"], bid["fees"]) == (
                "filled",
                1,
                "473000.000000",
                "236.50",
            )
            seq = bid["seq"]

            # Step 5, settlement: delivery versus payment, to the fen (matching_engine/rules/settlement.py, ledger/accounts.py).
            # Step 7: the gateway's view (services/venue_state) is updated before the reply leaves, so both members read
            # their own writes.
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

            # Step 7: market data (services/market_data) shows the book and the trade to every client.
            depth = await buyer.depth("PRND-OX")
            assert (depth["bids"], depth["asks"]) == ([], [{"price": "473000.00", "quantity": 1, "orders": 1}])
            [trade] = await buyer.trades("PRND-OX")
            assert (trade["price"], trade["quantity"], trade["seq"]) == ("473000.00", 1, seq)

            # The same client_order_id again is the same order (matching_engine/ledger/client_ids.py): nothing is traded twice.
            assert (await buyer.place_order(BID))["order_id"] == bid["order_id"]

            # Step 9: the report (services/reporting) holds exactly that trade.
            report = await buyer.turnover(2023)
            assert report["net"] == "473000.00"
            assert report["target"] == "23000000000.00"

        await in_the_journal(venue, seq)
        await in_the_read_database(venue, seq)
        assert venue.engine.turnover_fen(2023) == AMOUNT_FEN


async def in_the_journal(venue: Venue, seq: int) -> None:
    """Step 6: the batch that was on the device before the reply left. It holds the command and all its events."""
    batches = [batch async for batch in venue.journal.read(seq - 1)]
    batch = batches[0]
    command = batch.command_list[seq - batch.first_seq]
    assert (command.kind, command.side, command.client_order_id) == (CommandKind.NEW_ORDER, Side.BUY, b"bid-1")
    events = [event for event in batch.event_list if event.seq == seq]
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
    """Step 9: the projector (services/read_model/projector.py) wrote the trade, and its position in the same transaction."""
    await venue.projector.reached(seq)
    async with venue.read_database.connect() as connection:
        trade = (await connection.execute(select(tables.trades))).mappings().one()
        position = (await connection.execute(select(tables.position))).mappings().one()
    assert (trade["seq"], trade["amount_fen"], trade["trading_date"]) == (seq, AMOUNT_FEN, 20231201)
    assert position["seq"] >= seq


async def test_a_second_start_carries_on(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, port=0, schedule="always")
    clock = Clock()
    keys_file = tmp_path / KEYS_FILE
    async with open_venue(settings, clock=clock) as venue:
        async with await open_account(venue, "Oxide Separator", lots=10) as seller:
            offer = await seller.place_order(OFFER)
            account = await seller.account()
        before, keys, keys_text = venue.engine.state_hash(), venue.keys, keys_file.read_bytes()
    async with open_venue(settings, clock=clock) as venue:
        assert venue.recovery.last_seq == venue.engine.last_seq, "a second start adds nothing"
        assert venue.engine.state_hash() == before
        assert (venue.keys, keys_file.read_bytes()) == (keys, keys_text), "a second start issues no key"
        async with RexClient(venue.url, venue.keys[OPERATOR].key) as operator:
            assert (await operator.order(offer["order_id"]))["state"] == "new"
            assert (await operator.account(account["account"])) == account
