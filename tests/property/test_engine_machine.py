"""The engine beside the naive engine. Hypothesis chooses commands one by one: a failure shrinks to a few of them."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from matching_engine import Engine
from matching_engine.records import (
    ALL_INSTRUMENTS,
    BOTH_SIDES,
    Command,
    CommandKind,
    Flag,
    OrderType,
    Phase,
    SelfTrade,
    Side,
    TimeInForce,
)
from tests.model.naive_engine import NaiveEngine

SECOND_NS = 10**9
CASH_FEN, LOTS = 10**9, 1000
prices = st.integers(97, 103)
quantities = st.integers(1, 12)
accounts = st.integers(2, 4)
GTD = TimeInForce.GTD


class EngineMachine(RuleBasedStateMachine):
    """One instrument at 100 ticks ± 5 %; three accounts with cash and lots, 3 and 4 of one owner."""

    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.engine, self.naive = Engine(), NaiveEngine()
        self.time_s = 1

    def submit(self, kind: CommandKind, **fields: Any) -> int:
        """Both engines run the command, with equal results; returns its seq."""
        seq = self.naive.last_seq + 1
        command = Command(seq=seq, time_ns=self.time_s * SECOND_NS, kind=kind, **fields)
        assert self.engine.submit(command) == self.naive.submit(command)
        assert self.engine.state_hash() == self.naive.state_hash()
        assert self.engine.next_deadline_ns == self.naive.next_deadline_ns
        return seq

    @initialize(phase=st.sampled_from([Phase.CONTINUOUS, Phase.CALL_AUCTION]), volatility=st.sampled_from([0, 10_000]))
    def open(self, phase: Phase, volatility: int) -> None:
        self.submit(CommandKind.SET_FEES, rate_ppm=300, taker_rate_ppm=500)
        self.submit(CommandKind.LIST_INSTRUMENT, amount_fen=100, price_ticks=100, rate_ppm=50_000, quantity_lots=500)
        for account, owner in ((2, 0), (3, 3), (4, 3)):
            self.submit(CommandKind.OPEN_ACCOUNT, owner=owner)
            self.submit(CommandKind.DEPOSIT, account=account, amount_fen=CASH_FEN)
            self.submit(CommandKind.RECEIVE, account=account, quantity_lots=LOTS)
        self.submit(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=phase)
        self.submit(CommandKind.SET_VOLATILITY_BAND, rate_ppm=volatility, time_s=2 if volatility else 0)

    @rule(
        target=orders,
        account=accounts,
        side=st.sampled_from(Side),
        price=prices,
        lots=quantities,
        display=st.sampled_from([0, 0, 1, 3]),
        time_in_force=st.sampled_from(TimeInForce),
        mode=st.sampled_from(SelfTrade),
        flags=st.sampled_from([0, 0, 0, Flag.POST_ONLY]),
    )
    def limit(
        self,
        account: int,
        side: Side,
        price: int,
        lots: int,
        display: int,
        time_in_force: TimeInForce,
        mode: int,
        flags: int,
    ) -> int:
        return self.submit(
            CommandKind.NEW_ORDER, account=account, side=side, order_type=OrderType.LIMIT, time_in_force=time_in_force,
            self_trade=mode, price_ticks=price, quantity_lots=lots, display_lots=display, flags=flags,
            time_s=self.time_s + 2 if time_in_force == GTD else 0,
        )  # fmt: skip

    @rule(
        account=accounts,
        side=st.sampled_from(Side),
        lots=quantities,
        time_in_force=st.sampled_from([TimeInForce.IOC, TimeInForce.FOK]),
        mode=st.sampled_from(SelfTrade),
    )
    def market(self, account: int, side: Side, lots: int, time_in_force: TimeInForce, mode: int) -> None:
        self.submit(
            CommandKind.NEW_ORDER, account=account, side=side, order_type=OrderType.MARKET, time_in_force=time_in_force,
            self_trade=mode, quantity_lots=lots,
        )  # fmt: skip

    @rule(
        target=orders,
        account=accounts,
        side=st.sampled_from(Side),
        price=st.none() | prices,
        trigger=prices,
        lots=quantities,
        mode=st.sampled_from(SelfTrade),
    )
    def stop(self, account: int, side: Side, price: int | None, trigger: int, lots: int, mode: int) -> int:
        return self.submit(
            CommandKind.NEW_ORDER, account=account, side=side, time_in_force=TimeInForce.GTC, self_trade=mode,
            order_type=OrderType.STOP if price is None else OrderType.STOP_LIMIT, price_ticks=price or 0,
            trigger_ticks=trigger, quantity_lots=lots,
        )  # fmt: skip

    @rule(
        order=orders,
        account=accounts,
        price=st.none() | prices,
        lots=st.none() | st.integers(0, 15),
        display=st.none() | st.integers(0, 5),
        trigger=st.none() | prices,
    )
    def amend(
        self, order: int, account: int, price: int | None, lots: int | None, display: int | None, trigger: int | None
    ) -> None:
        given = ((price, Flag.CHANGE_PRICE), (lots, Flag.CHANGE_QUANTITY), (display, Flag.CHANGE_DISPLAY))
        flags = [flag for value, flag in (*given, (trigger, Flag.CHANGE_TRIGGER)) if value is not None]
        found = self.naive.orders.get(order)
        self.submit(
            CommandKind.AMEND, account=found.account if found else account, order_id=order, flags=sum(flags),
            price_ticks=price or 0, quantity_lots=lots or 0, display_lots=display or 0, trigger_ticks=trigger or 0,
        )  # fmt: skip

    @rule(order=orders)
    def cancel(self, order: int) -> None:
        self.submit(CommandKind.CANCEL, order_id=order)

    @rule(account=st.sampled_from([0, 2, 3]), side=st.sampled_from([*Side, BOTH_SIDES]))
    def mass_cancel(self, account: int, side: int) -> None:
        self.submit(CommandKind.MASS_CANCEL, account=account, side=side)

    @rule(phase=st.sampled_from(Phase))
    def set_phase(self, phase: Phase) -> None:
        self.submit(CommandKind.SET_PHASE, phase=phase)

    @rule(kind=st.sampled_from([CommandKind.HALT, CommandKind.RESUME]))
    def halt_or_resume(self, kind: CommandKind) -> None:
        self.submit(kind)

    @rule(seconds=st.integers(0, 3) | st.integers(899, 901))
    def time(self, seconds: int) -> None:
        self.time_s += seconds
        self.submit(CommandKind.TIME)

    @rule(rate=st.sampled_from([0, 10_000, 30_000]))
    def set_collar(self, rate: int) -> None:
        self.submit(CommandKind.SET_COLLAR, rate_ppm=rate)

    @rule(
        band=st.sampled_from([None, 20_000, 50_000, 10**6]),
        collar_rate=st.sampled_from([None, 0, 20_000]),
        lots=st.sampled_from([None, 0, 6, 500]),
        wrong=st.sampled_from([0, 0, 0, 0, 0, Flag.CHANGE_BAND, Flag.POST_ONLY]),
    )
    def change_instrument(self, band: int | None, collar_rate: int | None, lots: int | None, wrong: int) -> None:
        given = ((band, Flag.CHANGE_BAND), (collar_rate, Flag.CHANGE_COLLAR), (lots, Flag.CHANGE_QUANTITY))
        flags = sum(flag for value, flag in given if value is not None) ^ wrong
        values = {"rate_ppm": band or 0, "taker_rate_ppm": collar_rate or 0, "quantity_lots": lots or 0}
        self.submit(CommandKind.CHANGE_INSTRUMENT, flags=flags, **values)

    @rule(sure=st.integers(0, 5))
    def delist(self, sure: int) -> None:
        """Seldom: what is delisted never trades again."""
        self.submit(CommandKind.DELIST_INSTRUMENT, instrument=0 if sure == 5 else 1)

    @rule()
    def day_roll(self) -> None:
        self.submit(CommandKind.DAY_ROLL, date=20230101 + self.naive.trading_day)

    @rule(back=st.integers(1, 3))
    def bust(self, back: int) -> None:
        trades = list(self.naive.trades)
        self.submit(CommandKind.BUST_TRADE, order_id=trades[-back] if len(trades) >= back else 0)


EngineMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestEngineMachine = EngineMachine.TestCase
