"""The changes that consecutive journal batches (a run) make to the read database, computed without reading the database.

An order that is new within the run is collected as a whole row, so an order that is entered and filled in one transaction
costs one INSERT. Most other changes are amounts to add (matching_engine/records.py says what each event changes), so the
values in the database need not be known. Price levels are set: the last LEVEL event of a price gives the new value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import ClassVar, NamedTuple

from matching_engine.records import VENUE, CommandKind, Event, EventKind, Reason, Side
from services.commands.attachments import BustText, ProposalConfirmed, TradesDecided, TradesDecision, read_decision
from services.journal.batch import Applied, JournalBatch
from services.read_model import tables
from services.read_model.actions import actions
from services.read_model.administrative_changes import STATEMENTS, Statement, keep_texts
from services.read_model.candle_changes import CandleKey, add_to_candle
from services.read_model.order_changes import OrderChanges
from services.values.trade_sides import sides

_INSERT_ACTION = tables.insert_into(tables.actions)


class Position(NamedTuple):
    """The single row of the table `position`: the last journal batch that the read database includes."""

    seq: int
    time_ns: int
    trading_date: int
    row_hash: bytes
    journal_id: bytes
    kill_switch: int

    @property
    def is_one(self) -> bool:
        """Whether every value has its type. SQLite permits other types, so a damaged or forged database may hold them."""
        numbers = (self.seq, self.time_ns, self.trading_date, self.kill_switch)
        return all(type(value) is int for value in numbers) and type(self.row_hash) is type(self.journal_id) is bytes


class BustedTrade(NamedTuple):
    """A busted trade: the columns of `busts`, then the trade's trading date and instrument."""

    trade_id: int
    seq: int
    time_ns: int
    actor: int
    reason: str
    trading_date: int
    instrument: int


class DecidedTrades(NamedTuple):
    """A decision about trades: the columns of `decisions`, then the ids of its trades, each once."""

    seq: int
    time_ns: int
    actor: int
    decision: TradesDecision
    finding: str
    reason: str
    name: str
    trade_ids: tuple[int, ...]


@dataclass
class DayTurnover:
    """Amounts to add to the columns of `daily_turnover`, and the largest trade of the run with its id.

    Trades count here until they are busted: which of them do not count by decision, only the database knows (statements.py).
    """

    trades: int = 0
    quantity_lots: int = 0
    amount_fen: int = 0
    busted: int = 0
    busted_lots: int = 0
    busted_fen: int = 0
    excluded: int = 0
    excluded_lots: int = 0
    excluded_fen: int = 0
    prevented: int = 0
    prevented_lots: int = 0
    largest_fen: int = 0
    largest_trade_id: int | None = None


TURNOVER_COLUMNS = tuple(field.name for field in fields(DayTurnover))
turnover_values: Callable[[DayTurnover], tuple[int | None, ...]] = attrgetter(*TURNOVER_COLUMNS)
"""The values of TURNOVER_COLUMNS."""


