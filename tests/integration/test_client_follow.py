"""A followed book and lists read to their end, against a venue behind a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, cast

import pytest
from rex_client import DepthBook, RexClient, RexError, pages

from tests.integration.served_venue import Served, served_venue
from tests.integration.test_client_reconnect import ORDER, Severable
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Served]:
    async with served_venue(tmp_path_factory.mktemp("served")) as running:
        yield running


async def equal(book: DepthBook, client: RexClient) -> bool:
    """Whether a book is the venue's."""
    depth = await client.depth(ORDER["symbol"], 500)  # type: ignore[arg-type]
    sides = [[level._asdict() for level in side] for side in (book.bids, book.asks)]
    return sides == [depth["bids"], depth["asks"]] and book.seq == depth["seq"]


async def test_a_book_with_a_fault_in_it_is_the_venues_again(served: Served) -> None:
    bob, through = await served.client("bob"), await Severable.before(served)
    async with asyncio.timeout(PATIENCE_S), RexClient(through.url, served.venue.keys["alice"].key) as client:
        books = cast("Any", client.follow_book("PRND-OX"))
        async with aclosing(books):
            book = await anext(books)
            for fault in ("missing", "checksum", "cut", None):
                if fault == "missing":
                    book.seq = 0
                elif fault == "checksum":
                    book.apply({"type": "snapshot", "symbol": "PRND-OX", "incarnation": book.incarnation, "seq": book.seq,
                                "data": {"bids": [], "asks": [], "checksum": DepthBook().checksum()}})  # fmt: skip
                elif fault == "cut":
                    through.sever()
                await bob.place_order(ORDER)
                while not await equal(await anext(books), bob):
                    pass
        while await client.subscriptions():
            pass
    through.close()
    await bob.mass_cancel("*")


async def test_without_a_key_the_market_can_be_read(served: Served) -> None:
    alice = await served.client("alice")
    async with asyncio.timeout(PATIENCE_S), RexClient(served.url) as client:
        assert await client.tickers() == await alice.tickers()
        books = cast("Any", client.follow_book("PRND-OX"))
        await alice.place_order(ORDER)
        async with aclosing(books):
            assert await equal(await anext(books), alice)
        await alice.mass_cancel("*")
        for call in (client.post_order, client.place_order):
            with pytest.raises(RexError, match="missing_key"):
                await call(ORDER)
            await client.connect()


async def test_pages_are_the_whole_list(served: Served) -> None:
    alice = await served.client("alice")
    for _ in range(5):
        await alice.place_order(ORDER)
    await alice.mass_cancel("*")
    for order in ("oldest", "newest"):
        whole = (await alice.ledger(order=order, limit=500))["lines"]
        read = [page["lines"] async for page in pages(alice.ledger, order=order, limit=3)]
        assert [line for lines in read for line in lines] == whole
        assert len(read) == len(whole) // 3 + 1 > 2
    operator = await served.client("operator")
    accounts = [account async for page in pages(operator.accounts, limit=1) for account in page["accounts"]]
    assert accounts == (await operator.accounts())["accounts"]
    assert [page["trades"] async for page in pages(alice.past_trades, "PRND-OX")] == [[]]
