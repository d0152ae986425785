"""The true rows of the read database's tables for data that only the journal's batches have."""

from __future__ import annotations

from collections.abc import Iterator

from services.commands.texts import client_order_id_text
from services.read_database import tables
from services.read_database.audit.comparison import Table
from services.read_database.audit.dealings import Dealings
from services.read_database.audit.journaled import FIRST_RESERVES, TEXTS, Journaled

_API_KEY = [
    "key_hash", "account", "name", "scopes", "issued_ns", "issued_by", "expires_ns", "addresses", "limits", "revoked_seq",
]  # fmt: skip
_TARGET = [column.name for column in tables.targets.columns if column.name != "seq"]
_ALERT = [column.name for column in tables.alerts.columns if column.name != "seq"]
_PROPOSAL = [column.name for column in tables.proposals.columns if column.name != "seq"]
_RECORD = [column.name for column in tables.records.columns if column.name != "seq"]
_DECISION = [column.name for column in tables.decisions.columns if column.name != "seq"]
_CASH = [column.name for column in tables.cash_movements.columns if column.name != "seq"]
_MOVEMENT = [column.name for column in tables.goods_movements.columns if column.name != "seq"]


def journaled_tables(journaled: Journaled) -> Iterator[Table]:
    """Names, keys, targets, busts, decisions, alerts, days, goods, sums of orders and trades, open orders, days' trades."""
    yield from _texts(journaled)
    yield _sums(journaled)
    yield _orders(journaled.dealings)
    yield from _days(journaled.dealings)
    yield _marks_of_busts(journaled)


def _texts(journaled: Journaled) -> Iterator[Table]:
    words = ["symbol", "name_en", "name_zh", "category", "family", "unit", "lot_size", "tick_size"]
    words += ["reference_price_source", "spec", "note", "first_reference_ticks", "listed_seq"]
    alerts = {seq: tuple(alert[name] for name in _ALERT) for seq, alert in journaled.alerts.items()}
    proposals = {seq: tuple(made[name] for name in _PROPOSAL) for seq, made in journaled.proposals.items()}
    for table, label, key, columns, true in (
        ("accounts", "account {}", "account", ["name", "opened_seq"], journaled.accounts),
        ("instruments", "instrument {}", "instrument", words, journaled.instruments),
        ("api_keys", "key {}", "key_id", _API_KEY, journaled.api_keys),
        ("targets", "target {}", "seq", _TARGET, journaled.targets),
        ("busts", "bust of trade {}", "trade_id", ["seq", "time_ns", "actor", "reason"], journaled.busts),
        ("decisions", "decision {}", "seq", _DECISION, journaled.decisions),
        ("alerts", "alert {}", "seq", _ALERT, alerts),
        ("proofs", "proof {}", "seq", ["time_ns", "year", "proven_seq"], journaled.proofs),
        ("proposals", "proposal {}", "seq", _PROPOSAL, proposals),
        ("trading_days", "trading day {}", "trading_date", ["first_seq", "began_ns"], journaled.days),
        ("goods_movements", "goods movement {}", "seq", _MOVEMENT, journaled.goods),
        ("cash_movements", "cash movement {}", "seq", _CASH, journaled.cash),
        ("records", "record {}", "seq", _RECORD, journaled.records),
        ("actions", "action {}", "seq", ["time_ns", "actor", "kind", "text"], journaled.actions),
    ):
        query = f"SELECT {key}, {', '.join(columns)} FROM {table} ORDER BY {key}"
        yield Table(label, columns, query, sorted((number, *values) for number, values in true.items()), "journal")
    columns = ["seq", "time_ns", "at_seq", "row_hash", "sha256"]
    query = f"SELECT trading_date, revision, {', '.join(columns)} FROM day_closings ORDER BY trading_date, revision"
    closings = sorted((*day, *values) for day, values in journaled.day_closings.items())
    yield Table("closing {1} of day {0}", columns, query, closings, "journal", key_columns=2)
    query = f"SELECT instrument, from_seq, {', '.join(TEXTS)} FROM instrument_texts ORDER BY instrument, from_seq"
    texts = sorted((*of, *words) for of, words in journaled.instrument_texts.items())
    yield Table("texts of instrument {0} from {1} on", [*TEXTS], query, texts, "journal", key_columns=2)
    query = "SELECT seq, trade_id FROM decided_trades ORDER BY seq, trade_id"
    yield Table("trade {1} of decision {0}", [], query, sorted(journaled.decided_trades), "journal", key_columns=2)


