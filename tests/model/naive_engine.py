"""The naive engine, as plain as possible: dictionaries, lists and whole numbers, one rule after another.

It is the oracle that `Engine` is compared with, event for event and state hash for state hash, and has the same public
methods. It shares the records, the limits and the layout of a state with the engine, and no rule. Paragraph numbers are
those of `docs/rulebook.md`. The naive modules build on one another: tables, ledger, queues, matching, refusals, orders,
phases, administration, engine.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from matching_engine.faults import EngineFault, Fault
from matching_engine.records import (
    EVENT,
    Command,
    CommandKind,
    Event,
    Reason,
    TimeInForce,
    pack_commands,
    unpack_commands,
)
from matching_engine.snapshot import state
from tests.model.naive_operators import NaiveOperators
from tests.model.naive_state import state_of

SUMS_EVERY = 16


class NaiveEngine(NaiveOperators):
    def __init__(self) -> None:
        super().__init__()
        self.fault: EngineFault | None = None
        self.rules = {
            CommandKind.NEW_ORDER: self.new_order,
            CommandKind.CANCEL: self.cancel,
            CommandKind.AMEND: self.amend,
            CommandKind.MASS_CANCEL: self.mass_cancel,
            CommandKind.OPEN_ACCOUNT: self.open_account,
            CommandKind.DEPOSIT: self.deposit,
            CommandKind.WITHDRAW: self.withdraw,
            CommandKind.RECEIVE: self.receive,
            CommandKind.RELEASE: self.release,
            CommandKind.SET_ORDER_LIMITS: self.set_order_limits,
            CommandKind.SET_TURNOVER_LIMIT: self.set_turnover_limit,
            CommandKind.KILL_SWITCH_ON: self.set_kill_switch,
            CommandKind.KILL_SWITCH_OFF: self.set_kill_switch,
            CommandKind.LIST_INSTRUMENT: self.list_instrument,
            CommandKind.CHANGE_INSTRUMENT: self.change_instrument,
            CommandKind.DELIST_INSTRUMENT: self.delist_instrument,
            CommandKind.SET_FEES: self.set_fees,
            CommandKind.SET_PHASE: self.set_phase,
            CommandKind.HALT: self.set_halted,
            CommandKind.RESUME: self.set_halted,
            CommandKind.DAY_ROLL: self.day_roll,
            CommandKind.SET_COLLAR: self.set_collar,
            CommandKind.SET_VOLATILITY_BAND: self.set_volatility_band,
            CommandKind.BUST_TRADE: self.bust_trade,
            CommandKind.TIME: self.time,
            CommandKind.RECORD: self.record,
        }

    # The public methods

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
        self.last_seq, self.time_ns = c.seq, c.time_ns
        self.events, self.touched, self.called, self.trades_of_command = [], {}, set(), 0
        rule = self.rules.get(c.kind)  # type: ignore[call-overload]
        if rule is None:
            self.reject(c, Reason.UNKNOWN_COMMAND)
        else:
            rule(c)
        self.note_quotes()
        self.emit_levels()
        if c.seq % SUMS_EVERY == 0:
            self.check_sums()
        return self.events

    @property
    def instruments(self) -> int:
        return len(self.listed)

    @property
    def accounts(self) -> int:
        return len(self.ledger)

    def make_room(self) -> None:
        """Nothing: dictionaries grow by themselves."""

    @property
    def next_deadline_ns(self) -> int:
        """The next time, in ns, at which a GTD order expires (1.5) or a volatility auction ends (4.7); 0 if there is none."""
        expiries = [o.time_s * 10**9 for o in self.orders.values() if o.time_in_force == TimeInForce.GTD]
        return min([*expiries, *(i.auction_ends_ns for i in self.listed if i.in_auction)], default=0)

    def turnover_fen(self, year: int) -> int:
        return self.turnover.get(year, 0)

    def cash(self, account: int) -> tuple[int, int]:
        row = self.ledger[account]
        return row.cash, row.reserved

    def state(self) -> state.State:
        self.check_sums()
        return state_of(self)

    def state_hash(self) -> str:
        return state.state_hash(self.state())
