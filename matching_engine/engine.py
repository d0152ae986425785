"""The exchange as one state machine: COMMAND records in, EVENT records out, nothing else read or written.

    engine = Engine()
    events = engine.process(commands)     # numpy arrays of records.COMMAND and records.EVENT

The same commands make the same events and the same `state_hash` on any machine, however they are cut into calls. Whatever
its bytes, a command is carried out or answered by REJECTED with a reason, the first that applies in the order of
`Reason`; it is checked completely before anything changes. `records` says what fields mean and how events are ordered.

Rules that the records leave open:

* A client order id is looked up as soon as the account is known, so every later refusal uses the id up. It is kept
  while its order is open and for CLIENT_ID_TRADING_DAYS trading days after.
* A buy may pay less than it reserved and never more: should the fee rates rise while it rests, its own fee is capped at
  what its reserve holds.
* PHASE_CHANGED says what is true from now on. For ALL_INSTRUMENTS it says the venue's phase, and one more event follows
  for each instrument whose phase differs. A new instrument begins in the venue's phase: where that isn't CLOSED, a
  PHASE_CHANGED follows INSTRUMENT_LISTED.
* A day roll settles the instruments in turn and then ends DAY orders (EXPIRED) and GTC orders outside the new band
  (CANCELED), by instrument, buys first, best price first, oldest first.

A state that cannot be is a fault: `process` raises EngineFault, and so does every later call.
"""

from __future__ import annotations

from typing import Any

import cython
import numpy as np

from matching_engine import state
from matching_engine.accounts import Accounts
from matching_engine.client_ids import ClientIds
from matching_engine.event_log import EventLog
from matching_engine.faults import EngineFault
from matching_engine.instruments import Instruments
from matching_engine.order_book import OrderBook
from matching_engine.records import COMMAND, Command, Event, pack_commands, unpack_events
from matching_engine.turnover import Turnover

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.accounts import fee_fen, lot_reserve_fen
    from matching_engine.client_ids import is_empty, mix
    from matching_engine.faults import Fault
    from matching_engine.limits import (
        CLIENT_ID_TRADING_DAYS,
        MAX_ACCOUNTS,
        MAX_DAY_AMOUNT_FEN,
        MAX_HELD_LOTS,
        MAX_INSTRUMENTS,
        MAX_OPEN_ORDERS,
        MAX_TICK_VALUE_FEN,
    )
    from matching_engine.pools import NIL, WORD
    from matching_engine.records import (
        ALL_INSTRUMENTS,
        MAX_AMOUNT_FEN,
        MAX_PRICE_TICKS,
        MAX_QUANTITY_LOTS,
        MAX_RATE_PPM,
        CommandKind,
        EventKind,
        OrderType,
        Phase,
        Reason,
        SelfTrade,
        Side,
        TimeInForce,
    )

    CHUNK = 256  # commands that room is made for at a time


