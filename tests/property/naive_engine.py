"""The engine once more, as plainly as possible: dictionaries, lists and whole numbers, one rule after another.

It is the oracle that `Engine` is compared with, event for event and state hash for state hash, and it has the same public
surface. It shares the records, the limits and the layout of a state with the engine, and no rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from matching_engine import limits, state
from matching_engine.faults import EngineFault, Fault
from matching_engine.records import (
    ALL_INSTRUMENTS,
    EVENT,
    MAX_AMOUNT_FEN,
    MAX_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    MAX_RATE_PPM,
    VENUE,
    Command,
    CommandKind,
    Event,
    EventKind,
    OrderType,
    Phase,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
    band,
    pack_commands,
    unpack_commands,
)


@dataclass
class Account:
    owner: int
    account_class: int = 0
    cash: int = 0
    reserved: int = 0


@dataclass
class Holding:
    lots: int = 0
    reserved: int = 0


@dataclass
class Instrument:
    tick_value: int
    reference: int
    band_ppm: int
    max_quantity: int
    phase: int
    halted: bool
    received: int = 0
    day_lots: int = 0
    day_amount: int = 0
    sides: tuple[dict[int, list[Order]], dict[int, list[Order]]] = field(default_factory=lambda: ({}, {}))

    def edges(self) -> tuple[int, int]:
        low, high = band(self.reference, self.band_ppm)
        return low, min(high, MAX_PRICE_TICKS)


@dataclass
class Order:
    order_id: int
    account: int
    owner: int
    instrument: int
    side: int
    price: int
    leaves: int
    lot_reserve: int
    time_in_force: int


@dataclass
class ClientId:
    order_id: int
    digest: int
    day: int


Level = tuple[int, int, int]
"""instrument, side, price"""


def body_digest(c: Command) -> int:
    """64 bits that tell one order's body from another's."""
    kinds = c.side << 16 | c.order_type << 24 | c.time_in_force << 32 | c.self_trade << 40 | c.flags << 48
    words = (
        c.instrument | kinds,
        c.reserved_u2 | c.reserved_u4 << 16,
        c.price_ticks,
        c.quantity_lots,
        c.display_lots,
        c.trigger_ticks,
    )
    digest = 0
    for word in words:
        digest = (digest ^ (word % 2**64)) * 0x9E3779B97F4A7C15 % 2**64
        digest ^= digest >> 32
    return digest


class NaiveEngine:
    def __init__(self) -> None:
        self.last_seq = 0
        self.trading_date = 0
        self.trading_day = 0
        self.maker_rate = 0
        self.taker_rate = 0
        self.venue_phase = int(Phase.CLOSED)
        self.venue_halted = False
        self.deposited = 0
        self.turnover: dict[int, int] = {}
        self.listed: list[Instrument] = []
        self.ledger: dict[int, Account] = {VENUE: Account(owner=VENUE)}
        self.held: dict[tuple[int, int], Holding] = {}
        self.orders: dict[int, Order] = {}
        self.client_ids: dict[tuple[int, bytes], ClientId] = {}
        self.fault: EngineFault | None = None
        self.events: list[Event] = []

    # The public surface

    def process(self, commands: Any) -> Any:
        """The EVENT array of a COMMAND array."""
        events = [event for command in unpack_commands(commands.tobytes()) for event in self.submit(command)]
        return np.array(events, dtype=EVENT)

    def submit(self, command: Command) -> list[Event]:
        """The events of one command."""
        if self.fault is not None:
            raise self.fault
        if command.seq != self.last_seq + 1:
            self.fault = EngineFault(Fault.NOT_IN_SEQUENCE, command.seq)
            raise self.fault
        (c,) = unpack_commands(pack_commands([command]))
        self.last_seq = c.seq
        self.events = []
        self.apply(c)
        self.check_sums()
        return self.events

    @property
    def instruments(self) -> int:
        return len(self.listed)

    @property
    def accounts(self) -> int:
        return len(self.ledger)

    def turnover_fen(self, year: int) -> int:
        return self.turnover.get(year, 0)

    def cash(self, account: int) -> tuple[int, int]:
        row = self.ledger[account]
        return row.cash, row.reserved

    def holding(self, account: int, instrument: int) -> tuple[int, int]:
        row = self.held.get((account, instrument), Holding())
        return row.lots, row.reserved

    def phase(self, instrument: int) -> int:
        row = self.listed[instrument]
        return int(Phase.HALTED) if row.halted else row.phase

    def state_hash(self) -> str:
        return state.state_hash(self.state())

    def state(self) -> state.State:
        venue = (
            self.last_seq,
            self.trading_date,
            self.trading_day,
            self.maker_rate,
            self.taker_rate,
            self.venue_phase,
            self.venue_halted,
        )
        ended = dict(self.turnover)
        ended[self.trading_date // 10_000] = self.turnover_fen(self.trading_date // 10_000) - sum(
            instrument.day_amount for instrument in self.listed
        )
        years = [(year, fen % 2**64, fen >> 64) for year, fen in sorted(ended.items()) if fen]
        instruments = [
            (i.tick_value, i.reference, i.max_quantity, i.day_lots, i.day_amount, i.band_ppm, i.phase, i.halted)
            for i in self.listed
        ]
        accounts = [(a.cash, a.reserved, a.owner, a.account_class) for _, a in sorted(self.ledger.items())]
        holdings = [(*key, h.lots, h.reserved) for key, h in sorted(self.held.items()) if h.lots]
        orders = [
            (o.order_id, o.price, o.leaves, o.lot_reserve, o.account, o.instrument, o.side, o.time_in_force)
            for o in self.resting()
        ]
        ids = [(i, account, e.order_id, e.digest, e.day) for (account, i), e in self.client_ids.items()]
        return state.State(
            np.array([venue], state.VENUE_STATE),
            np.array(years, state.YEAR_STATE),
            np.array(instruments, state.INSTRUMENT_STATE),
            np.array(accounts, state.ACCOUNT_STATE),
            np.array(holdings, state.HOLDING_STATE),
            np.array(orders, state.ORDER_STATE),
            np.array(sorted(ids, key=lambda row: row[2]), state.CLIENT_ID_STATE),
        )

    def resting(self) -> list[Order]:
        """The open orders by instrument, side, best price first, then place in the queue."""
        return [
            order
            for instrument in self.listed
            for side in (Side.BUY, Side.SELL)
            for price in sorted(instrument.sides[side], reverse=side == Side.BUY)
            for order in instrument.sides[side][price]
        ]

    # One command

    def apply(self, c: Command) -> None:
        rules = {
            CommandKind.NEW_ORDER: self.new_order,
            CommandKind.CANCEL: self.cancel,
            CommandKind.OPEN_ACCOUNT: self.open_account,
            CommandKind.DEPOSIT: self.deposit,
            CommandKind.WITHDRAW: self.withdraw,
            CommandKind.RECEIVE: self.receive,
            CommandKind.RELEASE: self.release,
            CommandKind.LIST_INSTRUMENT: self.list_instrument,
            CommandKind.SET_FEES: self.set_fees,
            CommandKind.SET_PHASE: self.set_phase,
            CommandKind.HALT: self.halt,
            CommandKind.RESUME: self.resume,
            CommandKind.DAY_ROLL: self.day_roll,
            CommandKind.RECORD: self.record,
        }
        if c.kind not in rules:
            self.reject(c, Reason.UNKNOWN_COMMAND)
        else:
            rules[CommandKind(c.kind)](c)

    def emit(self, kind: EventKind, **fields: int) -> None:
        self.events.append(Event(seq=self.last_seq, kind=int(kind), **{name: int(fields[name]) for name in fields}))

    def reject(self, c: Command, reason: Reason, order_id: int = 0) -> None:
        self.emit(
            EventKind.REJECTED,
            reason=reason,
            order_id=order_id,
            account=c.account,
            instrument=c.instrument,
            side=c.side,
            price_ticks=c.price_ticks,
            quantity_lots=c.quantity_lots,
        )

    def check_sums(self) -> None:
        if sum(row.cash for row in self.ledger.values()) != self.deposited:
            self.fault = EngineFault(Fault.CASH_NOT_CONSERVED, self.last_seq)
        for number, instrument in enumerate(self.listed):
            held = sum(row.lots for (_, listed), row in self.held.items() if listed == number)
            if held != instrument.received:
                self.fault = EngineFault(Fault.INVENTORY_NOT_CONSERVED, self.last_seq)
        for row in self.ledger.values():
            if not 0 <= row.reserved <= row.cash:
                self.fault = EngineFault(Fault.OVERDRAWN, self.last_seq)
        if self.fault is not None:
            raise self.fault

    # Orders

    def new_order(self, c: Command) -> None:
        order_id = c.seq
        if c.account not in self.ledger:
            self.reject(c, Reason.UNKNOWN_ACCOUNT, order_id)
            return
        if c.client_order_id:
            key = (c.account, c.client_order_id)
            earlier = self.client_ids.get(key)
            if earlier is not None and earlier.digest == body_digest(c):
                self.emit(EventKind.REPEATED, order_id=earlier.order_id, account=c.account)
                return
            if earlier is not None:
                self.reject(c, Reason.CLIENT_ORDER_ID_REUSED, order_id)
                return
            self.client_ids[key] = ClientId(order_id, body_digest(c), self.trading_day)
        reason = self.refusal(c)
        if reason != Reason.NONE:
            self.reject(c, reason, order_id)
            return
        self.accept(c)

    def lot_reserve(self, instrument: Instrument, price: int) -> int:
        """What one lot of a buy reserves at a price: its value and a fee that rounds up."""
        value = price * instrument.tick_value
        rate = max(self.maker_rate, self.taker_rate)
        return value + max(1, -(-value * rate // 1_000_000))

    def refusal(self, c: Command) -> Reason:
        """Why an order of a known account is declined, the first reason that holds."""
        if c.instrument >= len(self.listed):
            return Reason.UNKNOWN_INSTRUMENT
        instrument = self.listed[c.instrument]
        low, high = instrument.edges()
        limit = c.order_type == OrderType.LIMIT
        if c.side not in (Side.BUY, Side.SELL):
            return Reason.INVALID_SIDE
        if c.order_type not in (OrderType.LIMIT, OrderType.MARKET):
            return Reason.INVALID_ORDER_TYPE
        if c.time_in_force not in (
            (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC) if limit else (TimeInForce.IOC,)
        ):
            return Reason.INVALID_TIME_IN_FORCE
        if c.self_trade != SelfTrade.CANCEL_NEWEST:
            return Reason.INVALID_SELF_TRADE
        if c.flags or c.display_lots or c.trigger_ticks or c.reserved_u2 or c.reserved_u4:
            return Reason.INVALID_OPTION
        if not 1 <= c.quantity_lots <= instrument.max_quantity:
            return Reason.INVALID_QUANTITY
        if (not 1 <= c.price_ticks <= MAX_PRICE_TICKS) if limit else (c.price_ticks != 0):
            return Reason.INVALID_PRICE
        if c.time_in_force != TimeInForce.IOC and len(self.orders) >= limits.MAX_OPEN_ORDERS:
            return Reason.TOO_MANY
        if instrument.phase != Phase.CONTINUOUS:
            return Reason.MARKET_CLOSED
        if instrument.halted:
            return Reason.INSTRUMENT_HALTED
        if limit and c.price_ticks > high:
            return Reason.PRICE_ABOVE_BAND
        if limit and c.price_ticks < low:
            return Reason.PRICE_BELOW_BAND
        price = c.price_ticks if limit else high
        value = c.quantity_lots * price * instrument.tick_value
        reserve = c.quantity_lots * self.lot_reserve(instrument, price)
        if (reserve if c.side == Side.BUY else value) > MAX_AMOUNT_FEN:
            return Reason.VALUE_TOO_LARGE
        if instrument.day_amount > limits.MAX_DAY_AMOUNT_FEN:
            return Reason.VALUE_TOO_LARGE
        account = self.ledger[c.account]
        if c.side == Side.BUY and account.cash - account.reserved < reserve:
            return Reason.INSUFFICIENT_FUNDS
        lots, reserved = self.holding(c.account, c.instrument)
        if c.side == Side.SELL and lots - reserved < c.quantity_lots:
            return Reason.INSUFFICIENT_INVENTORY
        return Reason.NONE

    def accept(self, c: Command) -> None:
        instrument = self.listed[c.instrument]
        price = c.price_ticks if c.order_type == OrderType.LIMIT else instrument.edges()[1]
        order = Order(
            order_id=c.seq,
            account=c.account,
            owner=self.ledger[c.account].owner,
            instrument=c.instrument,
            side=c.side,
            price=c.price_ticks,
            leaves=c.quantity_lots,
            lot_reserve=self.lot_reserve(instrument, price) if c.side == Side.BUY else 0,
            time_in_force=c.time_in_force,
        )
        self.reserve(order, order.leaves)
        self.emit(
            EventKind.ACCEPTED,
            order_id=c.seq,
            account=c.account,
            instrument=c.instrument,
            side=c.side,
            order_type=c.order_type,
            price_ticks=c.price_ticks,
            quantity_lots=c.quantity_lots,
            leaves_lots=c.quantity_lots,
            reserve_fen=order.leaves * order.lot_reserve,
        )
        touched: list[Level] = []
        own = self.match(order, c.order_type, touched)
        if own is not None:
            self.end(order, EventKind.PREVENTED, Reason.SELF_TRADE, maker_order_id=own.order_id)
        elif order.leaves and c.order_type == OrderType.MARKET:
            self.end(order, EventKind.CANCELED, Reason.NO_LIQUIDITY)
        elif order.leaves and c.time_in_force == TimeInForce.IOC:
            self.end(order, EventKind.CANCELED, Reason.IMMEDIATE_OR_CANCEL)
        elif order.leaves:
            self.orders[order.order_id] = order
            instrument.sides[c.side].setdefault(c.price_ticks, []).append(order)
            touched.append((c.instrument, c.side, c.price_ticks))
        self.emit_levels(touched)

    def match(self, order: Order, order_type: int, touched: list[Level]) -> Order | None:
        """Trades while prices cross, best price first and oldest order first; returns an own order met on the way."""
        makers = self.listed[order.instrument].sides[1 - order.side]
        trades = 0
        while order.leaves and makers:
            price = min(makers) if order.side == Side.BUY else max(makers)
            crosses = price <= order.price if order.side == Side.BUY else price >= order.price
            if order_type == OrderType.LIMIT and not crosses:
                return None
            maker = makers[price][0]
            if maker.owner == order.owner:
                return maker
            trades += 1
            touched.append((order.instrument, maker.side, price))
            self.trade(order, maker, trades)
            if maker.leaves == 0:
                self.forget(maker)
        return None

    def trade(self, taker: Order, maker: Order, number: int) -> None:
        instrument = self.listed[taker.instrument]
        lots = min(taker.leaves, maker.leaves)
        amount = lots * maker.price * instrument.tick_value
        buyer, seller = (taker, maker) if taker.side == Side.BUY else (maker, taker)
        released = lots * buyer.lot_reserve
        fees = {}
        for order, rate in ((taker, self.taker_rate), (maker, self.maker_rate)):
            fee = max(1, (amount * rate + 500_000) // 1_000_000)
            fees[order.order_id] = min(fee, released - amount) if order is buyer else fee
        self.ledger[buyer.account].cash -= amount + fees[buyer.order_id]
        self.ledger[buyer.account].reserved -= released
        self.ledger[seller.account].cash += amount - fees[seller.order_id]
        self.ledger[VENUE].cash += sum(fees.values())
        self.held.setdefault((buyer.account, taker.instrument), Holding()).lots += lots
        self.held[seller.account, taker.instrument].lots -= lots
        self.held[seller.account, taker.instrument].reserved -= lots
        instrument.day_lots += lots
        instrument.day_amount += amount
        year = self.trading_date // 10_000
        self.turnover[year] = self.turnover.get(year, 0) + amount
        taker.leaves -= lots
        maker.leaves -= lots
        self.emit(
            EventKind.TRADE,
            order_id=taker.order_id,
            account=taker.account,
            maker_order_id=maker.order_id,
            maker_account=maker.account,
            instrument=taker.instrument,
            side=taker.side,
            price_ticks=maker.price,
            quantity_lots=lots,
            leaves_lots=taker.leaves,
            amount_fen=amount,
            fee_fen=fees[taker.order_id],
            maker_fee_fen=fees[maker.order_id],
            reserve_fen=-released,
            number=number,
        )

    def reserve(self, order: Order, lots: int) -> None:
        """Reserves what `lots` of the order need, or releases it where lots is negative."""
        if order.side == Side.BUY:
            self.ledger[order.account].reserved += lots * order.lot_reserve
        else:
            self.held[order.account, order.instrument].reserved += lots

    def end(self, order: Order, kind: EventKind, reason: Reason, maker_order_id: int = 0) -> None:
        """What remains of an order is canceled and its reserve released."""
        self.reserve(order, -order.leaves)
        self.emit(
            kind,
            reason=reason,
            order_id=order.order_id,
            maker_order_id=maker_order_id,
            account=order.account,
            instrument=order.instrument,
            side=order.side,
            price_ticks=order.price,
            quantity_lots=order.leaves,
            reserve_fen=-order.leaves * order.lot_reserve,
        )

    def forget(self, order: Order) -> None:
        """Takes an order off the book."""
        level = self.listed[order.instrument].sides[order.side]
        level[order.price].remove(order)
        if not level[order.price]:
            del level[order.price]
        del self.orders[order.order_id]

    def emit_levels(self, touched: list[Level]) -> None:
        for instrument, side, price in dict.fromkeys(touched):
            queue = self.listed[instrument].sides[side].get(price, [])
            total = sum(order.leaves for order in queue)
            self.emit(
                EventKind.LEVEL,
                instrument=instrument,
                side=side,
                price_ticks=price,
                quantity_lots=total,
                number=len(queue),
            )

    def cancel(self, c: Command) -> None:
        if c.account != 0 and c.account not in self.ledger:
            self.reject(c, Reason.UNKNOWN_ACCOUNT, c.order_id)
            return
        target = c.order_id
        if target == 0 and c.client_order_id and (c.account, c.client_order_id) in self.client_ids:
            target = self.client_ids[c.account, c.client_order_id].order_id
        order = self.orders.get(target)
        if order is None or c.account not in (0, order.account):
            self.reject(c, Reason.UNKNOWN_ORDER, target)
            return
        self.end(order, EventKind.CANCELED, Reason.REQUESTED)
        self.forget(order)
        self.emit_levels([(order.instrument, order.side, order.price)])

    # Accounts

    def open_account(self, c: Command) -> None:
        if len(self.ledger) >= limits.MAX_ACCOUNTS:
            self.reject(c, Reason.TOO_MANY)
            return
        account = len(self.ledger) + 1
        self.ledger[account] = Account(owner=c.owner or account, account_class=c.account_class)
        self.emit(EventKind.ACCOUNT_OPENED, account=account)

    def deposit(self, c: Command) -> None:
        if c.account not in self.ledger:
            self.reject(c, Reason.UNKNOWN_ACCOUNT)
        elif c.amount_fen < 1 or self.deposited + c.amount_fen > MAX_AMOUNT_FEN:
            self.reject(c, Reason.INVALID_AMOUNT)
        else:
            self.change_cash(c, c.amount_fen)

    def withdraw(self, c: Command) -> None:
        account = self.ledger.get(c.account)
        if account is None:
            self.reject(c, Reason.UNKNOWN_ACCOUNT)
        elif not 1 <= c.amount_fen <= MAX_AMOUNT_FEN:
            self.reject(c, Reason.INVALID_AMOUNT)
        elif account.cash - account.reserved < c.amount_fen:
            self.reject(c, Reason.INSUFFICIENT_FUNDS)
        else:
            self.change_cash(c, -c.amount_fen)

    def change_cash(self, c: Command, amount: int) -> None:
        self.ledger[c.account].cash += amount
        self.deposited += amount
        self.emit(EventKind.BALANCE_CHANGED, account=c.account, amount_fen=amount)

    def receive(self, c: Command) -> None:
        if c.account not in self.ledger:
            self.reject(c, Reason.UNKNOWN_ACCOUNT)
        elif c.instrument >= len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
        elif c.quantity_lots < 1 or self.listed[c.instrument].received + c.quantity_lots > limits.MAX_HELD_LOTS:
            self.reject(c, Reason.INVALID_QUANTITY)
        else:
            self.change_lots(c, c.quantity_lots)

    def release(self, c: Command) -> None:
        lots, reserved = self.holding(c.account, c.instrument)
        if c.account not in self.ledger:
            self.reject(c, Reason.UNKNOWN_ACCOUNT)
        elif c.instrument >= len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
        elif not 1 <= c.quantity_lots <= limits.MAX_HELD_LOTS:
            self.reject(c, Reason.INVALID_QUANTITY)
        elif lots - reserved < c.quantity_lots:
            self.reject(c, Reason.INSUFFICIENT_INVENTORY)
        else:
            self.change_lots(c, -c.quantity_lots)

    def change_lots(self, c: Command, lots: int) -> None:
        self.held.setdefault((c.account, c.instrument), Holding()).lots += lots
        self.listed[c.instrument].received += lots
        self.emit(EventKind.BALANCE_CHANGED, account=c.account, instrument=c.instrument, quantity_lots=lots)

    # The venue

    def list_instrument(self, c: Command) -> None:
        if c.instrument != len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
        elif not 1 <= c.quantity_lots <= MAX_QUANTITY_LOTS:
            self.reject(c, Reason.INVALID_QUANTITY)
        elif not 1 <= c.price_ticks <= MAX_PRICE_TICKS:
            self.reject(c, Reason.INVALID_PRICE)
        elif not 1 <= c.amount_fen <= limits.MAX_TICK_VALUE_FEN:
            self.reject(c, Reason.INVALID_AMOUNT)
        elif c.rate_ppm > MAX_RATE_PPM:
            self.reject(c, Reason.INVALID_RATE)
        elif len(self.listed) >= limits.MAX_INSTRUMENTS:
            self.reject(c, Reason.TOO_MANY)
        else:
            self.listed.append(
                Instrument(
                    tick_value=c.amount_fen,
                    reference=c.price_ticks,
                    band_ppm=c.rate_ppm,
                    max_quantity=c.quantity_lots,
                    phase=self.venue_phase,
                    halted=self.venue_halted,
                )
            )
            self.emit(EventKind.INSTRUMENT_LISTED, instrument=c.instrument, price_ticks=c.price_ticks)
            if self.phase(c.instrument) != Phase.CLOSED:
                self.emit(EventKind.PHASE_CHANGED, instrument=c.instrument, phase=self.phase(c.instrument))

    def set_fees(self, c: Command) -> None:
        if c.rate_ppm > MAX_RATE_PPM or c.taker_rate_ppm > MAX_RATE_PPM:
            self.reject(c, Reason.INVALID_RATE)
        else:
            self.maker_rate = c.rate_ppm
            self.taker_rate = c.taker_rate_ppm
            self.emit(EventKind.FEES_SET)

    def set_phase(self, c: Command) -> None:
        if c.instrument != ALL_INSTRUMENTS and c.instrument >= len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
        elif c.phase not in (Phase.CLOSED, Phase.CONTINUOUS):
            self.reject(c, Reason.INVALID_PHASE)
        else:
            if c.instrument == ALL_INSTRUMENTS:
                self.venue_phase = c.phase
            for instrument in self.meant(c):
                instrument.phase = c.phase
            self.phase_changed(c)

    def halt(self, c: Command) -> None:
        self.set_halted(c, True)

    def resume(self, c: Command) -> None:
        self.set_halted(c, False)

    def set_halted(self, c: Command, halted: bool) -> None:
        if c.instrument != ALL_INSTRUMENTS and c.instrument >= len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
            return
        if c.instrument == ALL_INSTRUMENTS:
            self.venue_halted = halted
        for instrument in self.meant(c):
            instrument.halted = halted
        self.phase_changed(c)

    def meant(self, c: Command) -> list[Instrument]:
        return self.listed if c.instrument == ALL_INSTRUMENTS else [self.listed[c.instrument]]

    def phase_changed(self, c: Command) -> None:
        """What is true from now on; with ALL_INSTRUMENTS the venue's phase, then each instrument that differs from it."""
        if c.instrument != ALL_INSTRUMENTS:
            self.emit(EventKind.PHASE_CHANGED, instrument=c.instrument, phase=self.phase(c.instrument))
            return
        venue = int(Phase.HALTED) if self.venue_halted else self.venue_phase
        self.emit(EventKind.PHASE_CHANGED, instrument=ALL_INSTRUMENTS, phase=venue)
        for number in range(len(self.listed)):
            if self.phase(number) != venue:
                self.emit(EventKind.PHASE_CHANGED, instrument=number, phase=self.phase(number))

    def record(self, c: Command) -> None:
        self.emit(EventKind.RECORDED)

    # The day roll

    def day_roll(self, c: Command) -> None:
        year, month, day = c.date // 10_000, c.date // 100 % 100, c.date % 100
        if not (c.date > self.trading_date and year <= 9999 and 1 <= month <= 12 and 1 <= day <= 31):
            self.reject(c, Reason.INVALID_DATE)
            return
        self.trading_date = c.date
        self.trading_day += 1
        self.emit(EventKind.DAY_ROLLED, date=c.date)
        for number, instrument in enumerate(self.listed):
            self.settle(number, instrument)
        touched = []
        for order in self.resting():
            low, high = self.listed[order.instrument].edges()
            if order.time_in_force == TimeInForce.DAY:
                self.end(order, EventKind.EXPIRED, Reason.END_OF_DAY)
            elif not low <= order.price <= high:
                self.end(order, EventKind.CANCELED, Reason.OUTSIDE_BAND)
            else:
                continue
            self.forget(order)
            touched.append((order.instrument, order.side, order.price))
        self.emit_levels(touched)
        self.sweep_client_ids()

    def settle(self, number: int, instrument: Instrument) -> None:
        if instrument.day_lots:
            value_of_a_tick = instrument.day_lots * instrument.tick_value
            instrument.reference = (2 * instrument.day_amount + value_of_a_tick) // (2 * value_of_a_tick)
        self.emit(
            EventKind.SETTLED,
            instrument=number,
            price_ticks=instrument.reference,
            quantity_lots=instrument.day_lots,
            amount_fen=instrument.day_amount,
        )
        instrument.day_lots = 0
        instrument.day_amount = 0

    def sweep_client_ids(self) -> None:
        for key, entry in list(self.client_ids.items()):
            if entry.order_id in self.orders:
                entry.day = self.trading_day
            elif self.trading_day - entry.day > limits.CLIENT_ID_TRADING_DAYS:
                del self.client_ids[key]
