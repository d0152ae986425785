"""Laws of the wash screen, on small venues with rings of any shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.surveillance.contracts import Finding, ScreenTrades
from services.surveillance.screen import screen
from tests.long import examples
from tests.unit.surveillance.trades_by_hand import HONEST, Deal, background, trades_of

RING = (1, 2, 3, 4)
OUTSIDERS = (201, 202)

_deals = st.builds(
    lambda pair, taker, *rest: replace(Deal(pair[0], pair[1], *rest), aggressor=(0, *pair)[taker]),
    st.permutations([*RING, 101]).map(lambda members: members[:2]), st.integers(0, 2), st.integers(1, 400_000),
    st.integers(0, 19), st.integers(0, 1), st.booleans(),
)  # fmt: skip
flows = st.lists(_deals, min_size=20, max_size=60)
"""Trades among four members and one honest one; about half of these flows have findings."""

few = settings(max_examples=examples(25))


def content(finding: Finding) -> tuple[object, ...]:
    """All of a finding but members, edges and sentences."""
    return (
        finding.kind, finding.first_date, finding.last_date, finding.window_first_date, finding.window_last_date,
        finding.trade_ids, finding.amount_fen, finding.inside_share,
        finding.lift, finding.net_share,
    )  # fmt: skip


def relabelled(trades: ScreenTrades, names: dict[int, int]) -> ScreenTrades:
    """The trades with other numbers for the members."""
    changed = trades.copy()
    for side in ("buyer", "seller", "aggressor"):
        changed[side] = [names.get(member, 0) for member in trades[side].tolist()]
    return changed


@few
@given(flows, st.permutations([*RING, *HONEST]))
def test_other_numbers_for_the_members_change_nothing(deals: list[Deal], order: list[int]) -> None:
    trades, names = trades_of([*deals, *background()]), dict(zip([*RING, *HONEST], order, strict=True))
    found, again = screen(trades), screen(relabelled(trades, names))
    assert [content(one) for one in again] == [content(one) for one in found]
    assert [one.members for one in again] == [tuple(sorted(names[member] for member in one.members)) for one in found]


@few
@given(flows, st.integers(1, 10**15))
def test_another_time_of_day_changes_nothing(deals: list[Deal], later_ns: int) -> None:
    trades = trades_of([*deals, *background()])
    shifted = trades.copy()
    for name in ("time_ns", "maker_entered_ns", "taker_entered_ns"):
        shifted[name] += later_ns
    assert screen(shifted) == screen(trades)


@few
@given(flows, st.integers(1, 10**7), st.integers(0, 19), st.booleans())
def test_a_trade_of_outsiders_makes_no_finding_of_them(deals: list[Deal], amount: int, day: int, matched: bool) -> None:
    """They trade with honest members, too, but so far not with each other."""
    known = [Deal(outsider, honest, 30_000, day) for outsider in OUTSIDERS for honest in HONEST for day in (2, 9)]
    trade = Deal(*OUTSIDERS, amount, day, matched=matched)
    found = screen(trades_of([*deals, *known, *background(), trade]))
    assert not {member for finding in found for member in finding.members} & set(OUTSIDERS)


@few
@given(flows)
def test_findings_are_disjoint_choices_of_the_trades_and_add_up(deals: list[Deal]) -> None:
    trades = trades_of([*deals, *background()])
    found = screen(trades)
    ids = [trade for finding in found for trade in finding.trade_ids]
    assert len(ids) == len(set(ids))
    assert set(ids) <= set(trades["trade_id"].tolist())
    for finding in found:
        chosen = trades[np.isin(trades["trade_id"], finding.trade_ids)]
        assert finding.amount_fen == int(chosen["amount_fen"].sum()) == sum(edge.amount_fen for edge in finding.edges)
        assert sum(edge.trades for edge in finding.edges) == len(finding.trade_ids) == len(chosen)
        assert set(finding.members) == {*chosen["buyer"].tolist(), *chosen["seller"].tolist()}
        assert len(finding.members) >= 2
        assert 0 <= finding.net_share <= 1
        assert 0 < finding.inside_share <= 1
        dates = chosen["trading_date"].tolist()
        assert (finding.first_date, finding.last_date) == (min(dates), max(dates))
        assert finding.window_first_date <= finding.first_date <= finding.last_date <= finding.window_last_date


def test_the_flows_have_findings() -> None:
    """The laws above are of something."""
    members = [(1, 2), (2, 1), (3, 4), (4, 3)]
    deals = [Deal(*members[number % 4], 100_000, number % 20) for number in range(40)]
    assert len(screen(trades_of([*deals, *background()]))) == 2
