"""The exchange as one state machine: COMMAND records in, EVENT records out, nothing else read or written.

    engine = Engine()
    events = engine.process(commands)     # numpy arrays of records.COMMAND and records.EVENT

The same commands make the same events and the same `state_hash` on any machine, however they are split into calls. Whatever
its bytes, a command is executed or answered by REJECTED with a reason: the first that applies, in the order of `Reason`. A
command is checked completely before anything changes. `records` defines the fields and the order of events.

The rules are docs/rulebook.md. `member_commands` answers the commands of members, `operator_commands` those of operators, and
`session_commands` those that change time and phases; `execution` runs orders in the book, `settlement` moves cash and lots.

An impossible state is a fault: `process` raises EngineFault, and so does every later call.
"""

from __future__ import annotations

from struct import error
from typing import Any, NamedTuple

import cython
import numpy as np

from matching_engine.book.order_book import Book
from matching_engine.event_log import EventLog
from matching_engine.faults import EngineFault
from matching_engine.ledger.accounts import Accounts
from matching_engine.ledger.client_ids import ClientIds
from matching_engine.ledger.day_trades import DayTrades
from matching_engine.ledger.fees import Fees
from matching_engine.ledger.instruments import Instruments
from matching_engine.one_command import OneCommand
from matching_engine.records import COMMAND, Command, Event, pack_commands, unpack_commands, unpack_events
from matching_engine.rules.execution import Execution
from matching_engine.rules.member_commands import MemberCommands
from matching_engine.rules.operator_commands import OperatorCommands
from matching_engine.rules.session_commands import SessionCommands
from matching_engine.rules.settlement import Settlement
from matching_engine.snapshot import state
from matching_engine.snapshot.restore import (
    restore_accounts,
    restore_client_ids,
    restore_fees,
    restore_instruments,
    restore_orders,
    restore_trades,
    restore_turnover,
)
from matching_engine.snapshot.state_checks import check

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.faults import Fault
    from matching_engine.ledger.client_ids import is_empty
    from matching_engine.limits import MAX_INSTRUMENTS
    from matching_engine.one_command import events_of
    from matching_engine.pools import NIL, prefetch
    from matching_engine.records import MAX_SLICES, CommandKind, EventKind, Phase, Reason
    from matching_engine.rules.price_limits import anchor_of, protection_of

    CHUNK = 16  # commands that room is made for at a time; more when compiled
    NEAR = 2  # commands from the prefetch of the table entries that a command reads to its execution
    FAR = 8  # commands from the prefetch of a command to its execution
    AHEAD = 64  # commands that `make_room` makes room for; more when compiled


class AccountLimits(NamedTuple):
    """An account's limits (0: no limit) and kill switch, the number of its open orders and its traded amount of today."""

    max_order_lots: int
    max_order_fen: int
    max_open_orders: int
    max_day_fen: int
    kill_switch: bool
    open_orders: int
    day_fen: int


