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
from matching_engine.execution import Execution
from matching_engine.faults import EngineFault
from matching_engine.instruments import Instruments
from matching_engine.order_book import OrderBook
from matching_engine.records import COMMAND, Command, Event, pack_commands, unpack_commands, unpack_events
from matching_engine.turnover import Turnover

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.accounts import lot_reserve_fen
    from matching_engine.client_ids import is_empty, mix
    from matching_engine.faults import Fault
    from matching_engine.limits import CLIENT_ID_TRADING_DAYS, MAX_ACCOUNTS, MAX_INSTRUMENTS
    from matching_engine.pools import NIL, WORD
    from matching_engine.records import (
        ALL_INSTRUMENTS,
        MAX_RATE_PPM,
        CommandKind,
        EventKind,
        OrderType,
        Phase,
        Reason,
        Side,
    )
    from matching_engine.refusals import (
        cash_refusal,
        declined,
        is_date,
        listing_refusal,
        lots_refusal,
        phase_refusal,
        unaffordable,
        unreadable,
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
        self.execution = Execution(self.book, self.ledger, self.listed, self.log)
        self.last_seq = 0
        self.trading_date = 0
        self.trading_day = 0
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
            self._run_bytes(np.ascontiguousarray(commands).view(np.uint8), len(commands))
        else:
            self._run([Command._make(row) for row in commands.tolist()], len(commands))
        return self.log.take()

    def submit(self, command: Command) -> list[Event]:
        """Runs one command. Raises as `process` does, and `struct.error` for a value its field cannot hold."""
        data = pack_commands([command])
        self.log.size = 0
        if cython.compiled:
            self._run_bytes(data, 1)
        else:
            self._run(list(unpack_commands(data)), 1)
        return list(unpack_events(self.log.take_bytes()))

    def _run_bytes(self, data: Any, count: int) -> int:
        """Runs the commands in a buffer (compiled only), which is copied where it isn't aligned for their numbers."""
        if count == 0:
            return self._stop_at_fault()
        if cython.cast(cython.size_t, cython.address(data[0])) % 8:
            data = np.array(data)
        return self._run(cython.cast("const CommandRow *", cython.address(data[0])), count)

    def _run(self, commands: Any, count: int) -> int:
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
        return self._stop_at_fault()

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

    @property
    def venue_phase(self) -> int:
        """The phase last set for all instruments: the schedule's, whatever an operator has halted."""
        return self.listed.venue_phase

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
            self.last_seq, self.trading_date, self.trading_day, self.execution.maker_rate_ppm, self.execution.taker_rate_ppm,
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
        reason = unreadable(c, self.listed)
        if reason == Reason.NONE:
            reason = declined(c, self.listed, self.book.ids.count)
        if reason != Reason.NONE:
            self._reject(c, reason, c.seq)
            return
        lot_value = self._lot_value(c)
        rate = max(self.execution.maker_rate_ppm, self.execution.taker_rate_ppm)
        lot_reserve = lot_reserve_fen(lot_value, rate) if c.side == Side.BUY else 0
        reason = unaffordable(c, self.listed, self.ledger, lot_value, lot_reserve)
        if reason != Reason.NONE:
            self._reject(c, reason, c.seq)
            return
        self.execution.accept(c, lot_reserve)

    def _is_repeat(self, c: Command) -> bool:
        """Answers an id that was used before; a new one is remembered."""
        digest = self._body_digest(c)
        row = self.client_ids.remember(c.account, c.client_order_id, c.seq, digest, self.trading_day)
        if self.client_ids.rows[row].order_id == c.seq:
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

    def _lot_value(self, c: Command) -> int:
        """A lot's value at the order's limit, a MARKET order's being the upper edge of the band; in fen."""
        price = c.price_ticks
        if c.order_type == OrderType.MARKET:
            price = self.listed.rows[c.instrument].high_ticks
        return price * self.listed.rows[c.instrument].tick_value_fen

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
        self.execution.cancel(c.seq, slot)

    # Accounts

    def _open_account(self, c: Command) -> None:
        if self.ledger.count >= MAX_ACCOUNTS:
            self._reject(c, Reason.TOO_MANY, 0)
            return
        account = self.ledger.open_account(c.owner, c.account_class)
        i = self.log.add(c.seq, EventKind.ACCOUNT_OPENED, Reason.NONE)
        self.log.rows[i].account = account

    def _change_cash(self, c: Command) -> None:
        reason = cash_refusal(c, self.ledger)
        if reason != Reason.NONE:
            self._reject(c, reason, 0)
            return
        amount = c.amount_fen if c.kind == CommandKind.DEPOSIT else -c.amount_fen
        self.ledger.change_cash(c.account, amount)
        i = self.log.add(c.seq, EventKind.BALANCE_CHANGED, Reason.NONE)
        self.log.rows[i].account = c.account
        self.log.rows[i].amount_fen = amount

    def _change_lots(self, c: Command) -> None:
        reason = lots_refusal(c, self.listed, self.ledger)
        if reason != Reason.NONE:
            self._reject(c, reason, 0)
            return
        lots = c.quantity_lots if c.kind == CommandKind.RECEIVE else -c.quantity_lots
        self.ledger.change_lots(c.account, c.instrument, lots)
        i = self.log.add(c.seq, EventKind.BALANCE_CHANGED, Reason.NONE)
        self.log.rows[i].account = c.account
        self.log.rows[i].instrument = c.instrument
        self.log.rows[i].quantity_lots = lots

    # The venue

    def _list_instrument(self, c: Command) -> None:
        reason = listing_refusal(c, self.listed)
        if reason != Reason.NONE:
            self._reject(c, reason, 0)
            return
        instrument = self.listed.add(c.amount_fen, c.price_ticks, c.rate_ppm, c.quantity_lots)
        i = self.log.add(c.seq, EventKind.INSTRUMENT_LISTED, Reason.NONE)
        self.log.rows[i].instrument = c.instrument
        self.log.rows[i].price_ticks = c.price_ticks
        if self.listed.phase(instrument) != Phase.CLOSED:
            self._phase_changed(instrument, self.listed.phase(instrument))

    def _set_fees(self, c: Command) -> None:
        if c.rate_ppm > MAX_RATE_PPM or c.taker_rate_ppm > MAX_RATE_PPM:
            self._reject(c, Reason.INVALID_RATE, 0)
            return
        self.execution.maker_rate_ppm = c.rate_ppm
        self.execution.taker_rate_ppm = c.taker_rate_ppm
        self.log.add(c.seq, EventKind.FEES_SET, Reason.NONE)

    def _change_phase(self, c: Command) -> None:
        reason = phase_refusal(c, self.listed)
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

    def _phase_changed(self, instrument: int, phase: int) -> None:
        i = self.log.add(self.last_seq, EventKind.PHASE_CHANGED, Reason.NONE)
        self.log.rows[i].instrument = instrument
        self.log.rows[i].phase = phase

    # The day roll

    def _day_roll(self, c: Command) -> None:
        if c.date <= self.trading_date or not is_date(c.date):
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
            self.execution.end_of_day(c.seq, instrument, Side.BUY)
            self.execution.end_of_day(c.seq, instrument, Side.SELL)
        self.execution.end_of_day_levels(c.seq, first)
        self._forget_client_ids()

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

    def _forget_client_ids(self) -> None:
        """Notes which ids belong to orders open today, and drops those that are too old."""
        for row in range(1, self.client_ids.count + 1):
            if self.book.find(self.client_ids.rows[row].order_id) != NIL:
                self.client_ids.rows[row].day = self.trading_day
        if self.trading_day > CLIENT_ID_TRADING_DAYS:
            self.client_ids.forget_before(self.trading_day - CLIENT_ID_TRADING_DAYS)