class WriteBatch:
    """The changes of the batches added so far: from the position `after` to `position`."""

    def __init__(self, position: Position) -> None:
        self.after = self.position = position
        self.commands = 0
        self.statements: list[Statement] = []
        """Administrative changes, executed one by one, in order, before all other changes."""
        self.orders = OrderChanges()
        self.trades: list[tuple[int | None, ...]] = []
        """Values in the order of the columns of `trades`."""
        self.verdicts: list[BustedTrade | DecidedTrades] = []
        """Busts and decisions about trades, in the journal's order: each changes what those before it left."""
        self.settlements: dict[tuple[int, int], tuple[int, int]] = {}
        """By trading date and instrument: the settlement price in ticks, and its SettlementSource."""
        self.days: dict[int, tuple[int, int]] = {}
        """By trading date that began: the seq of its day roll, and its time in ns."""
        self.goods: list[tuple[int, ...]] = []
        """Receipts and releases: values in the order of the columns of `goods_movements`."""
        self.cash_movements: list[tuple[int, ...]] = []
        """Deposits and withdrawals: values in the order of the columns of `cash_movements`."""
        self.reserves: dict[tuple[int, int, int, int], list[int]] = {}
        """By the key of `reserve_changes`: values in the order of its other columns."""
        self.candles: dict[CandleKey, list[int]] = {}
        """The trades of the run as candles; busts come later (statements.py)."""
        self.levels: dict[tuple[int, int, int], tuple[int, int]] = {}
        """By instrument, side and price in ticks: the level's lots and number of orders; 0 lots remove the level."""
        self.cash: dict[int, list[int]] = {}
        """By account: changes of cash and of reserved cash, in fen."""
        self.lots: dict[tuple[int, int], list[int]] = {}
        """By account and instrument: changes of lots and of reserved lots."""
        self.turnover: dict[tuple[int, int], DayTurnover] = {}
        """By trading date and instrument: what to add to `daily_turnover`."""
        self._trading_date = position.trading_date
        self._ended_date = 0
        self._kill_switch = position.kill_switch
        self._pair: tuple[int, int, int] | None = None
        self._refused_seq = 0

    def add(self, batch: JournalBatch) -> None:
        """Adds a whole batch; it must be the batch that follows `position`."""
        handler_of = self._HANDLERS.get
        for applied in batch.applied():
            handler = handler_of(applied.event.kind)
            if handler is not None:
                handler(self, applied)
        self._passed(batch)

    def _passed(self, batch: JournalBatch) -> None:
        """Moves the position to the end of a batch whose events were all taken."""
        self.statements += [(_INSERT_ACTION, tuple(action)) for action in actions(batch)]
        self.commands += batch.command_count
        self.position = self.position._replace(
            seq=batch.last_seq,
            time_ns=batch.time_ns,
            trading_date=self._trading_date,
            row_hash=batch.hash,
            kill_switch=self._kill_switch,
        )

    def _accepted(self, applied: Applied) -> None:
        self.orders.enter(applied, "new", self._trading_date)
        self._reserve(applied.event, applied.event.quantity_lots)

    def _rejected(self, applied: Applied) -> None:
        self._refused_seq = applied.event.seq
        # An order that reuses a client_order_id is not stored: the gateway answers 422, and a query for this id must find the
        # earlier order.
        if applied.command.kind == CommandKind.NEW_ORDER and applied.event.reason != Reason.CLIENT_ORDER_ID_REUSED:
            self.orders.enter(applied, "rejected", self._trading_date)

    def _replaced(self, applied: Applied) -> None:
        self.orders.replace(applied)
        self._change_reserve(applied, applied.event.quantity_lots)

    def _triggered(self, applied: Applied) -> None:
        self.orders.trigger(applied)

    def _trade(self, applied: Applied) -> None:
        event, command, _ = applied
        lots, amount_fen, instrument = event.quantity_lots, event.amount_fen, event.instrument
        taker_buys = event.side == Side.BUY
        self.orders.fill(applied, event.order_id, event.fee_fen, event.reserve_fen if taker_buys else 0)
        maker_reserve_fen = 0 if taker_buys else event.reserve_fen
        self.orders.fill(applied, event.maker_order_id, event.maker_fee_fen, maker_reserve_fen)
        self._exchange(event, 1, event.reserve_fen, -lots)
        day = self._day(instrument)
        day.trades += 1
        day.quantity_lots += lots
        day.amount_fen += amount_fen
        if amount_fen > day.largest_fen:
            day.largest_fen, day.largest_trade_id = amount_fen, event.trade_id
        self.trades.append(
            (
                event.trade_id, event.seq, command.time_ns, self._trading_date, instrument, event.price_ticks, lots,
                amount_fen, event.phase, event.side, event.order_id, event.account, event.fee_fen, event.maker_order_id,
                event.maker_account, event.maker_fee_fen, event.reserve_fen, None, None,
            )
        )  # fmt: skip
        add_to_candle(
            self.candles, instrument, self._trading_date, command.time_ns, event.price_ticks, lots, amount_fen
        )

    def _exchange(self, event: Event, sign: int, reserved_fen: int, reserved_lots: int) -> None:
        """Moves the money and goods of a trade (sign 1), or moves them back (sign -1).

        reserved_fen and reserved_lots are added to the buyer's reserved cash and to the seller's reserved lots.
        """
        buyer, seller, buyer_fee_fen, seller_fee_fen = sides(event)
        amount_fen, lots, instrument = sign * event.amount_fen, sign * event.quantity_lots, event.instrument
        self._move_cash(buyer, -amount_fen - sign * buyer_fee_fen, reserved_fen)
        self._move_cash(seller, amount_fen - sign * seller_fee_fen, 0)
        self._move_cash(VENUE, sign * (buyer_fee_fen + seller_fee_fen), 0)
        self._move_lots(buyer, instrument, lots, 0)
        self._move_lots(seller, instrument, -lots, reserved_lots)

    def _busted(self, applied: Applied) -> None:
        event, command, _ = applied
        self._exchange(event, -1, 0, 0)
        day = self._day(event.instrument)
        day.trades -= 1
        day.quantity_lots -= event.quantity_lots
        day.amount_fen -= event.amount_fen
        day.busted += 1
        day.busted_lots += event.quantity_lots
        day.busted_fen += event.amount_fen
        reason = BustText.model_validate_json(applied.attachment).reason
        trade_id, date = event.order_id, self._trading_date
        bust = BustedTrade(trade_id, event.seq, command.time_ns, command.actor, reason, date, event.instrument)
        self.verdicts.append(bust)

    def _ended(self, applied: Applied) -> None:
        self._change_reserve(applied, -applied.event.quantity_lots)
        self.orders.end(applied)

    def _prevented(self, applied: Applied) -> None:
        event = applied.event
        self._change_reserve(applied, -event.quantity_lots)
        if event.leaves_lots:
            self.orders.decrement(applied)
        else:
            self.orders.end(applied)
        day = self._day(event.instrument)
        day.prevented_lots += event.quantity_lots
        # If one self-trade affects both orders, it makes two events, the second with the order ids exchanged: count it once.
        if self._pair == (event.seq, event.maker_order_id, event.order_id):
            self._pair = None
        else:
            self._pair = (event.seq, event.order_id, event.maker_order_id)
            day.prevented += 1

    def _level(self, applied: Applied) -> None:
        event = applied.event
        self.levels[event.instrument, event.side, event.price_ticks] = event.quantity_lots, event.number

    def _change_reserve(self, applied: Applied, lots: int) -> None:
        """Like `_reserve`, of an order that had been entered before."""
        event, command, _ = applied
        self._reserve(event, lots)
        change = (event.reserve_fen, 0) if event.side == Side.BUY else (0, lots)
        if not any(change):
            return
        key = event.account, event.seq, event.order_id, event.kind
        row = self.reserves.setdefault(key, [command.time_ns, event.instrument, 0, 0])
        row[2] += change[0]
        row[3] += change[1]

    def _reserve(self, event: Event, lots: int) -> None:
        """Adds to the reserve of an order's account: the event's reserve_fen for a buy, lots for a sell."""
        if event.side == Side.BUY:
            self._move_cash(event.account, 0, event.reserve_fen)
        else:
            self._move_lots(event.account, event.instrument, 0, lots)

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

    def _day(self, instrument: int) -> DayTurnover:
        day = self.turnover.get((self._trading_date, instrument))
        if day is None:
            day = self.turnover[self._trading_date, instrument] = DayTurnover()
        return day

    def _administered(self, applied: Applied) -> None:
        self._execute(STATEMENTS[applied.event.kind](applied))

    def _instrument_described(self, applied: Applied) -> None:
        self._administered(applied)
        self._execute(keep_texts(applied))

    def _execute(self, statement: Statement | None) -> None:
        if statement is not None:
            self.statements.append(statement)

    def _recorded(self, applied: Applied) -> None:
        event, command, attachment = applied
        match read_decision(attachment):
            case TradesDecided() as text:
                told = text.decision, text.finding, text.reason, text.name
                trade_ids = tuple(dict.fromkeys(text.trade_ids))
                self.verdicts.append(DecidedTrades(event.seq, command.time_ns, command.actor, *told, trade_ids))
            case ProposalConfirmed(commands=commands) if self._refused_seq >= event.seq - commands:
                pass  # The engine refused the act: the proposal still waits.
            case _:
                self._administered(applied)

    def _balance_changed(self, applied: Applied) -> None:
        event, command, _ = applied
        if command.kind in (CommandKind.DEPOSIT, CommandKind.WITHDRAW):
            self._move_cash(event.account, event.amount_fen, 0)
            moved = event.account, event.amount_fen, command.actor
            self.cash_movements.append((event.seq, command.time_ns, self._trading_date, *moved))
        else:
            lots = event.account, event.instrument, event.quantity_lots
            self.goods.append((event.seq, command.time_ns, self._trading_date, *lots, command.actor))
            self._move_lots(*lots, 0)

    def _kill_switch_set(self, applied: Applied) -> None:
        if applied.event.account:
            self._administered(applied)
        else:
            self._kill_switch = applied.event.number

    def _day_rolled(self, applied: Applied) -> None:
        event, command, _ = applied
        self._ended_date, self._trading_date = self._trading_date, event.date
        self.days[event.date] = event.seq, command.time_ns

    def _settled(self, applied: Applied) -> None:
        event = applied.event
        self._administered(applied)
        if self._ended_date:  # 0 at the first day roll: no day has ended
            self.settlements[self._ended_date, event.instrument] = event.price_ticks, event.number

    # Functions, not bound methods: as those of an instance they would refer to it, and its rows would wait for a full garbage
    # collection.
    _HANDLERS: ClassVar[dict[int, Callable[[WriteBatch, Applied], None]]] = {
        **dict.fromkeys(STATEMENTS, _administered),
        EventKind.INSTRUMENT_LISTED: _instrument_described,
        EventKind.INSTRUMENT_CHANGED: _instrument_described,
        EventKind.ACCEPTED: _accepted,
        EventKind.REJECTED: _rejected,
        EventKind.REPLACED: _replaced,
        EventKind.TRIGGERED: _triggered,
        EventKind.TRADE: _trade,
        EventKind.CANCELED: _ended,
        EventKind.SELF_TRADE_PREVENTED: _prevented,
        EventKind.EXPIRED: _ended,
        EventKind.LEVEL: _level,
        EventKind.TRADE_BUSTED: _busted,
        EventKind.BALANCE_CHANGED: _balance_changed,
        EventKind.KILL_SWITCH_SET: _kill_switch_set,
        EventKind.DAY_ROLLED: _day_rolled,
        EventKind.SETTLED: _settled,
        EventKind.RECORDED: _recorded,
    }
