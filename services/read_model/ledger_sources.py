"""Where the lines of an account's ledger are: one query for each kind of change, all with the same columns (`SourceLine`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, literal, literal_column, select, tuple_

from matching_engine.records import VENUE, EventKind, Side
from services.read_model.tables import busts, cash_movements, goods_movements, orders, reserve_changes, trades

_OF_A_COMMAND = 20
"""A trade's id is the seq of its command, shifted by these bits, plus a number."""
_ENTRY, _AMEND, _TRADE, _FEES = 0, 1, 2, 3
"""Places of the lines of one command. _FEES: those that the venue gets, after its own part in the trade."""
_NOTHING: ColumnElement[int] = literal_column("0")
_NONE = cast(None, BigInteger)
_BUSTED = busts.join(trades, trades.c.trade_id == busts.c.trade_id)
_COLUMNS = (
    "seq", "place", "id", "time_ns", "cause", "order_id", "trade_id", "instrument",
    "cash_fen", "fee_fen", "reserved_fen", "lots", "reserved_lots",
)  # fmt: skip


class LedgerKey(NamedTuple):
    """The place of a line in the ledger."""

    seq: int
    place: int
    id: int


class SourceLine(NamedTuple):
    """A change. `fee_fen` is part of cash_fen. An instrument of None: a change of cash alone."""

    seq: int
    place: int
    id: int
    time_ns: int
    cause: str
    order_id: int | None
    trade_id: int | None
    instrument: int | None
    cash_fen: int
    fee_fen: int
    reserved_fen: int
    lots: int
    reserved_lots: int

    @property
    def key(self) -> LedgerKey:
        """Its place."""
        return LedgerKey(self.seq, self.place, self.id)


class LedgerSource(NamedTuple):
    """Lines of one kind. `ordered` is the indexed column in the order of the ledger: a seq, or with `shift` a trade's id."""

    columns: dict[str, Any]
    tables: Any
    condition: ColumnElement[bool]
    ordered: ColumnElement[int]
    shift: int = 0
    then: tuple[str, ...] = ()
    """What orders the lines of one command, where there can be several."""

    def select(self) -> Select[Any]:
        """Its lines, as columns of `SourceLine`."""
        chosen = (as_column(self.columns.get(name, _NOTHING)).label(name) for name in _COLUMNS)
        return select(*chosen).select_from(self.tables).where(self.condition)

    def order(self) -> list[Any]:
        """The order of the ledger."""
        return [self.ordered, *(self.columns[name] for name in self.then)]

    def from_seq(self, seq: int) -> ColumnElement[bool]:
        """The lines of this command and later ones."""
        return self.ordered >= (seq << self.shift)

    def before_seq(self, seq: int) -> ColumnElement[bool]:
        """The lines of earlier commands."""
        return self.ordered < (seq << self.shift)

    def key(self) -> Any:
        """For comparison with a `LedgerKey`."""
        return tuple_(*(as_column(self.columns[name]) for name in LedgerKey._fields))


def as_column(value: Any) -> Any:
    """A column, text or number as an expression."""
    return literal(value) if isinstance(value, str) else literal_column(str(value)) if isinstance(value, int) else value


def sources(account: int) -> Iterator[LedgerSource]:
    """All lines of the account's ledger."""
    yield _entries(account)
    yield _reserves(account)
    for source in (cash_movements, goods_movements):
        yield _movements(source, account)
    if account == VENUE:
        fees = trades.c.taker_fee_fen + trades.c.maker_fee_fen
        yield LedgerSource(
            _of_trade("fee", None, cash_fen=fees), trades, literal(True), trades.c.trade_id, _OF_A_COMMAND
        )
        yield LedgerSource(_of_bust(None, cash_fen=-fees), _BUSTED, literal(True), busts.c.seq)
    for role in ("taker", "maker"):
        own = trades.c[f"{role}_account"] == account
        moved = _deal(role)
        order_id = trades.c[f"{role}_order_id"]
        yield LedgerSource(_of_trade("trade", order_id, **moved), trades, own, trades.c.trade_id, _OF_A_COMMAND)
        back = {name: -moved[name] for name in ("cash_fen", "fee_fen", "lots")}
        yield LedgerSource(_of_bust(order_id, **back), _BUSTED, own, busts.c.seq)


