"""The queries of what an account missed. A range of sequence numbers is (after_seq, upto_seq]."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, true

from services.read_model.tables import orders, trades
from services.venue_state.state import EVERY_ACCOUNT

TRADE_NUMBER_BITS = 20
"""A trade's id is seq << 20 | number: trades of a range are a range of the primary key and of the indexes by account."""


def fills_between(account: int, after_seq: int, upto_seq: int) -> Select[Any]:
    """The account's trades of the range, oldest first, each with the client_order_id of maker and taker."""
    maker, taker = orders.alias("maker"), orders.alias("taker")
    return (
        select(
            trades,
            maker.c.client_order_id.label("maker_client_order_id"),
            taker.c.client_order_id.label("taker_client_order_id"),
        )
        .join(maker, maker.c.order_id == trades.c.maker_order_id)
        .join(taker, taker.c.order_id == trades.c.taker_order_id)
        .where(*_traded_in(after_seq, upto_seq), _is_of(account))
        .order_by(trades.c.trade_id)
    )


def busts_between(account: int, after_seq: int, upto_seq: int) -> Select[Any]:
    """The account's trades that were busted in the range, in the order of the busts."""
    return (
        select(trades)
        .where(*_busted_in(after_seq, upto_seq), _is_of(account))
        .order_by(trades.c.busted_seq, trades.c.trade_id)
    )


def orders_changed(order_ids: list[int], after_seq: int, upto_seq: int) -> Select[Any]:
    """Those of these orders whose last change is in the range: each as it stands."""
    return select(orders).where(
        orders.c.order_id.in_(order_ids), after_seq < orders.c.updated_seq, orders.c.updated_seq <= upto_seq
    )


def public_trades(instrument: int, after_seq: int, upto_seq: int) -> Select[Any]:
    """The instrument's trades of the range, oldest first."""
    return (
        select(trades)
        .where(*_traded_in(after_seq, upto_seq), trades.c.instrument == instrument)
        .order_by(trades.c.trade_id)
    )


def public_busts(instrument: int, after_seq: int, upto_seq: int) -> Select[Any]:
    """The instrument's trades that were busted in the range, in the order of the busts."""
    busted = select(trades).where(*_busted_in(after_seq, upto_seq), trades.c.instrument == instrument)
    return busted.order_by(trades.c.busted_seq, trades.c.trade_id)


def _traded_in(after_seq: int, upto_seq: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    first, end = (after_seq + 1) << TRADE_NUMBER_BITS, (upto_seq + 1) << TRADE_NUMBER_BITS
    return first <= trades.c.trade_id, trades.c.trade_id < end


def _busted_in(after_seq: int, upto_seq: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return after_seq < trades.c.busted_seq, trades.c.busted_seq <= upto_seq


def _is_of(account: int) -> ColumnElement[bool]:
    if account == EVERY_ACCOUNT:
        return true()
    return or_(trades.c.taker_account == account, trades.c.maker_account == account)