def _sums(journaled: Journaled) -> Table:
    """The number of orders, and the sums of their fills, fees and first reserves."""
    lots, fen, *fees_fen = (
        sum(column) for column in zip((0,) * 4, *(sums[1:] for sums in journaled.dealings.trades.values()), strict=True)
    )
    query = f"""
    SELECT 'orders', count(*), coalesce(sum(filled_lots), 0), coalesce(sum(filled_fen), 0), coalesce(sum(fees_fen), 0),
        coalesce(sum(first_reserve % {FIRST_RESERVES}), 0)
    FROM orders
    """
    sums = ("orders", journaled.orders, 2 * lots, 2 * fen, sum(fees_fen), journaled.first_reserves)
    columns = ["rows", "filled_lots", "filled_fen", "fees_fen", "first_reserve"]
    return Table("table {}", columns, query, [sums], "journal")


def _orders(dealings: Dealings) -> Table:
    """The fields of open orders that the engine does not keep."""
    true = [
        (
            order_id,
            client_order_id_text(order.client_order_id),
            "partially_filled" if order.filled_fen else "new",
            order.actor,
            order.created_ns,
            order.filled_fen,
            order.fees_fen,
            order.leaves_lots,
        )
        for order_id, order in sorted(dealings.orders.items())
    ]
    columns = ["client_order_id", "state", "actor", "created_ns", "filled_fen", "fees_fen", "leaves_lots"]
    query = f"SELECT order_id, {', '.join(columns)} FROM orders WHERE leaves_lots > 0 ORDER BY order_id"
    return Table("open order {}", columns, query, true, "journal")


def _days(dealings: Dealings) -> Iterator[Table]:
    """Each day and instrument, compared with the single trades and with the day's sums."""
    label, day, busts = "{}, instrument {}", "trading_date, instrument", dealings.busts
    days = sorted(dealings.trades.items())
    columns = ["quantity_lots", "amount_fen", "taker_fee_fen", "maker_fee_fen"]
    query = f"SELECT trading_date, instrument, count(*), {', '.join(f'sum({name})' for name in columns)} FROM trades"
    true = [(*day, *sums) for day, sums in days]
    yield Table(
        f"trades of {label}", ["trades", *columns], f"{query} GROUP BY {day} ORDER BY {day}", true, "journal", 2
    )
    columns = ["trades + excluded", "quantity_lots + excluded_lots", "amount_fen + excluded_fen"]
    columns += ["busted", "busted_lots", "busted_fen"]
    happened = "trades <> 0 OR busted <> 0 OR excluded <> 0"
    query = f"SELECT trading_date, instrument, {', '.join(columns)} FROM daily_turnover WHERE {happened}"
    true = [
        (*day, *(all_of_it - gone for all_of_it, gone in zip(sums[:3], busted, strict=True)), *busted)
        for day, sums, busted in ((*day, busts.get(day[0], [0, 0, 0])) for day in days)
    ]
    yield Table(f"turnover of {label}", columns, f"{query} ORDER BY {day}", true, "journal", 2)


def _marks_of_busts(journaled: Journaled) -> Table:
    query = "SELECT trade_id, busted_seq FROM trades WHERE busted_seq IS NOT NULL ORDER BY trade_id"
    true = sorted((trade_id, bust[0]) for trade_id, bust in journaled.busts.items())
    return Table("trade {}", ["busted_seq"], query, true, "journal")
