"""What a run of journal rows changes in the read database, worked out without touching it.

Orders that are new within the run are collected whole, so an order that is placed and filled in one transaction costs one
insert; everything else is a sum of changes (matching_engine/records.py says what each event changes), so nothing needs to
be known of what stands in the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from matching_engine.records import (
    ALL_INSTRUMENTS,
    VENUE,
    Command,
    CommandKind,
    Event,
    EventKind,
    Phase,
    Reason,
    Side,
)
from services.attachments import AccountText, InstrumentText, KeyIssued, KeyRevoked, TargetSet, read_decision
from services.journal.row import Row
from services.read_database import tables


@dataclass(frozen=True)
class Position:
    """The one row of the table `position`: what the read database is exact at."""

    seq: int
    time_ns: int
    trading_date: int
    row_hash: bytes
    journal_id: bytes
    maker_rate_ppm: int
    taker_rate_ppm: int


Statement = tuple[str, tuple[Any, ...]]
"""SQL with its values: the rare changes, written one by one and in order."""

_ORDER = {column.name: place for place, column in enumerate(tables.orders.columns)}
LEAVES, FILLED, FILLED_FEN, FEES, RESERVED, STATE, REASON, UPDATED_NS, UPDATED_SEQ = (
    _ORDER[name]
    for name in (
        "leaves_lots", "filled_lots", "filled_fen", "fees_fen", "reserved_fen", "state", "reason", "updated_ns",
        "updated_seq",
    )
)  # fmt: skip
END_STATES = {EventKind.CANCELED: "canceled", EventKind.PREVENTED: "canceled", EventKind.EXPIRED: "expired"}


class Changes:
    """The changes of the rows added so far, from one position to the next."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.commands = 0
        self.statements: list[Statement] = []
        self.new_orders: dict[int, list[Any]] = {}
        """By order_id: the columns of `orders`."""
        self.old_orders: dict[int, list[Any]] = {}
        """By order_id: filled lots, filled fen, fees, reserve change, end state or None, reason, updated_ns, updated_seq."""
        self.trades: list[tuple[int, ...]] = []
        """The columns of `trades`."""
        self.cash: dict[int, list[int]] = {}
        """By account: changes of cash and of reserved cash, in fen."""
        self.lots: dict[tuple[int, int], list[int]] = {}
        """By account and instrument: changes of lots and of reserved lots."""
        self.turnover: dict[tuple[int, int], list[Any]] = {}
        """By trading date and instrument: trades, lots, fen and prevented self-trades to add; the largest trade, its id."""
        self._trading_date = position.trading_date
        self._ended_date = 0
        self._fees = (position.maker_rate_ppm, position.taker_rate_ppm)
        self._handlers: dict[int, Callable[[Event, Command, Row], None]] = {
            EventKind.ACCEPTED: self._accepted,
            EventKind.REJECTED: self._rejected,
            EventKind.TRADE: self._trade,
            EventKind.CANCELED: self._ended,
            EventKind.PREVENTED: self._prevented,
            EventKind.EXPIRED: self._ended,
            EventKind.ACCOUNT_OPENED: self._account_opened,
            EventKind.BALANCE_CHANGED: self._balance_changed,
            EventKind.INSTRUMENT_LISTED: self._instrument_listed,
            EventKind.FEES_SET: self._fees_set,
            EventKind.PHASE_CHANGED: self._phase_changed,
            EventKind.DAY_ROLLED: self._day_rolled,
            EventKind.SETTLED: self._settled,
            EventKind.RECORDED: self._recorded,
        }

    def add(self, row: Row) -> None:
        """Adds a whole row, which must be the next one."""
        commands, first_seq, handlers = row.command_list, row.first_seq, self._handlers
        for event in row.event_list:
            handler = handlers.get(event.kind)
            if handler is not None:
                handler(event, commands[event.seq - first_seq], row)
        self.commands += len(commands)
        self.position = replace(
            self.position,
            seq=row.last_seq,
            time_ns=commands[-1].time_ns,
            trading_date=self._trading_date,
            row_hash=row.hash,
            maker_rate_ppm=self._fees[0],
            taker_rate_ppm=self._fees[1],
        )

    def _accepted(self, event: Event, command: Command, row: Row) -> None:
        self._enter(event, command, "new", event.leaves_lots)
        if event.side == Side.BUY:
            self._move_cash(event.account, 0, event.reserve_fen)
        else:
            self._move_lots(event.account, event.instrument, 0, event.quantity_lots)

    def _rejected(self, event: Event, command: Command, row: Row) -> None:
        # An order whose client_order_id belongs to another one is no order: it is answered 422, and must not be found
        # in place of the one that has the id.
        if command.kind == CommandKind.NEW_ORDER and event.reason != Reason.CLIENT_ORDER_ID_REUSED:
            self._enter(event, command, "rejected", 0)

    def _enter(self, event: Event, command: Command, state: str, leaves_lots: int) -> None:
        self.new_orders[command.seq] = [
            command.seq,
            command.account,
            command.client_order_id.decode("latin-1"),  # ASCII by contract; no byte may ever stop the projector
            command.instrument,
            command.side,
            command.order_type,
            command.time_in_force,
            command.price_ticks,
            command.quantity_lots,
            leaves_lots,
            0,
            0,
            0,
            event.reserve_fen,
            state,
            event.reason,
            command.actor,
            self._trading_date,
            command.time_ns,
            command.time_ns,
            command.seq,
        ]

    def _trade(self, event: Event, command: Command, row: Row) -> None:
        lots, amount_fen, instrument = event.quantity_lots, event.amount_fen, event.instrument
        taker_buys = event.side == Side.BUY
        self._fill(event, event.order_id, event.fee_fen, event.reserve_fen if taker_buys else 0, command.time_ns)
        self._fill(
            event, event.maker_order_id, event.maker_fee_fen, 0 if taker_buys else event.reserve_fen, command.time_ns
        )
        if taker_buys:
            buyer, seller, buyer_fee, seller_fee = (
                event.account,
                event.maker_account,
                event.fee_fen,
                event.maker_fee_fen,
            )
        else:
            buyer, seller, buyer_fee, seller_fee = (
                event.maker_account,
                event.account,
                event.maker_fee_fen,
                event.fee_fen,
            )
        self._move_cash(buyer, -amount_fen - buyer_fee, event.reserve_fen)
        self._move_cash(seller, amount_fen - seller_fee, 0)
        self._move_cash(VENUE, buyer_fee + seller_fee, 0)
        self._move_lots(buyer, instrument, lots, 0)
        self._move_lots(seller, instrument, -lots, -lots)
        day = self._day(instrument)
        day[0] += 1
        day[1] += lots
        day[2] += amount_fen
        if amount_fen > day[4]:
            day[4:6] = amount_fen, event.trade_id
        self.trades.append(
            (
                event.trade_id, event.seq, command.time_ns, self._trading_date, instrument, event.price_ticks, lots,
                amount_fen, event.side, event.order_id, event.account, event.fee_fen, event.maker_order_id,
                event.maker_account, event.maker_fee_fen,
            )
        )  # fmt: skip

    def _fill(self, event: Event, order_id: int, fee_fen: int, reserve_fen: int, time_ns: int) -> None:
        order = self.new_orders.get(order_id)
        if order is None:
            change = self._old_order(order_id)
            change[0] += event.quantity_lots
            change[1] += event.amount_fen
            change[2] += fee_fen
            change[3] += reserve_fen
            change[6] = time_ns
            change[7] = event.seq
            return
        leaves_lots = order[LEAVES] = order[LEAVES] - event.quantity_lots
        order[FILLED] += event.quantity_lots
        order[FILLED_FEN] += event.amount_fen
        order[FEES] += fee_fen
        order[RESERVED] += reserve_fen
        order[STATE] = "partially_filled" if leaves_lots else "filled"
        order[UPDATED_NS] = time_ns
        order[UPDATED_SEQ] = event.seq

    def _old_order(self, order_id: int) -> list[Any]:
        change = self.old_orders.get(order_id)
        if change is None:
            change = self.old_orders[order_id] = [0, 0, 0, 0, None, 0, 0, 0]
        return change

    def _ended(self, event: Event, command: Command, row: Row) -> None:
        if event.side == Side.BUY:
            self._move_cash(event.account, 0, event.reserve_fen)
        else:
            self._move_lots(event.account, event.instrument, 0, -event.quantity_lots)
        order = self.new_orders.get(event.order_id)
        state = END_STATES[EventKind(event.kind)]
        if order is None:
            change = self._old_order(event.order_id)
            change[3] += event.reserve_fen
            change[4:8] = state, event.reason, command.time_ns, event.seq
            return
        order[LEAVES] = 0
        order[RESERVED] += event.reserve_fen
        order[STATE] = state
        order[REASON] = event.reason
        order[UPDATED_NS] = command.time_ns
        order[UPDATED_SEQ] = event.seq

    def _prevented(self, event: Event, command: Command, row: Row) -> None:
        self._ended(event, command, row)
        self._day(event.instrument)[3] += 1

    def _move_cash(self, account: int, cash_fen: int, reserved_fen: int) -> None:
        change = self.cash.get(account)
        if change is None:
            self.cash[account] = [cash_fen, reserved_fen]
        else:
            change[0] += cash_fen
            change[1] += reserved_fen

    def _move_lots(self, account: int, instrument: int, lots: int, reserved_lots: int) -> None:
        change = self.lots.get((account, instrument))
        if change is None:
            self.lots[account, instrument] = [lots, reserved_lots]
        else:
            change[0] += lots
            change[1] += reserved_lots

    def _day(self, instrument: int) -> list[Any]:
        day = self.turnover.get((self._trading_date, instrument))
        if day is None:
            day = self.turnover[self._trading_date, instrument] = [0, 0, 0, 0, 0, None]
        return day

    def _account_opened(self, event: Event, command: Command, row: Row) -> None:
        text = AccountText.model_validate_json(row.attachments[command.attachment - 1])
        values = (event.account, text.name, command.owner, 0, 0, event.seq)
        self.statements.append(("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?)", values))

    def _balance_changed(self, event: Event, command: Command, row: Row) -> None:
        if command.kind in (CommandKind.DEPOSIT, CommandKind.WITHDRAW):
            self._move_cash(event.account, event.amount_fen, 0)
        else:
            self._move_lots(event.account, event.instrument, event.quantity_lots, 0)

    def _instrument_listed(self, event: Event, command: Command, row: Row) -> None:
        text = InstrumentText.model_validate_json(row.attachments[command.attachment - 1])
        values = (
            event.instrument, text.symbol, text.name_en, text.name_zh, text.category, text.family, text.unit,
            text.lot_size, text.tick_size, command.amount_fen, command.rate_ppm, command.quantity_lots,
            event.price_ticks, event.price_ticks, text.reference_price_source, text.spec, text.note, int(Phase.CLOSED),
        )  # fmt: skip
        self.statements.append((f"INSERT INTO instruments VALUES ({', '.join('?' * len(values))})", values))

    def _fees_set(self, event: Event, command: Command, row: Row) -> None:
        self._fees = (command.rate_ppm, command.taker_rate_ppm)

    def _phase_changed(self, event: Event, command: Command, row: Row) -> None:
        if event.instrument == ALL_INSTRUMENTS:
            self.statements.append(("UPDATE instruments SET phase = ?", (event.phase,)))
        else:
            values = (event.phase, event.instrument)
            self.statements.append(("UPDATE instruments SET phase = ? WHERE instrument = ?", values))

    def _day_rolled(self, event: Event, command: Command, row: Row) -> None:
        self._ended_date, self._trading_date = self._trading_date, event.date

    def _settled(self, event: Event, command: Command, row: Row) -> None:
        reference = (event.price_ticks, event.instrument)
        self.statements.append(("UPDATE instruments SET reference_ticks = ? WHERE instrument = ?", reference))
        if self._ended_date:  # before the first day roll there was no day to settle
            settled = (self._ended_date, event.instrument, event.price_ticks)
            self.statements.append((SETTLE, settled))

    def _recorded(self, event: Event, command: Command, row: Row) -> None:
        match read_decision(row.attachments[command.attachment - 1]):
            case KeyIssued() as key:
                digest, scopes = bytes.fromhex(key.key_hash), " ".join(key.scopes)
                issued = (event.seq, digest, key.account, key.name, scopes, None)
                self.statements.append(("INSERT OR REPLACE INTO api_keys VALUES (?, ?, ?, ?, ?, ?)", issued))
            case KeyRevoked(key_id=key_id):
                revoked = (event.seq, key_id)
                self.statements.append(("UPDATE api_keys SET revoked_seq = ? WHERE key_id = ?", revoked))
            case TargetSet() as target:
                goal = (target.year, target.amount_fen, target.name, event.seq)
                self.statements.append(("INSERT OR REPLACE INTO targets VALUES (?, ?, ?, ?)", goal))


SETTLE = """
INSERT INTO daily_turnover VALUES (?, ?, 0, 0, 0, 0, 0, NULL, ?)
ON CONFLICT DO UPDATE SET settlement_ticks = excluded.settlement_ticks
"""
