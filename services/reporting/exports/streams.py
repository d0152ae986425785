"""The columns of the Parquet files, and the rows that go into them: the year's trades, and the lines of the audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matching_engine.records import Phase, Side
from services.reporting.exports.audit_line import Line
from services.reporting.exports.parquet_file import StreamedColumns, price_units
from services.reporting.queries import Values

_PHASES = {int(phase): phase.name.lower() for phase in Phase}

TRADES = StreamedColumns(
    (
        ("trade_id", "int64", "seq · 2²⁰ + the number of the trade within its command"),
        ("seq", "int64", "The command that made the trade."),
        ("time", "time", "Time of that command."),
        ("trading_date", "date", "The trading day, Asia/Shanghai."),
        ("symbol", "string", ""),
        ("price", "price", "Yuan per unit."),
        ("quantity_lots", "int64", ""),
        (
            "amount",
            "yuan",
            "Price × quantity in yuan, to the fen. The sum of the trades that count is the net turnover.",
        ),
        ("phase", "string", "continuous or call_auction"),
        ("taker_side", "string", "Of an auction's trade always buy: it has no taker."),
        ("buyer", "int64", "Account"),
        ("buyer_name", "string", ""),
        ("buy_order_id", "int64", ""),
        ("buyer_fee", "yuan", ""),
        ("seller", "int64", "Account"),
        ("seller_name", "string", ""),
        ("sell_order_id", "int64", ""),
        ("seller_fee", "yuan", ""),
        ("busted_seq", "int64", "The command that busted the trade; null: it was not."),
        (
            "excluded_seq",
            "int64",
            "The decision by which it does not count; null: there is none. It counts if both are null.",
        ),
    )
)
AUDIT_TRAIL = StreamedColumns(
    (
        ("seq", "int64", "The command that made the event."),
        ("event_number", "int64", "Counts the events of the command from 1; both lines of a trade have the same."),
        ("time", "time", "FIX 60. Time of the command."),
        ("trading_date", "date", "FIX 75"),
        ("account", "int64", "FIX 1. The member's account."),
        ("member", "string", "Name of the account."),
        ("owner_group", "int64", "Accounts of one owner group never trade with each other."),
        ("key_id", "int64", "The API key that sent the order, or last amended it."),
        ("command_key_id", "int64", "The API key that sent the command; 0: the venue, such as its schedule."),
        ("order_id", "int64", "FIX 37"),
        ("client_order_id", "string", "FIX 11"),
        ("symbol", "string", "FIX 55"),
        ("event", "string", "new replace trigger trade cancel expire prevented reject cancel_reject bust"),
        ("msg_type", "string", "FIX 35: 8 execution report, 9 order cancel reject"),
        ("exec_type", "string", "FIX 150: 0 4 5 8 C D F H L"),
        ("side", "string", "FIX 54: buy, sell"),
        (
            "price",
            "price",
            "Yuan per unit. FIX 44, of a trade FIX 31. Null: a market order without a limit was refused.",
        ),
        ("quantity_lots", "int64", "Lots that the event is about; of a replace the change. FIX 38, of a trade FIX 32."),
        ("leaves_lots", "int64", "FIX 151. Lots open after the event."),
        ("trade_id", "int64", "FIX 1003"),
        ("counter_order_id", "int64", "The other order of the trade, or of the prevented self-trade."),
        ("counter_account", "int64", "FIX 375"),
        ("amount", "yuan", "Of the trade, in yuan."),
        ("fee", "yuan", "FIX 12. Of this side."),
        ("liquidity", "string", "FIX 851: passive (1), aggressive (2), auction (4)"),
        ("phase", "string", "The instrument's phase when the event was made."),
        ("reason", "string", "FIX 103 or 378, as the venue's own word."),
        ("row_hash", "string", "Hash of the journal row that holds the command."),
    )
)


class RowMaker:
    """Adds names and units to the numbers of trades and audit lines."""

    def __init__(self, instruments: Mapping[int, Values], names: Mapping[int, str]) -> None:
        self._units = price_units(instruments)
        self._symbols = {number: facts["symbol"] for number, facts in instruments.items()}
        self._names = names

    def trades(self, rows: Sequence[Values]) -> Iterator[tuple[Any, ...]]:
        """The rows of TRADES from rows of the table `trades`."""
        for row in rows:
            taker = row["taker_account"], row["taker_order_id"], row["taker_fee_fen"]
            maker = row["maker_account"], row["maker_order_id"], row["maker_fee_fen"]
            buyer, seller = (taker, maker) if row["taker_side"] == Side.BUY else (maker, taker)
            instrument = row["instrument"]
            yield (
                row["trade_id"], row["seq"], row["time_ns"], row["trading_date"], self._symbols[instrument],
                row["price_ticks"] * self._units[instrument], row["quantity_lots"], row["amount_fen"],
                _PHASES[row["phase"]], "buy" if row["taker_side"] == Side.BUY else "sell",
                buyer[0], self._names.get(buyer[0]), *buyer[1:], seller[0], self._names.get(seller[0]), *seller[1:],
                row["busted_seq"], row["excluded_seq"],
            )  # fmt: skip

    def audit(self, lines: Sequence[Line]) -> Iterator[tuple[Any, ...]]:
        """The rows of AUDIT_TRAIL from lines.

        What was refused may name an account or product that does not exist, or a number beyond 63 bits: then it is missing.
        """
        for line in lines:
            unit = self._units.get(line.instrument)
            price = None if line.price_ticks is None or unit is None else _stored(line.price_ticks * unit)
            yield (
                *line[:5], self._names.get(line.account), *line[5:8], _stored(line.order_id), line.client_order_id,
                self._symbols.get(line.instrument), *line[11:15], price, *line[16:],
            )  # fmt: skip


def _stored(value: int) -> int | None:
    return value if -(2**63) <= value < 2**63 else None
