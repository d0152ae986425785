"""Laws of the tables that are sums over a day, as checks of a dump of either kind of read database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from matching_engine.records import VENUE, Side
from services.read_model import tables

Dump = Mapping[str, list[tuple[Any, ...]]]
"""The rows of every table, by its name."""


def rows_of(dump: Dump, name: str) -> list[dict[str, Any]]:
    """The rows of a table by the names of its columns."""
    columns = [column.name for column in tables.metadata.tables[name].columns]
    return [dict(zip(columns, row, strict=True)) for row in dump[name]]


def summed(rows: Iterable[Mapping[str, Any]], keys: str, *values: str) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """The sums of the values by key, without those that are all zero."""
    sums = {value: Counter[tuple[Any, ...]]() for value in values}
    for row in rows:
        for value in values:
            sums[value][tuple(row[key] for key in keys.split())] += row[value]
    found = {key: tuple(sums[value][key] for value in values) for key in set().union(*sums.values())}
    return {key: each for key, each in found.items() if any(each)}


def assert_daily_laws(dump: Dump) -> None:
    """Phases and members add up to the day's turnover, fees to those of the trades, and goods to what the accounts hold."""
    day, turnover = "trading_date instrument", ("trades", "quantity_lots", "amount_fen")
    whole = summed(rows_of(dump, "daily_turnover"), day, *turnover)
    members = rows_of(dump, "daily_members")
    assert summed(rows_of(dump, "daily_phases"), day, *turnover) == whole
    assert summed(members, day, "bought", "bought_lots", "bought_fen") == whole
    assert summed(members, day, "sold", "sold_lots", "sold_fen") == whole
    paid = [{**trade, "fees_fen": trade["taker_fee_fen"] + trade["maker_fee_fen"]} for trade in _not_busted(dump)]
    assert summed(members, day, "fees_fen") == summed(paid, day, "fees_fen")
    moved = [*rows_of(dump, "goods_movements"), *_traded_goods(dump)]
    held = summed(rows_of(dump, "holdings"), "account instrument", "lots")
    assert summed(moved, "account instrument", "lots") == held
    in_the_house = summed(rows_of(dump, "holdings"), "instrument", "lots")
    assert summed(rows_of(dump, "goods_movements"), "instrument", "lots") == in_the_house


def assert_the_venue_has_the_fees(dump: Dump) -> None:
    """Where nobody paid money to or from the venue's own account."""
    (cash_fen,) = (row["cash_fen"] for row in rows_of(dump, "accounts") if row["account"] == VENUE)
    assert sum(member["fees_fen"] for member in rows_of(dump, "daily_members")) == cash_fen


def _traded_goods(dump: Dump) -> Iterable[dict[str, int]]:
    """What each trade moved, unless it was busted: an exclusion moves no goods."""
    for trade in _not_busted(dump):
        taker_lots = trade["quantity_lots"] * (1 if trade["taker_side"] == Side.BUY else -1)
        for who, lots in (("taker_account", taker_lots), ("maker_account", -taker_lots)):
            yield {"account": trade[who], "instrument": trade["instrument"], "lots": lots}


def _not_busted(dump: Dump) -> list[dict[str, Any]]:
    return [trade for trade in rows_of(dump, "trades") if trade["busted_seq"] is None]