class Engine:
    """The whole venue: order books, accounts, instruments, client order ids, the trading day."""

    def __init__(self) -> None:
        self.book = OrderBook(MAX_INSTRUMENTS)
        self.ledger = Accounts()
        self.client_ids = ClientIds()
        self.listed = Instruments()
        self.turnover = Turnover()
        self.log = EventLog()
        self.last_seq = 0
        self.trading_date = 0
        self.trading_day = 0
        self.maker_rate_ppm = 0
        self.taker_rate_ppm = 0
        self._fault = 0
        self._fault_seq = 0

    # Commands

    def process(self, commands: Any) -> Any:
        """Runs a COMMAND array and returns the EVENT array. `seq` must go on from `last_seq` without a gap.

        Raises EngineFault for an impossible state, ValueError for an array of another dtype or shape, and MemoryError,
        after which the commands up to `last_seq` are done and their events lost.
        """
        if commands.dtype != COMMAND or commands.ndim != 1:
            raise ValueError("commands must be a one-dimensional COMMAND array")
        self.log.size = 0
        if cython.compiled:
            self._run(np.ascontiguousarray(commands))
        else:
            self._run([Command._make(row) for row in commands.tolist()])
        return self.log.take()

    def submit(self, command: Command) -> list[Event]:
        """Runs one command. Raises as `process` does, and `struct.error` for a value its field cannot hold."""
        events = self.process(np.frombuffer(pack_commands([command]), COMMAND))
        return list(unpack_events(events.tobytes()))

    def _run(self, commands: Any) -> int:
        count = len(commands)
        done = 0
        self._stop_at_fault()
        while done < count:
            stop = min(done + CHUNK, count)
            self._reserve(stop - done)
            with cython.nogil:
                while done < stop and self._fault == 0:
                    if cython.compiled:
                        self._apply(cython.address(commands[done]))
                    else:
                        self._apply(commands[done])
                    done += 1
            self._stop_at_fault()
        self._set_fault(self.ledger.broken_law(self.listed.count), self.last_seq)
        self._stop_at_fault()
        return 0

    def _reserve(self, commands: int) -> int:
        """Makes room for what so many commands may add, so that nothing can fail while they run.

        A trade takes an order off the book or is its command's last, and touches one level; a day roll ends resting
        orders; what else a command says is at most one event for each instrument and a few of its own.
        """
        self.book.reserve(commands)
        self.ledger.reserve(commands)
        self.client_ids.reserve(commands)
        self.turnover.reserve(commands)
        instruments = min(self.listed.count + commands, MAX_INSTRUMENTS)
        self.log.reserve(2 * self.book.ids.count + commands * (instruments + 8))
        return 0

    def _stop_at_fault(self) -> int:
        if self._fault:
            raise EngineFault(self._fault, self._fault_seq)
        return 0

    def _set_fault(self, fault: int, seq: int) -> None:
        if fault != Fault.NONE:
            self._fault = fault
            self._fault_seq = seq

    # Views

    @property
    def instruments(self) -> int:
        """The number of listed instruments."""
        return self.listed.count

    @property
    def accounts(self) -> int:
        """The number of accounts, VENUE among them."""
        return self.ledger.count

    def cash(self, account: int) -> tuple[int, int]:
        """(cash, what of it is reserved), in fen. Raises KeyError for an unknown account."""
        return self.ledger.cash(account)

    def holding(self, account: int, instrument: int) -> tuple[int, int]:
        """(lots held, what of them is reserved); (0, 0) where there never were any."""
        if not (self.ledger.knows(account) and 0 <= instrument < self.listed.count):
            return 0, 0
        return self.ledger.holding(account, instrument)

    def phase(self, instrument: int) -> int:
        """The phase an instrument is in. Raises IndexError for one that isn't listed."""
        if not 0 <= instrument < self.listed.count:
            raise IndexError(instrument)
        return self.listed.phase(instrument)

    def turnover_fen(self, year: int) -> int:
        """The single-sided turnover of a calendar year's trading days; year 0 is before the first day roll."""
        turnover = self.turnover.of(year)
        if year == self.trading_date // 10_000:
            for i in range(self.listed.count):
                turnover += int(self.listed.rows[i].day_amount_fen)
        return turnover

    def state_hash(self) -> str:
        """BLAKE2b-256 over everything that determines the engine's future, in hexadecimal."""
        return state.state_hash(self.state())

    def state(self) -> state.State:
        """Everything that determines the engine's future, in its canonical order."""
        venue = (
            self.last_seq, self.trading_date, self.trading_day, self.maker_rate_ppm, self.taker_rate_ppm,
            self.listed.venue_phase, self.listed.venue_halted,
        )  # fmt: skip
        slots, prices = self._queues()
        ids = self.client_ids
        return state.State(
            np.array([venue], state.VENUE_STATE),
            state.section(state.YEAR_STATE, self.turnover.rows, range(1, self.turnover.count + 1)),
            state.section(state.INSTRUMENT_STATE, self.listed.rows, range(self.listed.count)),
            state.section(state.ACCOUNT_STATE, self.ledger.rows, range(1, self.ledger.count + 1)),
            np.array(self.ledger.all_holdings(), state.HOLDING_STATE),
            state.section(
                state.ORDER_STATE, self.book.orders, slots,
                price_ticks=prices, leaves_lots="quantity_lots", lot_reserve_fen="tag",
            ),
            state.section(
                state.CLIENT_ID_STATE, ids.rows, range(1, ids.count + 1),
                client_order_id=ids.texts(),
            ),
        )  # fmt: skip

    def _queues(self) -> tuple[list[int], list[int]]:
        """Slots and prices of the open orders: by instrument, side, best price first, place in the queue."""
        slots = []
        prices = []
        for side_number in range(2 * self.listed.count):
            level = self.book.levels.best(side_number)
            while level != NIL:
                slot = self.book.levels.rows[level].head
                while slot != NIL:
                    slots.append(slot)
                    prices.append(self.book.levels.price(side_number, level))
                    slot = self.book.orders[slot].next
                level = self.book.levels.next(level)
        return slots, prices

    # One command: `c` points to it

    def _apply(self, c: Command) -> None:
        if c.seq != self.last_seq + 1:
            self._set_fault(Fault.NOT_IN_SEQUENCE, c.seq)
            return
        self.last_seq = c.seq
        kind = c.kind
        if kind == CommandKind.NEW_ORDER:
            self._new_order(c)
        elif kind == CommandKind.CANCEL:
            self._cancel(c)
        elif kind == CommandKind.OPEN_ACCOUNT:
            self._open_account(c)
        elif kind == CommandKind.DEPOSIT or kind == CommandKind.WITHDRAW:
            self._change_cash(c)
        elif kind == CommandKind.RECEIVE or kind == CommandKind.RELEASE:
            self._change_lots(c)
        elif kind == CommandKind.LIST_INSTRUMENT:
            self._list_instrument(c)
        elif kind == CommandKind.SET_FEES:
            self._set_fees(c)
        elif kind == CommandKind.SET_PHASE or kind == CommandKind.HALT or kind == CommandKind.RESUME:
            self._change_phase(c)
        elif kind == CommandKind.DAY_ROLL:
            self._day_roll(c)
        elif kind == CommandKind.RECORD:
            self.log.add(c.seq, EventKind.RECORDED, Reason.NONE)
        else:
            self._reject(c, Reason.UNKNOWN_COMMAND, 0)
        self._set_fault(self.book.fault, c.seq)
        self._set_fault(self.ledger.broken_law(0), c.seq)

    def _reject(self, c: Command, reason: int, order_id: int) -> None:
        i = self.log.add(c.seq, EventKind.REJECTED, reason)
        self.log.rows[i].order_id = order_id
        self.log.rows[i].account = c.account
        self.log.rows[i].instrument = c.instrument
        self.log.rows[i].side = c.side
        self.log.rows[i].price_ticks = c.price_ticks
        self.log.rows[i].quantity_lots = c.quantity_lots

    # Orders

    def _new_order(self, c: Command) -> None:
        if not self.ledger.knows(c.account):
            self._reject(c, Reason.UNKNOWN_ACCOUNT, c.seq)
            return
        if not is_empty(c.client_order_id) and self._is_repeat(c):
            return
        reason = self._unreadable(c)
        if reason == Reason.NONE:
            reason = self._declined(c)
        if reason != Reason.NONE:
            self._reject(c, reason, c.seq)
            return
        lot_value = self._lot_value(c)
        rate = self.maker_rate_ppm if self.maker_rate_ppm > self.taker_rate_ppm else self.taker_rate_ppm
        lot_reserve = lot_reserve_fen(lot_value, rate) if c.side == Side.BUY else 0
        reason = self._unaffordable(c, lot_value, lot_reserve)
        if reason != Reason.NONE:
            self._reject(c, reason, c.seq)
            return
        self._accept(c, lot_reserve)

    def _is_repeat(self, c: Command) -> bool:
        """Answers an id that was used before; a new one is remembered."""
        digest = self._body_digest(c)
        row = self.client_ids.find(c.account, c.client_order_id)
        if row == NIL:
            self.client_ids.insert(c.account, c.client_order_id, c.seq, digest, self.trading_day)
            return False
        if self.client_ids.rows[row].body_digest != digest:
            self._reject(c, Reason.CLIENT_ORDER_ID_REUSED, c.seq)
            return True
        i = self.log.add(c.seq, EventKind.REPEATED, Reason.NONE)
        self.log.rows[i].order_id = self.client_ids.rows[row].order_id
        self.log.rows[i].account = c.account
        return True

    def _body_digest(self, c: Command) -> int:
        """64 bits of everything an order says besides who sent it and under which id."""
        # A field joins a word as 64 bits before it is shifted.
        kinds = c.side | c.order_type << 8 | (c.time_in_force & WORD) << 16 | (c.self_trade & WORD) << 24
        digest = mix(0, c.instrument | kinds << 16 | (c.flags & WORD) << 48)
        digest = mix(digest, c.reserved_u2 | (c.reserved_u4 & WORD) << 16)
        digest = mix(digest, c.price_ticks & WORD)
        digest = mix(digest, c.quantity_lots & WORD)
        digest = mix(digest, c.display_lots & WORD)
        return mix(digest, c.trigger_ticks & WORD)

    def _unreadable(self, c: Command) -> int:
        """Why an order cannot be read, whatever the market does; NONE if it can."""
        if c.instrument >= self.listed.count:
            return Reason.UNKNOWN_INSTRUMENT
        if c.side > Side.SELL:
            return Reason.INVALID_SIDE
        if c.order_type != OrderType.LIMIT and c.order_type != OrderType.MARKET:
            return Reason.INVALID_ORDER_TYPE
        if c.time_in_force < TimeInForce.DAY or c.time_in_force > TimeInForce.IOC:
            return Reason.INVALID_TIME_IN_FORCE
        if c.order_type == OrderType.MARKET and c.time_in_force != TimeInForce.IOC:
            return Reason.INVALID_TIME_IN_FORCE
        if c.self_trade != SelfTrade.CANCEL_NEWEST:
            return Reason.INVALID_SELF_TRADE
        if c.flags != 0 or c.display_lots != 0 or c.trigger_ticks != 0 or c.reserved_u2 != 0 or c.reserved_u4 != 0:
            return Reason.INVALID_OPTION
        if c.quantity_lots < 1 or c.quantity_lots > self.listed.rows[c.instrument].max_quantity_lots:
            return Reason.INVALID_QUANTITY
        if c.order_type == OrderType.MARKET and c.price_ticks != 0:
            return Reason.INVALID_PRICE
        if c.order_type == OrderType.LIMIT and (c.price_ticks < 1 or c.price_ticks > MAX_PRICE_TICKS):
            return Reason.INVALID_PRICE
        return Reason.NONE

    def _declined(self, c: Command) -> int:
        """Why the venue doesn't take a readable order now, whoever sends it; NONE if it does."""
        if c.time_in_force != TimeInForce.IOC and self.book.ids.count >= MAX_OPEN_ORDERS:
            return Reason.TOO_MANY
        if self.listed.rows[c.instrument].phase != Phase.CONTINUOUS:
            return Reason.MARKET_CLOSED
        if self.listed.rows[c.instrument].halted:
            return Reason.INSTRUMENT_HALTED
        if c.order_type == OrderType.LIMIT:
            if c.price_ticks > self.listed.rows[c.instrument].high_ticks:
                return Reason.PRICE_ABOVE_BAND
            if c.price_ticks < self.listed.rows[c.instrument].low_ticks:
                return Reason.PRICE_BELOW_BAND
        return Reason.NONE

    def _lot_value(self, c: Command) -> int:
        """A lot's value at the order's limit, a MARKET order's being the upper edge of the band; in fen."""
        price = c.price_ticks
        if c.order_type == OrderType.MARKET:
            price = self.listed.rows[c.instrument].high_ticks
        return price * self.listed.rows[c.instrument].tick_value_fen

    def _unaffordable(self, c: Command, lot_value_fen: int, lot_reserve: int) -> int:
        """Why the account cannot stand for the order; NONE if it can."""
        per_lot = lot_reserve if c.side == Side.BUY else lot_value_fen
        if c.quantity_lots > MAX_AMOUNT_FEN // per_lot:
            return Reason.VALUE_TOO_LARGE
        if self.listed.rows[c.instrument].day_amount_fen > MAX_DAY_AMOUNT_FEN:
            return Reason.VALUE_TOO_LARGE
        if c.side == Side.BUY:
            free = self.ledger.rows[c.account].cash_fen - self.ledger.rows[c.account].reserved_fen
            return Reason.INSUFFICIENT_FUNDS if c.quantity_lots * lot_reserve > free else Reason.NONE
        place = self.ledger.place(c.account, c.instrument)
        free = self.ledger.holdings[place].lots - self.ledger.holdings[place].reserved_lots
        return Reason.INSUFFICIENT_INVENTORY if c.quantity_lots > free else Reason.NONE

    def _accept(self, c: Command, lot_reserve: int) -> None:
        """Reserves, lets the book match, and says what happened. `lot_reserve` is 0 for a sell."""
        if c.side == Side.BUY:
            self.ledger.open_place(c.account, c.instrument)
            self.ledger.reserve_cash(c.account, c.quantity_lots * lot_reserve)
        else:
            self.ledger.reserve_lots(c.account, c.instrument, c.quantity_lots)
        i = self.log.add(c.seq, EventKind.ACCEPTED, Reason.NONE)
        self.log.rows[i].order_id = c.seq
        self.log.rows[i].account = c.account
        self.log.rows[i].instrument = c.instrument
        self.log.rows[i].side = c.side
        self.log.rows[i].order_type = c.order_type
        self.log.rows[i].price_ticks = c.price_ticks
        self.log.rows[i].quantity_lots = c.quantity_lots
        self.log.rows[i].leaves_lots = c.quantity_lots
        self.log.rows[i].reserve_fen = c.quantity_lots * lot_reserve
        self.book.size = 0
        self.book.place(
            c.instrument, c.side, c.order_type, c.time_in_force, c.self_trade, c.account,
            self.ledger.rows[c.account].owner, c.seq, c.price_ticks, c.quantity_lots, lot_reserve,
        )  # fmt: skip
        # The book's first event says ACCEPTED, the last of the others may end the order.
        leaves = c.quantity_lots
        for j in range(1, self.book.size):
            leaves -= self.book.out[j].quantity_lots
            if self.book.out[j].kind == EventKind.TRADE:
                self._trade(c, j, lot_reserve, leaves)
            else:
                self._end(j, self.book.out[j].kind)
        touched = 0
        for j in range(1, self.book.size):
            if self.book.out[j].kind == EventKind.TRADE and self.book.out[j].price_ticks != touched:
                touched = self.book.out[j].price_ticks
                self._level(c.instrument, 1 - c.side, touched)
        if leaves > 0:
            self._level(c.instrument, c.side, c.price_ticks)

    def _trade(self, c: Command, j: int, lot_reserve: int, leaves_lots: int) -> None:
        """Settles the trade in the book's event `j`, number `j` of its command."""
        lots = self.book.out[j].quantity_lots
        price = self.book.out[j].price_ticks
        maker = self.book.out[j].maker_account
        amount = lots * price * self.listed.rows[c.instrument].tick_value_fen
        fee = fee_fen(amount, self.taker_rate_ppm)
        maker_fee = fee_fen(amount, self.maker_rate_ppm)
        if c.side == Side.BUY:
            released = lots * lot_reserve
            fee = min(fee, released - amount)
            self.ledger.settle(c.instrument, c.account, maker, lots, amount, fee, maker_fee, released)
        else:
            released = lots * self.book.out[j].tag
            maker_fee = min(maker_fee, released - amount)
            self.ledger.settle(c.instrument, maker, c.account, lots, amount, maker_fee, fee, released)
        self.listed.rows[c.instrument].day_lots += lots
        self.listed.rows[c.instrument].day_amount_fen += amount
        i = self.log.add(c.seq, EventKind.TRADE, Reason.NONE)
        self.log.rows[i].order_id = c.seq
        self.log.rows[i].account = c.account
        self.log.rows[i].maker_order_id = self.book.out[j].maker_order_id
        self.log.rows[i].maker_account = maker
        self.log.rows[i].instrument = c.instrument
        self.log.rows[i].side = c.side
        self.log.rows[i].price_ticks = price
        self.log.rows[i].quantity_lots = lots
        self.log.rows[i].leaves_lots = leaves_lots
        self.log.rows[i].amount_fen = amount
        self.log.rows[i].fee_fen = fee
        self.log.rows[i].maker_fee_fen = maker_fee
        self.log.rows[i].reserve_fen = -released
        self.log.rows[i].number = j

    def _end(self, j: int, kind: int) -> None:
        """Releases what is left of the order that the book's event `j` ended."""
        account = self.book.out[j].account
        instrument = self.book.out[j].instrument
        lots = self.book.out[j].quantity_lots
        released = lots * self.book.out[j].tag
        if self.book.out[j].side == Side.BUY:
            self.ledger.reserve_cash(account, -released)
        else:
            self.ledger.reserve_lots(account, instrument, -lots)
        i = self.log.add(self.last_seq, kind, self.book.out[j].reason)
        self.log.rows[i].order_id = self.book.out[j].order_id
        self.log.rows[i].maker_order_id = self.book.out[j].maker_order_id
        self.log.rows[i].account = account
        self.log.rows[i].instrument = instrument
        self.log.rows[i].side = self.book.out[j].side
        self.log.rows[i].price_ticks = self.book.out[j].price_ticks
        self.log.rows[i].quantity_lots = lots
        self.log.rows[i].reserve_fen = -released

    def _level(self, instrument: int, side: int, price_ticks: int) -> None:
        """What rests at a price now."""
        level = self.book.levels.find(2 * instrument + side, price_ticks)
        i = self.log.add(self.last_seq, EventKind.LEVEL, Reason.NONE)
        self.log.rows[i].instrument = instrument
        self.log.rows[i].side = side
        self.log.rows[i].price_ticks = price_ticks
        self.log.rows[i].quantity_lots = self.book.levels.rows[level].quantity_lots
        self.log.rows[i].number = self.book.levels.rows[level].orders

    def _cancel(self, c: Command) -> None:
        if c.account != 0 and not self.ledger.knows(c.account):
            self._reject(c, Reason.UNKNOWN_ACCOUNT, c.order_id)
            return
        order_id = c.order_id
        if order_id == 0 and not is_empty(c.client_order_id):
            order_id = self.client_ids.rows[self.client_ids.find(c.account, c.client_order_id)].order_id
        slot = self.book.find(order_id)
        if slot == NIL or (c.account != 0 and self.book.orders[slot].account != c.account):
            self._reject(c, Reason.UNKNOWN_ORDER, order_id)
            return
        self.book.size = 0
        self.book.cancel_slot(slot, Reason.REQUESTED)
        self._end(0, EventKind.CANCELED)
        self._level(self.book.out[0].instrument, self.book.out[0].side, self.book.out[0].price_ticks)

    # Accounts

    def _open_account(self, c: Command) -> None:
        if self.ledger.count >= MAX_ACCOUNTS:
            self._reject(c, Reason.TOO_MANY, 0)
            return
        account = self.ledger.open_account(c.owner, c.account_class)
        i = self.log.add(c.seq, EventKind.ACCOUNT_OPENED, Reason.NONE)
        self.log.rows[i].account = account

    def _change_cash(self, c: Command) -> None:
        reason = self._cash_refusal(c)
        if reason != Reason.NONE:
            self._reject(c, reason, 0)
            return
        amount = c.amount_fen if c.kind == CommandKind.DEPOSIT else -c.amount_fen
        self.ledger.change_cash(c.account, amount)
        i = self.log.add(c.seq, EventKind.BALANCE_CHANGED, Reason.NONE)
        self.log.rows[i].account = c.account
        self.log.rows[i].amount_fen = amount

    def _cash_refusal(self, c: Command) -> int:
        if not self.ledger.knows(c.account):
            return Reason.UNKNOWN_ACCOUNT
        if c.amount_fen < 1 or c.amount_fen > MAX_AMOUNT_FEN:
            return Reason.INVALID_AMOUNT
        if c.kind == CommandKind.DEPOSIT:
            room = MAX_AMOUNT_FEN - self.ledger.deposited_fen
            return Reason.INVALID_AMOUNT if c.amount_fen > room else Reason.NONE
        free = self.ledger.rows[c.account].cash_fen - self.ledger.rows[c.account].reserved_fen
        return Reason.INSUFFICIENT_FUNDS if c.amount_fen > free else Reason.NONE

    def _change_lots(self, c: Command) -> None:
        reason = self._lots_refusal(c)
        if reason != Reason.NONE:
            self._reject(c, reason, 0)
            return
        lots = c.quantity_lots if c.kind == CommandKind.RECEIVE else -c.quantity_lots
        self.ledger.change_lots(c.account, c.instrument, lots)
        i = self.log.add(c.seq, EventKind.BALANCE_CHANGED, Reason.NONE)
        self.log.rows[i].account = c.account
        self.log.rows[i].instrument = c.instrument
        self.log.rows[i].quantity_lots = lots

    def _lots_refusal(self, c: Command) -> int:
        if not self.ledger.knows(c.account):
            return Reason.UNKNOWN_ACCOUNT
        if c.instrument >= self.listed.count:
            return Reason.UNKNOWN_INSTRUMENT
        if c.quantity_lots < 1 or c.quantity_lots > MAX_HELD_LOTS:
            return Reason.INVALID_QUANTITY
        if c.kind == CommandKind.RECEIVE:
            room = MAX_HELD_LOTS - self.ledger.received_lots[c.instrument]
            return Reason.INVALID_QUANTITY if c.quantity_lots > room else Reason.NONE
        place = self.ledger.place(c.account, c.instrument)
        free = self.ledger.holdings[place].lots - self.ledger.holdings[place].reserved_lots
        return Reason.INSUFFICIENT_INVENTORY if c.quantity_lots > free else Reason.NONE

    # The venue

    def _list_instrument(self, c: Command) -> None:
        reason = self._listing_refusal(c)
        if reason != Reason.NONE:
            self._reject(c, reason, 0)
            return
        instrument = self.listed.add(c.amount_fen, c.price_ticks, c.rate_ppm, c.quantity_lots)
        i = self.log.add(c.seq, EventKind.INSTRUMENT_LISTED, Reason.NONE)
        self.log.rows[i].instrument = c.instrument
        self.log.rows[i].price_ticks = c.price_ticks
        if self.listed.phase(instrument) != Phase.CLOSED:
            self._phase_changed(instrument, self.listed.phase(instrument))

    def _listing_refusal(self, c: Command) -> int:
        if c.instrument != self.listed.count:
            return Reason.UNKNOWN_INSTRUMENT
        if c.quantity_lots < 1 or c.quantity_lots > MAX_QUANTITY_LOTS:
            return Reason.INVALID_QUANTITY
        if c.price_ticks < 1 or c.price_ticks > MAX_PRICE_TICKS:
            return Reason.INVALID_PRICE
        if c.amount_fen < 1 or c.amount_fen > MAX_TICK_VALUE_FEN:
            return Reason.INVALID_AMOUNT
        if c.rate_ppm > MAX_RATE_PPM:
            return Reason.INVALID_RATE
        if self.listed.count >= MAX_INSTRUMENTS:
            return Reason.TOO_MANY
        return Reason.NONE

    def _set_fees(self, c: Command) -> None:
        if c.rate_ppm > MAX_RATE_PPM or c.taker_rate_ppm > MAX_RATE_PPM:
            self._reject(c, Reason.INVALID_RATE, 0)
            return
        self.maker_rate_ppm = c.rate_ppm
        self.taker_rate_ppm = c.taker_rate_ppm
        self.log.add(c.seq, EventKind.FEES_SET, Reason.NONE)

    def _change_phase(self, c: Command) -> None:
        reason = self._phase_refusal(c)
        if reason != Reason.NONE:
            self._reject(c, reason, 0)
            return
        if c.instrument != ALL_INSTRUMENTS:
            if c.kind == CommandKind.SET_PHASE:
                self.listed.set_phase(c.instrument, c.phase)
            else:
                self.listed.set_halted(c.instrument, c.kind == CommandKind.HALT)
            self._phase_changed(c.instrument, self.listed.phase(c.instrument))
            return
        if c.kind == CommandKind.SET_PHASE:
            self.listed.set_all_phases(c.phase)
        else:
            self.listed.set_all_halted(c.kind == CommandKind.HALT)
        self._phase_changed(ALL_INSTRUMENTS, self.listed.venue())
        for i in range(self.listed.count):
            if self.listed.phase(i) != self.listed.venue():
                self._phase_changed(i, self.listed.phase(i))

    def _phase_refusal(self, c: Command) -> int:
        if c.instrument != ALL_INSTRUMENTS and c.instrument >= self.listed.count:
            return Reason.UNKNOWN_INSTRUMENT
        if c.kind == CommandKind.SET_PHASE and c.phase != Phase.CLOSED and c.phase != Phase.CONTINUOUS:
            return Reason.INVALID_PHASE
        return Reason.NONE

    def _phase_changed(self, instrument: int, phase: int) -> None:
        i = self.log.add(self.last_seq, EventKind.PHASE_CHANGED, Reason.NONE)
        self.log.rows[i].instrument = instrument
        self.log.rows[i].phase = phase

    # The day roll

    def _day_roll(self, c: Command) -> None:
        if c.date <= self.trading_date or not self._is_date(c.date):
            self._reject(c, Reason.INVALID_DATE, 0)
            return
        year = self.trading_date // 10_000
        self.trading_date = c.date
        self.trading_day += 1
        i = self.log.add(c.seq, EventKind.DAY_ROLLED, Reason.NONE)
        self.log.rows[i].date = c.date
        for instrument in range(self.listed.count):
            self._settle(instrument, year)
        first = self.log.size
        for instrument in range(self.listed.count):
            self._end_of_day(instrument, Side.BUY)
            self._end_of_day(instrument, Side.SELL)
        self._end_of_day_levels(first)
        self._forget_client_ids()

    def _is_date(self, date: int) -> bool:
        """Whether yyyymmdd can be a date; the calendar is the venue's."""
        return date <= 9999_12_31 and 1 <= date // 100 % 100 <= 12 and 1 <= date % 100 <= 31

    def _outside_band(self, instrument: int, price_ticks: int) -> bool:
        row = self.listed.rows[instrument]
        return price_ticks < row.low_ticks or price_ticks > row.high_ticks

    def _settle(self, instrument: int, year: int) -> None:
        """Ends an instrument's day and adds its turnover to the year's."""
        lots = self.listed.rows[instrument].day_lots
        amount = self.listed.rows[instrument].day_amount_fen
        self.turnover.add(year, amount)
        reference = self.listed.settle(instrument)
        i = self.log.add(self.last_seq, EventKind.SETTLED, Reason.NONE)
        self.log.rows[i].instrument = instrument
        self.log.rows[i].price_ticks = reference
        self.log.rows[i].quantity_lots = lots
        self.log.rows[i].amount_fen = amount

    def _end_of_day(self, instrument: int, side: int) -> None:
        """Ends the orders of a side that don't live on into the new day."""
        level = self.book.levels.best(2 * instrument + side)
        while level != NIL:
            price = self.book.levels.price(2 * instrument + side, level)
            slot = self.book.levels.rows[level].head
            level = self.book.levels.next(level)
            while slot != NIL:
                ending = slot
                slot = self.book.orders[slot].next
                self.book.size = 0
                if self.book.orders[ending].time_in_force == TimeInForce.DAY:
                    self.book.cancel_slot(ending, Reason.END_OF_DAY)
                    self._end(0, EventKind.EXPIRED)
                elif self._outside_band(instrument, price):
                    self.book.cancel_slot(ending, Reason.OUTSIDE_BAND)
                    self._end(0, EventKind.CANCELED)

    def _end_of_day_levels(self, first: int) -> None:
        """One LEVEL for each price of the ended orders, whose events stand from row `first` on, level by level."""
        last = self.log.size
        for i in range(first, last):
            instrument = self.log.rows[i].instrument
            side = self.log.rows[i].side
            price = self.log.rows[i].price_ticks
            if (
                i == first
                or self.log.rows[i - 1].price_ticks != price
                or self.log.rows[i - 1].side != side
                or self.log.rows[i - 1].instrument != instrument
            ):
                self._level(instrument, side, price)

    def _forget_client_ids(self) -> None:
        """Notes which ids belong to orders open today, and drops those that are too old."""
        for row in range(1, self.client_ids.count + 1):
            if self.book.find(self.client_ids.rows[row].order_id) != NIL:
                self.client_ids.rows[row].day = self.trading_day
        if self.trading_day > CLIENT_ID_TRADING_DAYS:
            self.client_ids.forget_before(self.trading_day - CLIENT_ID_TRADING_DAYS)