class Engine:
    """The whole venue: order books, accounts, instruments, client order ids, the trading day."""

    def __init__(self) -> None:
        self.book = Book(MAX_INSTRUMENTS)
        self.book.tagged = True
        self.ledger = Accounts()
        self.fees = Fees()
        self.listed = Instruments()
        self.client_ids = ClientIds()
        self.day_trades = DayTrades()
        self.log = EventLog()
        self.settlement = Settlement(self.book, self.ledger, self.fees, self.listed, self.day_trades, self.log)
        self.execution = Execution(self.book, self.ledger, self.listed, self.settlement, self.log)
        self.member_commands = MemberCommands(
            self.book, self.ledger, self.fees, self.listed, self.client_ids, self.execution, self.log
        )
        self.session_commands = SessionCommands(
            self.book, self.ledger, self.listed, self.client_ids, self.day_trades, self.member_commands.expiries,
            self.execution, self.log,
        )  # fmt: skip
        self.operator_commands = OperatorCommands(
            self.ledger, self.fees, self.listed, self.day_trades, self.session_commands, self.log
        )
        self._one = OneCommand()
        self.last_seq = 0
        self._room = 0  # commands that room has been made for
        self._fault = 0
        self._fault_seq = 0

    @classmethod
    def from_state(cls, kept: state.State) -> Engine:
        """An engine with this state. Raises StateError for a state that no engine can reach, and MemoryError."""
        check(kept)
        engine = cls()
        engine._restore(kept)
        if state.snapshot_bytes(engine.state()) != state.snapshot_bytes(kept):
            raise state.StateError("this state cannot be: its rows are out of order, or contradict each other")
        return engine

    def _restore(self, kept: state.State) -> None:
        (venue,) = kept.venue.tolist()
        self.last_seq, self.session_commands.trading_date, self.client_ids.day = venue[:3]
        self.listed.venue_phase, self.listed.venue_halted = venue[3:5]
        restore_fees(self.fees, kept.fees)
        restore_turnover(self.session_commands.turnover, kept.years)
        restore_instruments(self.listed, self.book, kept.instruments)
        restore_accounts(self.ledger, kept.accounts, kept.holdings, kept.orders)
        self.ledger.rows[0].kill_switch = venue[5]
        restore_orders(self.book, self.member_commands.expiries, kept.orders, kept.accounts)
        restore_trades(self.day_trades, kept.trades)
        restore_client_ids(self.client_ids, kept.client_ids)
        self._set_fault(self.book.fault, self.last_seq)

    # Commands

    def process(self, commands: Any) -> Any:
        """Runs a COMMAND array and returns the EVENT array. `seq` must continue `last_seq` without a gap.

        The returned array never changes. A large one may hold more memory than its size, so copy events that are kept for
        long. Raises EngineFault for an impossible state, ValueError for an array of another dtype or shape, and MemoryError,
        after which the commands up to `last_seq` are done but their events are lost.
        """
        if getattr(commands, "dtype", None) != COMMAND or commands.ndim != 1:
            raise ValueError("commands must be a one-dimensional COMMAND array")
        self.log.begin()
        if cython.compiled:
            self._run_bytes(np.ascontiguousarray(commands).view(np.uint8), len(commands))
        else:
            self._run([Command._make(row) for row in commands.tolist()], len(commands))
        return self.log.take()

    def submit(self, command: Command) -> list[Event]:
        """Runs one command and returns its events. Raises as `process` does, and OverflowError for a value that its field
        cannot hold."""
        self.log.begin()
        if cython.compiled:
            self._one.read(command)
            self._run(cython.address(self._one.rows[0]), 1)
            return events_of(self.log)
        try:
            data = pack_commands([command])
        except error as problem:
            raise OverflowError(str(problem)) from None
        self._run(list(unpack_commands(data)), 1)
        return list(unpack_events(self.log.take().tobytes()))

    def _run_bytes(self, data: Any, count: int) -> int:
        """Runs the commands in a buffer (compiled only). The buffer is copied if it is not aligned to 8 bytes."""
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
            if self._room < stop - done:
                self._reserve(CHUNK)
                self._room = CHUNK
            self._room -= stop - done
            with cython.nogil:
                while done < stop and self._fault == 0:
                    if cython.compiled:
                        if done + FAR < count:
                            self._look_ahead(
                                cython.address(commands[done + NEAR]), cython.address(commands[done + FAR])
                            )
                        self._apply(cython.address(commands[done]))
                    else:
                        self._apply(commands[done])
                    done += 1
            self._stop_at_fault()
        self._set_fault(self.ledger.broken_law(self.listed.count), self.last_seq)
        return self._stop_at_fault()

    def _reserve(self, commands: int) -> int:
        """Makes room for what `commands` commands may add, so that nothing can fail while they run.

        A TRADE or a pair of SELF_TRADE_PREVENTED removes a slice (an order's shown part) from the book or ends the
        incoming order, and touches two levels. A triggered stop has up to four events. A command has at most two more events
        for each instrument, and eight of its own.
        """
        self.book.reserve(commands)
        self.ledger.reserve(commands)
        self.client_ids.reserve(commands)
        self.member_commands.expiries.reserve(commands)
        self.session_commands.turnover.reserve(commands)
        self.execution.touched.reserve(self.book.ids.count + commands + 2)
        slices = self.book.ids.count + self.book.refills + commands * MAX_SLICES
        self.day_trades.reserve(slices)
        instruments = min(self.listed.count + commands, MAX_INSTRUMENTS)
        self.log.reserve(4 * (slices + self.book.stops) + commands * (2 * instruments + 8))
        return 0

    def make_room(self) -> None:
        """Grows tables ahead of need, so that no later `process` has to stop for it: call it between batches of up to AHEAD
        (4,096) commands.

        It changes no event and no state: an engine that nobody calls it on grows within `process`. A call does a bounded
        part of the work for the client order ids, whose table is the largest, and returns at once where nothing is to be
        done. It raises nothing: `process` raises MemoryError where the room is needed.
        """
        try:
            self.book.ids.reserve(self.book.ids.count + AHEAD)
            self.ledger.reserve(AHEAD)
            self.client_ids.make_room(AHEAD)
            self.member_commands.expiries.reserve(AHEAD)
        except MemoryError:
            return

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
        """The number of accounts, VENUE included."""
        return self.ledger.count

    @property
    def venue_phase(self) -> int:
        """The phase last set for all instruments: the schedule's phase, regardless of halts."""
        return self.listed.venue_phase

    @property
    def trading_date(self) -> int:
        """The trading day, yyyymmdd; 0 before the first day roll."""
        return self.session_commands.trading_date

    @property
    def next_deadline_ns(self) -> int:
        """The earliest instant, in ns since 1970 UTC, at which a GTD order expires or a volatility auction ends, so a TIME
        command is due; 0 if there is none."""
        return self.session_commands.next_deadline_ns()

    def cash(self, account: int) -> tuple[int, int]:
        """(cash, reserved part of it), in fen. Raises KeyError for an unknown account."""
        return self.ledger.cash(account)

    def holding(self, account: int, instrument: int) -> tuple[int, int]:
        """(lots, reserved part of them); (0, 0) where the account never held any, or does not exist."""
        if not (self.ledger.knows(account) and 0 <= instrument < self.listed.count):
            return 0, 0
        return self.ledger.holding(account, instrument)

    def limits(self, account: int) -> AccountLimits:
        """An account's limits. Raises KeyError for an unknown account."""
        self.ledger.cash(account)
        return AccountLimits(
            self.ledger.rows[account].max_order_lots,
            self.ledger.rows[account].max_order_fen,
            self.ledger.rows[account].max_open_orders,
            self.ledger.rows[account].max_day_fen,
            self.ledger.rows[account].kill_switch != 0,
            self.ledger.rows[account].open_orders,
            self.ledger.rows[account].day_fen,
        )

    def phase(self, instrument: int) -> int:
        """The phase in force. This and the following views raise IndexError for an instrument that is not listed."""
        return self.listed.phase(self._checked(instrument))

    def last_ticks(self, instrument: int) -> int:
        """The last price of the trading day; 0 before the first trade."""
        self._checked(instrument)
        return self.book.last[instrument].price_ticks if self.book.last[instrument].traded else 0

    def anchor_ticks(self, instrument: int) -> int:
        """The centre of the price collar and of the volatility band: the last price, or the reference price without one."""
        return anchor_of(self._checked(instrument), self.listed, self.book)

    def protection_ticks(self, instrument: int, side: int) -> int:
        """The protection price of a MARKET order now: the worst price at which it would trade."""
        return protection_of(instrument, side, self.anchor_ticks(instrument), self.listed)

    def indicative(self, instrument: int) -> tuple[int, int, int]:
        """(price, volume, imbalance) of an uncrossing now, in ticks and lots; zeros if nothing would trade, and outside a call
        auction."""
        if self.phase(instrument) != Phase.CALL_AUCTION:
            return 0, 0, 0
        self.book.auction(instrument, self.listed.rows[instrument].reference_ticks)
        if self.book.auction_lots == 0:
            return 0, 0, 0
        return self.book.auction_ticks, self.book.auction_lots, self.book.auction_imbalance

    def _checked(self, instrument: int) -> int:
        if not 0 <= instrument < self.listed.count:
            raise IndexError(instrument)
        return instrument

    def turnover_fen(self, year: int) -> int:
        """The single-sided turnover of the trading days of a calendar year, in fen; year 0 is before the first day roll."""
        turnover = self.session_commands.turnover.of(year)
        if year == self.session_commands.trading_date // 10_000:
            for i in range(self.listed.count):
                turnover += int(self.listed.rows[i].day_amount_fen)
        return turnover

    def state_hash(self) -> str:
        """The BLAKE2b-256 of everything that determines the engine's future, in hexadecimal."""
        return state.state_hash(self.state())

    def state(self) -> state.State:
        """Everything that determines the engine's future, in its canonical order."""
        listed, ids, turnover = self.listed, self.client_ids, self.session_commands.turnover
        venue = (
            self.last_seq, self.session_commands.trading_date, ids.day, listed.venue_phase, listed.venue_halted,
            self.ledger.rows[0].kill_switch,
        )  # fmt: skip
        fees = [(n, self.fees.rows[n].maker_rate_ppm, self.fees.rows[n].taker_rate_ppm) for n in range(256)]
        slots, triggers = self._open_orders()
        return state.State(
            np.array([venue], state.VENUE_STATE),
            np.array([row for row in fees if row[1] or row[2]], state.FEES_STATE),
            state.section(state.YEAR_STATE, turnover.rows, range(1, turnover.count + 1)),
            state.section(
                state.INSTRUMENT_STATE, listed.rows, range(listed.count),
                last_ticks=[self.last_ticks(i) for i in range(listed.count)],
            ),
            state.section(state.ACCOUNT_STATE, self.ledger.rows, range(1, self.ledger.count + 1)),
            np.array(self.ledger.all_holdings(), state.HOLDING_STATE),
            state.section(
                state.ORDER_STATE, self.book.orders, slots, trigger_ticks=triggers,
                lot_reserve_fen=[self.book.order_tags[slot] for slot in slots],
            ),
            state.section(state.TRADE_STATE, self.day_trades.rows, range(1, self.day_trades.count + 1)),
            state.section(state.CLIENT_ID_STATE, ids.rows, range(1, ids.count + 1), client_order_id=ids.texts()),
        )  # fmt: skip

    def _open_orders(self) -> tuple[list[int], list[int]]:
        """The slots and triggers of the open orders, in the order of rulebook 3.8."""
        slots = []
        triggers = []
        walk = self.session_commands.walk
        for side_number in range(2 * self.listed.count):
            walk.begin(side_number >> 1, side_number & 1)
            slot = walk.next()
            while slot != NIL:
                slots.append(slot)
                triggers.append(self.book.trigger_ticks(slot))
                slot = walk.next()
        return slots, triggers

    # One command

    def _look_ahead(self, command: Command, later: Command) -> None:
        """Prefetches a later command, and the table entries that an earlier one, `command`, will read first."""
        prefetch(later)
        prefetch(cython.address(later.account))
        prefetch(cython.address(later.client_order_id))
        if command.kind == CommandKind.NEW_ORDER:
            self.book.ids.expect(command.seq)
            if not is_empty(command.client_order_id):
                self.client_ids.expect(command.account, command.client_order_id)
        else:
            self.book.ids.expect(command.order_id)

    def _apply(self, command: Command) -> None:
        if command.seq != self.last_seq + 1:
            self._set_fault(Fault.NOT_IN_SEQUENCE, command.seq)
            return
        self.last_seq = command.seq
        self.log.seq = command.seq
        self.execution.time_ns = command.time_ns
        self.settlement.trades = 0
        kind = command.kind
        if kind == CommandKind.NEW_ORDER:
            self.member_commands.new(command)
        elif kind == CommandKind.CANCEL:
            self.member_commands.cancel(command)
        elif kind == CommandKind.AMEND:
            self.member_commands.amend(command)
        elif kind == CommandKind.MASS_CANCEL:
            self.member_commands.mass_cancel(command)
        elif kind < CommandKind.LIST_INSTRUMENT:
            self._apply_to_account(command)
        else:
            self._apply_to_venue(command)
        if self.execution.touched.count or self.execution.last_indicated >= 0:
            self.execution.emit_levels()
        if self.book.fault or self.log.fault or self.ledger.fault or self.ledger.cash_fen != self.ledger.deposited_fen:
            self._note_fault(command.seq)

    def _note_fault(self, seq: int) -> None:
        self._set_fault(self.book.fault, seq)
        self._set_fault(self.log.fault, seq)
        self._set_fault(self.ledger.broken_law(0), seq)

    def _apply_to_account(self, command: Command) -> None:
        kind = command.kind
        if kind == CommandKind.OPEN_ACCOUNT:
            self.operator_commands.open_account(command)
        elif kind == CommandKind.DEPOSIT or kind == CommandKind.WITHDRAW:
            self.operator_commands.change_cash(command)
        elif kind == CommandKind.RECEIVE or kind == CommandKind.RELEASE:
            self.operator_commands.change_lots(command)
        elif kind == CommandKind.SET_ORDER_LIMITS:
            self.operator_commands.set_order_limits(command)
        elif kind == CommandKind.SET_TURNOVER_LIMIT:
            self.operator_commands.set_turnover_limit(command)
        elif kind == CommandKind.KILL_SWITCH_ON or kind == CommandKind.KILL_SWITCH_OFF:
            self.operator_commands.set_kill_switch(command)
        else:
            self.log.reject(command, Reason.UNKNOWN_COMMAND, 0)

    def _apply_to_venue(self, command: Command) -> None:
        kind = command.kind
        if kind == CommandKind.TIME:
            self.session_commands.pass_time(command)
        elif kind == CommandKind.SET_PHASE or kind == CommandKind.HALT or kind == CommandKind.RESUME:
            self.session_commands.change_phase(command)
        elif kind == CommandKind.DAY_ROLL:
            self.session_commands.roll_day(command)
        elif kind == CommandKind.LIST_INSTRUMENT:
            self.operator_commands.list_instrument(command)
        elif kind == CommandKind.SET_FEES:
            self.operator_commands.set_fees(command)
        elif kind == CommandKind.SET_COLLAR:
            self.operator_commands.set_collar(command)
        elif kind == CommandKind.SET_VOLATILITY_BAND:
            self.operator_commands.set_volatility_band(command)
        elif kind == CommandKind.CHANGE_INSTRUMENT:
            self.operator_commands.change_instrument(command)
        elif kind == CommandKind.DELIST_INSTRUMENT:
            self.operator_commands.delist_instrument(command)
        elif kind == CommandKind.BUST_TRADE:
            self.operator_commands.bust_trade(command)
        elif kind == CommandKind.RECORD:
            self.log.add(EventKind.RECORDED, Reason.NONE)
        else:
            self.log.reject(command, Reason.UNKNOWN_COMMAND, 0)
