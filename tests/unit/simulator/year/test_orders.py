"""The orders of simulated members: quotes do not cross, sizes are unbiased, receipts bring members back to their balances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.records import CommandKind, Side, TimeInForce
from services.data.instruments import load_instruments
from services.simulator.year.fair_prices import january_ticks
from services.simulator.year.members import MAKERS, members
from services.simulator.year.orders import auction_orders, make_market, quote_grid, quotes, trading_orders
from services.simulator.year.receipts import Endowment, KeptBalances
from tests.long import examples

INSTRUMENTS = load_instruments()
MARKET = make_market(INSTRUMENTS, members(), range(2, 46))
FAIR = np.array([january_ticks(facts) for facts in INSTRUMENTS], dtype=float)
ALL = np.arange(len(INSTRUMENTS))


def worth_fen(commands: Any) -> int:
    return int(
        (
            commands["quantity_lots"]
            * np.rint(FAIR)[commands["instrument"]]
            * MARKET.tick_value_fen[commands["instrument"]]
        ).sum()
    )


def test_there_are_44_members_with_names_of_their_own() -> None:
    everyone = members()
    assert len(everyone) == len({member.name for member in everyone}) == 44
    assert [member.is_maker for member in everyone] == [True] * MAKERS + [False] * 38
    assert (MARKET.weights * MARKET.buys).sum() == pytest.approx(0.5, abs=0.001)


@given(seed=st.integers(0, 10_000), pairs=st.integers(1, 20), moves=st.floats(-0.02, 0.02))
@settings(deadline=None, max_examples=examples(30))
def test_makers_never_trade_with_each_other(seed: int, pairs: int, moves: float) -> None:
    rng = np.random.default_rng(seed)
    grid = quote_grid(ALL, np.full(len(ALL), pairs), seed)
    made = quotes(rng, MARKET, grid, FAIR * (1 + moves), np.full(len(ALL), 50.0), 0)
    assert len(made) == 2 * len(ALL) * pairs
    for number in ALL:
        own = made[made["instrument"] == number]
        assert own["price_ticks"][own["side"] == Side.BUY].max() < own["price_ticks"][own["side"] == Side.SELL].min()
        assert own["quantity_lots"].min() >= 1
    assert np.all(np.diff(made["time_ns"]) > 0)
    assert set(made["account"].tolist()) <= set(range(2, 2 + MAKERS))


def test_orders_are_worth_what_they_are_to_trade_on_average() -> None:
    rng, amount_fen = np.random.default_rng(1), 500_000_000
    slices = [trading_orders(rng, MARKET, 20, amount_fen, FAIR, 0, 10**9) for _ in range(600)]
    at_once = [worth_fen(orders[orders["time_in_force"] == TimeInForce.IOC]) for orders in slices]
    assert np.mean(at_once) == pytest.approx(amount_fen, rel=0.03)
    auctions = [auction_orders(rng, MARKET, 10, amount_fen, FAIR, 0, 10**9) for _ in range(300)]
    bought = [worth_fen(orders[orders["side"] == Side.BUY]) for orders in auctions]
    assert np.mean(bought) == pytest.approx(amount_fen, rel=0.05)


def test_an_auction_s_pairs_cross_between_two_members() -> None:
    orders = auction_orders(np.random.default_rng(2), MARKET, 10, 10**9, FAIR, 0, 10**9, also=[3, 5])
    buys, sells = orders[0::2], orders[1::2]
    assert {3, 5} <= set(buys["instrument"].tolist())
    assert np.all(buys["price_ticks"] >= sells["price_ticks"])
    assert np.all(buys["account"] != sells["account"])
    assert np.all(buys["quantity_lots"] == sells["quantity_lots"])


class Held:
    """Balances in memory, with a reserved part."""

    def __init__(self, cash: dict[int, int], lots: dict[tuple[int, int], int], reserved_percent: int) -> None:
        self.fen, self.lots, self.percent = cash, lots, reserved_percent

    def cash(self, account: int) -> tuple[int, int]:
        return self.fen[account], self.fen[account] * self.percent // 100

    def holding(self, account: int, instrument: int) -> tuple[int, int]:
        lots = self.lots[account, instrument]
        return lots, lots * self.percent // 100


@given(seed=st.integers(0, 1_000), reserved_percent=st.integers(0, 100))
@settings(deadline=None, max_examples=examples(20))
def test_receipts_and_money_bring_balances_back_and_never_take_reserved_ones(seed: int, reserved_percent: int) -> None:
    rng = np.random.default_rng(seed)
    kept_lots = rng.integers(0, 2_000, (len(MARKET.accounts), len(ALL))) * rng.integers(0, 2)
    usual = Endowment(MARKET, 2_346_000_000_000, 25e6, FAIR, KeptBalances(kept_lots[:, 0] * 10**8, kept_lots))
    accounts = MARKET.accounts.tolist()
    held = Held(
        {account: int(usual.cash_fen[n] * rng.uniform(0, 3)) for n, account in enumerate(accounts)},
        {(a, int(i)): int(usual.lots[n, i] * rng.uniform(0, 3)) for n, a in enumerate(accounts) for i in ALL},
        reserved_percent,
    )
    for command in usual.corrections(held, 0):
        account, instrument = int(command["account"]), int(command["instrument"])
        if command["kind"] in (CommandKind.DEPOSIT, CommandKind.WITHDRAW):
            (present, reserved), amount, member = held.cash(account), int(command["amount_fen"]), account - 2
            wanted = int(usual.cash_fen[member])
        else:
            (present, reserved), amount = held.holding(account, instrument), int(command["quantity_lots"])
            wanted = int(usual.lots[account - 2, instrument])
        assert amount > 0
        if command["kind"] in (CommandKind.DEPOSIT, CommandKind.RECEIVE):
            assert present + amount == wanted
        else:
            assert present - amount >= max(wanted, reserved)
