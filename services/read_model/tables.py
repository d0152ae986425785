"""The tables of the read database. Units end a name: fen, ticks, lots, ns; dates are integers yyyymmdd (Asia/Shanghai).

The projector writes the changes of journal batches and its `position` in one transaction, so all tables are exact at
`position.seq`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    TypeDecorator,
    func,
)

from matching_engine.records import EventKind

READ_FORMAT = 13
"""Number of the tables below. A file keeps it in its `user_version`, PostgreSQL in the table `read_format`."""

metadata = MetaData()

Unsigned = BigInteger().with_variant(Integer(), "sqlite")
"""An unsigned number of 32 bits. A refused order may have any account number."""

RowNumber = BigInteger().with_variant(Integer(), "sqlite")
"""An id of 63 bits as the only key. As INTEGER it is the row's own number in SQLite, which needs no second tree for it."""

END_STATES: dict[int, str] = {
    EventKind.CANCELED: "canceled",
    EventKind.SELF_TRADE_PREVENTED: "canceled",
    EventKind.EXPIRED: "expired",
}
"""The `state` of an order, by the event that ended it."""

position = Table(
    "position",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),  # always 1: one row
    Column("seq", BigInteger, nullable=False),  # the last command projected
    Column("time_ns", BigInteger, nullable=False),
    Column("trading_date", Integer, nullable=False),
    Column("row_hash", LargeBinary(32), nullable=False),  # of the journal row that ends at seq
    Column("journal_id", LargeBinary(16), nullable=False),
    Column("kill_switch", SmallInteger, nullable=False),  # the venue's: 1 on, 0 off
)

fees = Table(
    "fees",
    metadata,
    Column("account_class", SmallInteger, primary_key=True, autoincrement=False),  # a class without a row pays nothing
    Column("maker_rate_ppm", Integer, nullable=False),
    Column("taker_rate_ppm", Integer, nullable=False),
)

instruments = Table(
    "instruments",
    metadata,
    Column("instrument", Integer, primary_key=True, autoincrement=False),
    Column("symbol", String(16), nullable=False, unique=True),
    Column("name_en", String, nullable=False),
    Column("name_zh", String, nullable=False),
    Column("category", String, nullable=False),
    Column("family", String, nullable=False),
    Column("unit", String(4), nullable=False),
    Column("lot_size", Integer, nullable=False),  # units (kg or t) in a lot
    Column("tick_size", String, nullable=False),  # yuan per unit, an exact decimal
    Column("tick_value_fen", BigInteger, nullable=False),  # what one tick is worth on one lot
    Column("band_ppm", Integer, nullable=False),
    Column("max_quantity_lots", BigInteger, nullable=False),
    Column("first_reference_ticks", BigInteger, nullable=False),
    Column("reference_ticks", BigInteger, nullable=False),
    Column("reference_price_source", String, nullable=False),  # "sourced" or "assumed"
    Column("spec", String, nullable=False),
    Column("note", String, nullable=False),
    Column("phase", SmallInteger, nullable=False),  # the phase in force
    Column("auction_ends_ns", BigInteger, nullable=False),  # end of a volatility auction; 0 or past: there is none
    Column("collar_ppm", Integer, nullable=False),  # 0: no collar
    Column("volatility_ppm", Integer, nullable=False),  # 0: no volatility band
    Column("auction_s", Integer, nullable=False),  # how long a volatility auction lasts
    Column("settlement_source", SmallInteger),  # of reference_ticks: a SettlementSource; NULL: from the listing
    Column("listed_seq", BigInteger, nullable=False),  # the command that listed it
)

instrument_texts = Table(
    "instrument_texts",
    metadata,
    Column("instrument", Integer, primary_key=True),
    Column("from_seq", BigInteger, primary_key=True),  # the command from which on it had them
    Column("name_en", String, nullable=False),
    Column("name_zh", String, nullable=False),
    Column("spec", String, nullable=False),
    Column("note", String, nullable=False),
)
"""The texts that each instrument has had. Those of the newest row are in `instruments` too."""

trading_days = Table(
    "trading_days",
    metadata,
    Column("trading_date", Integer, primary_key=True, autoincrement=False),
    Column("first_seq", BigInteger, nullable=False),  # the DAY_ROLL that began it: what follows is of this day
    Column("began_ns", BigInteger, nullable=False),
)
"""The trading days of the venue, the first and the present one included. What came before the first is of no day: date 0."""

