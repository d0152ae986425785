"""The client's book: it accepts only pushes that it can verify."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from rex_client import BookLevel, DepthBook, OutOfStep

from services.market_data import depth_checksum


def level(price: str, quantity: int, orders: int = 1) -> dict[str, Any]:
    return {"price": price, "quantity": quantity, "orders": orders}


def push(
    kind: str, seq: int, prev_seq: int | None, bids: list[Any], asks: list[Any], text: str, incarnation: str = "i"
) -> dict[str, Any]:
    return {
        "channel": "depth",
        "type": kind,
        "symbol": "X",
        "seq": seq,
        "prev_seq": prev_seq,
        "incarnation": incarnation,
        "data": {"bids": bids, "asks": asks, "checksum": crc32(text.encode())},
    }


@pytest.fixture
def book() -> DepthBook:
    book = DepthBook()
    bids, asks = [level("100.10", 3), level("99.90", 7, 2)], [level("100.20", 5)]
    book.apply(push("snapshot", 10, None, bids, asks, "100.10:3|99.90:7/100.20:5"))
    return book


def test_a_snapshot_is_the_book(book: DepthBook) -> None:
    assert (book.symbol, book.seq, book.incarnation) == ("X", 10, "i")
    assert book.bids == [BookLevel("100.10", 3, 1), BookLevel("99.90", 7, 2)]
    assert book.asks == [BookLevel("100.20", 5, 1)]


def test_an_update_sets_adds_and_removes_levels(book: DepthBook) -> None:
    bids = [level("100.10", 0, 0), level("99.90", 1), level("100.00", 4)]
    book.apply(push("update", 12, 10, bids, [level("1000.00", 1)], "100.00:4|99.90:1/100.20:5|1000.00:1"))
    assert [entry.price for entry in book.bids] == ["100.00", "99.90"]
    assert [entry.price for entry in book.asks] == ["100.20", "1000.00"], "by number, not by letter"
    assert book.seq == 12


def test_only_the_top_ten_of_each_side_count_in_the_checksum() -> None:
    book = DepthBook()
    asks = [level(f"{100 + n}.00", n + 1) for n in range(12)]
    book.apply(push("snapshot", 1, None, [], asks, "/" + "|".join(f"{100 + n}.00:{n + 1}" for n in range(10))))
    assert len(book.asks) == 12


@pytest.mark.parametrize(("prev_seq", "incarnation"), [(9, "i"), (11, "i"), (None, "i"), (10, "another journal")])
def test_an_update_that_does_not_continue_the_book_is_refused(
    book: DepthBook, prev_seq: int | None, incarnation: str
) -> None:
    with pytest.raises(OutOfStep, match="this book stands at 10"):
        book.apply(push("update", 12, prev_seq, [], [], "100.10:3|99.90:7/100.20:5", incarnation))


def test_a_wrong_checksum_is_refused_and_only_a_snapshot_helps(book: DepthBook) -> None:
    with pytest.raises(OutOfStep, match="checksum at 11"):
        book.apply(push("update", 11, 10, [level("100.10", 2)], [], "100.10:3|99.90:7/100.20:5"))
    with pytest.raises(OutOfStep):
        book.apply(push("update", 12, 11, [level("100.10", 3)], [], "100.10:3|99.90:7/100.20:5"))
    book.apply(push("snapshot", 12, None, [], [], "/"))
    assert (book.seq, book.bids, book.asks) == (12, [], [])


def test_an_update_before_any_snapshot_is_refused() -> None:
    with pytest.raises(OutOfStep):
        DepthBook().apply(push("update", 2, 1, [], [], "/"))


PAGE = (Path(__file__).parents[3] / "docs/websocket.md").read_text("utf-8")


def test_the_checksums_of_the_page_are_those_of_their_texts() -> None:
    vectors = re.findall(r'^    crc32\("(.*)"\) = (\d+)$', PAGE, re.MULTILINE)
    assert len(vectors) == 4
    for text, checksum in vectors:
        assert crc32(text.encode()) == int(checksum), text


def test_the_pushes_of_the_page_are_a_book_from_its_snapshot_to_its_end() -> None:
    book = DepthBook()
    pushes = [json.loads(line) for line in re.findall(r'^    (\{"channel": "depth".*)$', PAGE, re.MULTILINE)]
    assert [push["type"] for push in pushes] == ["snapshot", "update", "update", "update"]
    for push in pushes:
        book.apply(push)
        shown = [[(level.price, level.quantity) for level in side] for side in (book.bids, book.asks)]
        assert depth_checksum(*shown) == push["data"]["checksum"], push
    assert (book.bids, book.asks, book.seq) == ([], [], 126)