def _entries(account: int) -> LedgerSource:
    is_buy = orders.c.side == Side.BUY
    columns = {
        "seq": orders.c.order_id, "place": _ENTRY, "id": orders.c.order_id, "time_ns": orders.c.created_ns,
        "cause": "reserve", "order_id": orders.c.order_id, "trade_id": _NONE, "instrument": orders.c.instrument,
        "reserved_fen": case((is_buy, orders.c.first_reserve), else_=_NOTHING),
        "reserved_lots": case((is_buy, _NOTHING), else_=orders.c.first_reserve),
    }  # fmt: skip
    return LedgerSource(
        columns, orders, and_(orders.c.account == account, orders.c.first_reserve != 0), orders.c.order_id
    )


def _reserves(account: int) -> LedgerSource:
    change = reserve_changes.c
    is_amend = change.kind == EventKind.REPLACED
    columns = {
        "seq": change.seq, "place": case((is_amend, literal_column(str(_AMEND))), else_=change.kind),
        "id": change.order_id, "time_ns": change.time_ns, "cause": case((is_amend, "amend"), else_="release"),
        "order_id": change.order_id, "trade_id": _NONE, "instrument": change.instrument,
        "reserved_fen": change.reserved_fen, "reserved_lots": change.reserved_lots,
    }  # fmt: skip
    return LedgerSource(columns, reserve_changes, change.account == account, change.seq, then=("place", "id"))


def _movements(table: Any, account: int) -> LedgerSource:
    is_cash = table is cash_movements
    amount = table.c.amount_fen if is_cash else table.c.lots
    came, went = ("deposit", "withdrawal") if is_cash else ("receipt", "goods_out")
    columns = {
        "seq": table.c.seq, "place": _ENTRY, "id": table.c.seq, "time_ns": table.c.time_ns,
        "cause": case((amount > 0, came), else_=went), "order_id": _NONE, "trade_id": _NONE,
        "instrument": _NONE if is_cash else table.c.instrument, "cash_fen" if is_cash else "lots": amount,
    }  # fmt: skip
    return LedgerSource(columns, table, table.c.account == account, table.c.seq)


def _deal(role: str) -> dict[str, Any]:
    """What a trade moves for the account in this role."""
    buys = trades.c.taker_side == (Side.BUY if role == "taker" else Side.SELL)
    fee_fen, lots = trades.c[f"{role}_fee_fen"], trades.c.quantity_lots
    return {
        "cash_fen": case((buys, -trades.c.amount_fen), else_=trades.c.amount_fen) - fee_fen,
        "fee_fen": fee_fen,
        "reserved_fen": case((buys, trades.c.buyer_reserve_fen), else_=_NOTHING),
        "lots": case((buys, lots), else_=-lots),
        "reserved_lots": case((buys, _NOTHING), else_=-lots),
    }


def _of_trade(cause: str, order_id: Any, **moved: Any) -> dict[str, Any]:
    place = _FEES if order_id is None else _TRADE
    at = {"seq": trades.c.seq, "place": place, "id": trades.c.trade_id, "time_ns": trades.c.time_ns}
    of = {"trade_id": trades.c.trade_id, "instrument": _NONE if order_id is None else trades.c.instrument}
    return {**at, "cause": cause, "order_id": _NONE if order_id is None else order_id, **of, **moved}


def _of_bust(order_id: Any, **moved: Any) -> dict[str, Any]:
    place = _FEES if order_id is None else _ENTRY
    at = {"seq": busts.c.seq, "place": place, "id": busts.c.trade_id, "time_ns": busts.c.time_ns}
    return {**_of_trade("bust", order_id), **at, **moved}