accounts = Table(
    "accounts",
    metadata,
    Column("account", Unsigned, primary_key=True, autoincrement=False),
    Column("name", String, nullable=False),
    Column("owner", Unsigned, nullable=False),
    Column("cash_fen", BigInteger, nullable=False),
    Column("reserved_fen", BigInteger, nullable=False),
    Column("opened_seq", BigInteger, nullable=False),
    Column("account_class", SmallInteger, nullable=False),  # decides the fees
    Column("kill_switch", SmallInteger, nullable=False),  # 1 on, 0 off
    Column("max_order_lots", BigInteger, nullable=False),  # limits; 0: none
    Column("max_order_fen", BigInteger, nullable=False),
    Column("max_open_orders", Integer, nullable=False),
    Column("max_day_fen", BigInteger, nullable=False),
)

holdings = Table(
    "holdings",
    metadata,
    Column("account", Unsigned, primary_key=True),
    Column("instrument", Integer, primary_key=True),
    Column("lots", BigInteger, nullable=False),
    Column("reserved_lots", BigInteger, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", BigInteger, primary_key=True, autoincrement=False),  # the seq of the RECORD command that issued it
    Column("key_hash", LargeBinary(32), nullable=False, unique=True),  # SHA-256 of the secret, which is 32 random bytes
    Column("account", Unsigned, nullable=False),  # 0: bound to none
    Column("name", String, nullable=False),
    Column("scopes", String, nullable=False),  # space separated: read trade operate admin audit
    Column("revoked_seq", BigInteger),
    Column("issued_ns", BigInteger, nullable=False),
    Column("issued_by", BigInteger, nullable=False),  # the key_id of who issued it; 0: the venue itself
    Column("expires_ns", BigInteger, nullable=False),  # 0: never
    Column("addresses", String, nullable=False),  # networks (CIDR), space separated; empty: any
    Column(
        "limits", String, nullable=False
    ),  # JSON of KeyLimits in commands/attachments.py; empty: the venue's defaults
)

orders = Table(
    "orders",
    metadata,
    Column("order_id", RowNumber, primary_key=True, autoincrement=False),
    Column("account", Unsigned, nullable=False),
    Column("client_order_id", String(36), nullable=False),
    Column("instrument", Integer, nullable=False),
    Column("side", SmallInteger, nullable=False),
    Column("order_type", SmallInteger, nullable=False),  # as it was entered: a stop stays a stop
    Column("time_in_force", SmallInteger, nullable=False),
    Column("self_trade", SmallInteger, nullable=False),
    Column("flags", SmallInteger, nullable=False),
    Column("price_ticks", BigInteger, nullable=False),  # of MARKET and STOP the protection price, refused 0
    Column("trigger_ticks", BigInteger, nullable=False),
    Column("display_lots", BigInteger, nullable=False),  # 0: all of it is shown
    Column("expires_s", BigInteger, nullable=False),  # of GTD: seconds since 1970 UTC
    Column("triggered_seq", BigInteger, nullable=False),  # the command that triggered a stop; 0: it waits, or is none
    Column("quantity_lots", BigInteger, nullable=False),  # while open always filled + leaves; amends change it
    Column("leaves_lots", BigInteger, nullable=False),
    Column("filled_lots", BigInteger, nullable=False),
    Column("filled_fen", BigInteger, nullable=False),  # notional of the fills: avg_px = filled_fen / filled_lots
    Column("fees_fen", BigInteger, nullable=False),
    Column("reserved_fen", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),  # new partially_filled filled canceled rejected expired
    Column("reason", SmallInteger, nullable=False),
    Column("actor", BigInteger, nullable=False),
    Column("trading_date", Integer, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    Column("updated_seq", BigInteger, nullable=False),
    Column("first_reserve", BigInteger, nullable=False),  # at its entry: fen of a buy, lots of a sell; refused 0
    postgresql_with={"fillfactor": 70},  # room on each page for new versions of its rows (HOT updates)
)
Index("orders_by_account", orders.c.account, orders.c.order_id)
Index("orders_by_client_id", orders.c.account, orders.c.client_order_id)
# Not in PostgreSQL: there, an update of a row that changes a column of an index writes to every index of the table.
Index("orders_open", orders.c.instrument, sqlite_where=orders.c.leaves_lots > 0).ddl_if(dialect="sqlite")

trades = Table(
    "trades",
    metadata,
    Column("trade_id", RowNumber, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("trading_date", Integer, nullable=False),
    Column("instrument", Integer, nullable=False),
    Column("price_ticks", BigInteger, nullable=False),
    Column("quantity_lots", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    # In CALL_AUCTION there is no taker: the columns taker_* are the buyer's.
    Column("phase", SmallInteger, nullable=False),
    Column("taker_side", SmallInteger, nullable=False),
    Column("taker_order_id", BigInteger, nullable=False),
    Column("taker_account", Unsigned, nullable=False),
    Column("taker_fee_fen", BigInteger, nullable=False),
    Column("maker_order_id", BigInteger, nullable=False),
    Column("maker_account", Unsigned, nullable=False),
    Column("maker_fee_fen", BigInteger, nullable=False),
    Column("buyer_reserve_fen", BigInteger, nullable=False),  # change of the buyer's reserved cash, 0 or less
    Column("busted_seq", BigInteger),  # the command that busted the trade; NULL: not busted
    Column("excluded_seq", BigInteger),  # the decision by which it does not count; NULL: it counts, or is busted
)
Index("trades_by_seq", trades.c.seq)
Index(
    "trades_by_bust",
    trades.c.busted_seq,
    sqlite_where=trades.c.busted_seq.isnot(None),
    postgresql_where=trades.c.busted_seq.isnot(None),
)
Index(
    "trades_by_exclusion",
    trades.c.excluded_seq,
    sqlite_where=trades.c.excluded_seq.isnot(None),
    postgresql_where=trades.c.excluded_seq.isnot(None),
)
Index("trades_by_date", trades.c.trading_date, trades.c.instrument)
Index("trades_by_taker", trades.c.taker_account, trades.c.trade_id)
Index("trades_by_maker", trades.c.maker_account, trades.c.trade_id)

busts = Table(
    "busts",
    metadata,
    Column("trade_id", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("actor", BigInteger, nullable=False),  # the key_id of the operator
    Column("reason", String, nullable=False),  # in the operator's words
)

decisions = Table(
    "decisions",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("actor", BigInteger, nullable=False),  # the key_id of the operator
    Column("decision", String(16), nullable=False),  # exclude or include
    Column("finding", String, nullable=False),  # the id of the finding that it answers; may be empty
    Column("reason", String, nullable=False),
    Column("name", String, nullable=False),  # of the person who decided
)

decided_trades = Table(
    "decided_trades",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("trade_id", BigInteger, primary_key=True),
)
"""The trades that a decision names, each once."""
Index("decided_trades_by_trade", decided_trades.c.trade_id, decided_trades.c.seq)

levels = Table(
    "levels",
    metadata,
    Column("instrument", Integer, primary_key=True),
    Column("side", SmallInteger, primary_key=True),
    Column("price_ticks", BigInteger, primary_key=True),
    Column("quantity_lots", BigInteger, nullable=False),  # shown
    Column("orders", BigInteger, nullable=False),
)
"""The depth of the books. It does not follow from `orders`: icebergs hide quantity, and stops wait outside the book."""

daily_turnover = Table(
    "daily_turnover",
    metadata,
    Column("trading_date", Integer, primary_key=True),
    Column("instrument", Integer, primary_key=True),
    # The trades that count and their sums. Busted trades are in the columns busted_*, and those that do not count by decision
    # in excluded*.
    Column("trades", BigInteger, nullable=False),
    Column("quantity_lots", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("busted", BigInteger, nullable=False),
    Column("busted_lots", BigInteger, nullable=False),
    Column("busted_fen", BigInteger, nullable=False),
    Column("excluded", BigInteger, nullable=False),
    Column("excluded_lots", BigInteger, nullable=False),
    Column("excluded_fen", BigInteger, nullable=False),
    # Self-trades prevented, and the lots taken from their orders: never turnover.
    Column("prevented", BigInteger, nullable=False),
    Column("prevented_lots", BigInteger, nullable=False),
    Column("largest_fen", BigInteger, nullable=False),  # of the day's largest trade that counts, first of equals
    Column("largest_trade_id", BigInteger),
    Column("settlement_ticks", BigInteger),  # set by the day roll that ended the day
    Column("settlement_source", SmallInteger),  # with it: where the price comes from (SettlementSource)
)

daily_members = Table(
    "daily_members",
    metadata,
    Column("trading_date", Integer, primary_key=True),
    Column("instrument", Integer, primary_key=True),
    Column("account", Unsigned, primary_key=True),
    # Of the trades that count: neither busted nor excluded.
    Column("bought", BigInteger, nullable=False),  # how many
    Column("bought_lots", BigInteger, nullable=False),
    Column("bought_fen", BigInteger, nullable=False),
    Column("sold", BigInteger, nullable=False),
    Column("sold_lots", BigInteger, nullable=False),
    Column("sold_fen", BigInteger, nullable=False),
    Column("fees_fen", BigInteger, nullable=False),  # of trades that are not busted: an exclusion gives no fee back
)
"""A row for each account that traded the instrument on the day; zeros where none of its trades counts."""

daily_phases = Table(
    "daily_phases",
    metadata,
    Column("trading_date", Integer, primary_key=True),
    Column("instrument", Integer, primary_key=True),
    Column("phase", SmallInteger, primary_key=True),
    Column("trades", BigInteger, nullable=False),  # that count
    Column("quantity_lots", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
)
"""`daily_turnover` by the phase of the trades; a row for each phase in which the instrument traded on the day."""

goods_movements = Table(
    "goods_movements",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("trading_date", Integer, nullable=False),  # 0: before the venue's first day
    Column("account", Unsigned, nullable=False),
    Column("instrument", Integer, nullable=False),
    Column("lots", BigInteger, nullable=False),  # > 0: a receipt came in; < 0: released, taken out
    Column("actor", BigInteger, nullable=False),  # the key_id of the operator
)
"""Warehouse receipts booked in and goods handed out. With the trades they make `holdings`."""
Index("goods_movements_by_date", goods_movements.c.trading_date)
Index("goods_movements_by_account", goods_movements.c.account, goods_movements.c.seq)

cash_movements = Table(
    "cash_movements",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("trading_date", Integer, nullable=False),  # 0: before the venue's first day
    Column("account", Unsigned, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),  # > 0: a deposit; < 0: a withdrawal
    Column("actor", BigInteger, nullable=False),  # the key_id of the operator
)
"""Deposits and withdrawals. With the trades they make `accounts.cash_fen`."""
Index("cash_movements_by_account", cash_movements.c.account, cash_movements.c.seq)

reserve_changes = Table(
    "reserve_changes",
    metadata,
    Column("account", Unsigned, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("order_id", BigInteger, primary_key=True),
    Column("kind", SmallInteger, primary_key=True),  # of the event: REPLACED, CANCELED, EXPIRED or SELF_TRADE_PREVENTED
    Column("time_ns", BigInteger, nullable=False),
    Column("instrument", Integer, nullable=False),
    Column("reserved_fen", BigInteger, nullable=False),  # change of a buy's reserve
    Column("reserved_lots", BigInteger, nullable=False),  # change of a sell's reserve
    sqlite_with_rowid=False,
)
"""What an order reserved or gave back other than by its entry (`orders.first_reserve`) and its trades. Changes by one command
and one kind of event are one row; changes of nothing have none."""

candles = Table(
    "candles",
    metadata,
    Column("instrument", Integer, primary_key=True),
    Column("trading_date", Integer, primary_key=True),  # a day roll within a minute makes two candles of it
    Column("start_s", BigInteger, primary_key=True),  # of the minute, in seconds since 1970 UTC
    Column("open_ticks", BigInteger, nullable=False),
    Column("high_ticks", BigInteger, nullable=False),
    Column("low_ticks", BigInteger, nullable=False),
    Column("close_ticks", BigInteger, nullable=False),
    Column("quantity_lots", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("trades", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Each minute with a trade that was not busted. Longer candles are added up from these."""

targets = Table(
    "targets",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("actor", BigInteger, nullable=False),  # the key_id of the operator
    Column("scope", String, nullable=False),  # venue, category:NAME, product:SYMBOL
    Column("metric", String(16), nullable=False),  # net_traded changed_hands delivered tonnes
    Column("year", Integer, nullable=False),
    Column("month", SmallInteger, nullable=False),  # 0: the whole year
    Column("amount", BigInteger, nullable=False),  # fen; of tonnes kilograms
    Column("pro_rata", SmallInteger, nullable=False),  # 1: the venue's first year owes the share of its trading days
    Column("name", String, nullable=False),
    Column("why", String, nullable=False),
    Column("replaces", BigInteger, nullable=False),  # seq of the one it replaces; 0: none
)
"""Every target ever set. The newest of a scope, metric, year and month is in force."""
Index("targets_by_year", targets.c.year, targets.c.seq)


alerts = Table(
    "alerts",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # of the command that raised it
    Column("time_ns", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("key", String, nullable=False),  # names the condition
    Column("subject", String, nullable=False),
    Column("severity", String(16), nullable=False),  # warning critical
    Column("sentence", String, nullable=False),
    Column("sentence_zh", String, nullable=False),
    Column("cleared_seq", BigInteger),  # NULL: it is open
    Column("cleared_ns", BigInteger),
    Column("acknowledged_seq", BigInteger),  # NULL: nobody has acknowledged it
    Column("acknowledged_ns", BigInteger),
    Column("actor", BigInteger),  # the key_id of the operator who acknowledged it
    Column("name", String),  # of the person who acknowledged it
    Column("note", String),
)
"""Every alert ever raised."""
Index(
    "alerts_open",
    alerts.c.key,
    unique=True,
    sqlite_where=alerts.c.cleared_seq.is_(None),
    postgresql_where=alerts.c.cleared_seq.is_(None),
)


day_closings = Table(
    "day_closings",
    metadata,
    Column("trading_date", Integer, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("at_seq", BigInteger, nullable=False),  # the bulletin was made after this command
    Column("row_hash", String, nullable=False),  # of the journal row that ends at at_seq, in hex
    Column("sha256", String, nullable=False),  # of the bulletin's numbers, in hex
)
"""What the bulletin of each completed day said when it was closed, and after each correction."""


proofs = Table(
    "proofs",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # of the command that records it
    Column("time_ns", BigInteger, nullable=False),
    Column("year", Integer, nullable=False),
    Column("proven_seq", BigInteger, nullable=False),  # the command at which the figure was proven
)
"""The proofs of the figure that agreed."""
Index("proofs_by_year", proofs.c.year, proofs.c.seq)


records = Table(
    "records",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("actor", BigInteger, nullable=False),  # the key_id of the operator
    Column("type", String(32), nullable=False),
    Column("text", String, nullable=False),  # the attachment: JSON of the `Kept` types in commands/attachments.py
)
"""Recorded decisions that change no other table."""


actions = Table(
    "actions",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("actor", BigInteger, nullable=False),  # the key_id
    Column("kind", String(32), nullable=False),  # of the command; of a recorded decision its type
    Column("text", String, nullable=False),  # the fields as JSON (actions.py)
)
"""Commands of operators and administrators, and mass cancels of members."""


proposals = Table(
    "proposals",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("actor", BigInteger, nullable=False),  # the key or user that proposes
    Column("act", String(32), nullable=False),  # what the log calls the act
    Column("scope", String(16), nullable=False),  # that the act needs
    Column("method", String(8), nullable=False),
    Column("path", String, nullable=False),
    Column("body", String),  # JSON; NULL: the request had none
    Column("why", String, nullable=False),
    Column("outcome", String(16)),  # confirmed rejected withdrawn; NULL: nobody has ended it
    Column("ended_seq", BigInteger),  # of a confirmed one the act's first command
    Column("last_seq", BigInteger),  # of a confirmed one the act's last command, of another the same
    Column("ended_ns", BigInteger),
    Column("ended_by", BigInteger),  # the key or user
    Column("reason", String),  # why it was rejected or withdrawn
)
"""Every act that was proposed to a second person. One that nobody ends expires (proposals.py)."""
Index("proposals_by_end", proposals.c.ended_seq)
Index(
    "proposals_open",
    proposals.c.seq,
    sqlite_where=proposals.c.outcome.is_(None),
    postgresql_where=proposals.c.outcome.is_(None),
)


class _WholeNumber(TypeDecorator[int]):
    """PostgreSQL's sum of integers is a `numeric`, which the driver returns as a Decimal."""

    impl = BigInteger
    cache_ok = True

    def process_result_value(self, value: Any, _dialect: Dialect) -> int | None:
        return None if value is None else int(value)


def total(column: ColumnElement[int]) -> ColumnElement[int]:
    """The sum of a column as an int of any size; None without rows."""
    return func.sum(column, type_=_WholeNumber())


def insert_into(table: Table, columns: Sequence[str] = (), *, rows: int = 1) -> str:
    """An INSERT of so many rows that names the columns, by default all in the order above; each value is a `?`."""
    names = columns or [column.name for column in table.columns]
    row = f"({', '.join('?' * len(names))})"
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {', '.join([row] * rows)}"


def replacing(key: Sequence[str], columns: Sequence[str]) -> str:
    """The end of an INSERT of these columns that sets them in the row that has the same key, if there is one."""
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key)
    return f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
