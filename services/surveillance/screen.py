"""The wash screen: closed groups, matched orders within them, and trades under declared common control.

For each window of trading days: members who meet far more often than chance gives form closed pairs; pairs are joined into
groups along who sold to whom (strongly connected components: goods can come back to where they began); a group that ends where
it began is a finding. A reciprocal trade alone is none: it is what makers and takers do all day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from services.surveillance.closed_groups import came_back, closed_groups, is_closed_group, is_even
from services.surveillance.components import components
from services.surveillance.contracts import Control, Finding, FindingKind, ScreenTrades
from services.surveillance.graph import Choice, Integers, TradeGraph
from services.surveillance.merging import Suspicion, merged
from services.surveillance.thresholds import DEFAULT, GroupRule, ScreenWindow, Thresholds
from services.surveillance.wording import FindingFacts, chinese, english


def screen(
    trades: ScreenTrades,
    thresholds: Thresholds = DEFAULT,
    *,
    control: Control | None = None,
    names: Mapping[int, str] | None = None,
) -> tuple[Finding, ...]:
    """The findings of a period, by their first trade. A trade is in at most one finding.

    `trades` are one period's, ordered by date and id; `control` is the declared common control, `names` what the sentences call
    the members (default: "member 7"). Suspicions of different windows that share a trade are one finding if they are one closed
    group still (`merging.py`).
    """
    declared = TradeGraph(trades, control or {})
    certain = declared.seller == declared.buyer
    graph = TradeGraph(trades[~certain], control or {})
    made = [_finding(declared, one, names or {}) for one in _under_common_control(declared, certain)]
    suspicions = [one for window in thresholds.windows for one in _suspicions(graph, window, thresholds)]
    found = merged(graph, suspicions, thresholds.matched_trades)
    made += [_finding(graph, suspicion, names or {}) for suspicion in found]
    return tuple(sorted(made, key=lambda finding: finding.trade_ids[0]))


def windows(days: int, window: ScreenWindow) -> list[tuple[int, int]]:
    """First and last day of each window, by their place among `days` days; fewer days than a window has make one window."""
    ends = [*range(window.days - 1, days - 1, window.step_days), days - 1] if days else []
    return [(max(0, end - window.days + 1), end) for end in ends]


def _under_common_control(graph: TradeGraph, certain: NDArray[np.bool_]) -> Iterator[Suspicion]:
    for node in np.unique(graph.seller[certain]):
        trades = np.flatnonzero(certain & (graph.seller == node))
        yield Suspicion(FindingKind.COMMON_CONTROL, trades, 0, len(graph.days) - 1)


def _suspicions(graph: TradeGraph, window: ScreenWindow, thresholds: Thresholds) -> Iterator[Suspicion]:
    for first_day, last_day in windows(len(graph.days), window):
        left = graph.between(first_day, last_day)
        for rule in window.rules:
            # What a ring turns over makes chance look small for all others: the most closed group is taken out, and so on.
            while found := _most_closed(left, rule, thresholds):
                yield Suspicion(*found, first_day, last_day, (rule,))
                left = left.without(found[1])


def _most_closed(left: Choice, rule: GroupRule, thresholds: Thresholds) -> tuple[FindingKind, Integers] | None:
    """Kind and trades of the suspicious group that does the largest share of its turnover within itself."""
    judged = [
        (inside.total_fen / int(left.node_fen[group].sum()), -group[0], kind, trades)
        for group in closed_groups(left, rule)
        for inside in [left.inside(group)]
        for kind, trades in _judge(left, inside, rule, thresholds)
    ]
    return max(judged, key=lambda one: one[:2])[2:] if judged else None


def _judge(
    window: Choice, inside: Choice, rule: GroupRule, thresholds: Thresholds
) -> Iterator[tuple[FindingKind, Integers]]:
    """What a closed group's trades are: suspicious where they are even, without the products that went one way if that is a
    closed group, too; else its matched orders, else nothing."""
    returned = inside.of_products(came_back(inside))
    is_less = len(returned.at) < len(inside.at)
    if is_less and is_even(returned, rule) and is_closed_group(window, returned, returned.active, rule):
        yield FindingKind.CLOSED_GROUP, returned.at
        return
    if is_even(inside, rule):
        yield FindingKind.CLOSED_GROUP, inside.at
        return
    matched = returned.at[are_matched(inside.graph.trades[returned.at], thresholds.matched_apart_ns)]
    if len(matched) < thresholds.matched_trades:
        return
    # A delivery goes one way, often by matched orders: only what goes in a circle itself is suspicious.
    chosen = Choice(inside.graph, matched)
    for circle in components(chosen.successors(np.flatnonzero(chosen.pair_trades))):
        within = chosen.inside(circle).at
        if len(within) >= thresholds.matched_trades:
            yield FindingKind.MATCHED_ORDERS, within


def are_matched(trades: ScreenTrades, apart_ns: int) -> NDArray[np.bool_]:
    """Which trades filled both orders whole, entered at most apart_ns apart."""
    lots = trades["quantity_lots"]
    whole = (trades["maker_order_lots"] == lots) & (trades["taker_order_lots"] == lots)
    apart = np.abs(trades["maker_entered_ns"] - trades["taker_entered_ns"])
    return np.asarray(whole & (apart <= apart_ns), np.bool_)


def _finding(graph: TradeGraph, suspicion: Suspicion, names: Mapping[int, str]) -> Finding:
    """The finding with its ratios over all its days."""
    window, trades = graph.between(suspicion.first_day, suspicion.last_day), suspicion.trades
    these, chosen = Choice(graph, trades), graph.trades[trades]
    nodes = np.flatnonzero(these.node_fen).tolist()
    turnover = int(window.node_fen[nodes].sum())
    chance = sum(window.chance_fen(one, other) for one, other in combinations(nodes, 2))
    facts = FindingFacts(
        kind=suspicion.kind,
        members=tuple(np.unique(np.concatenate((chosen["seller"], chosen["buyer"]))).tolist()),
        trades=len(chosen),
        amount_fen=these.total_fen // 2,
        inside_share=these.total_fen / turnover,
        lift=these.total_fen / 2 / chance if chance else 0.0,
        net_share=these.net_fen / these.total_fen,
        reshaped_share=int(these.reshaped_fen.sum()) / these.total_fen,
    )
    return Finding(
        kind=facts.kind,
        first_date=int(chosen["trading_date"].min()),
        last_date=int(chosen["trading_date"].max()),
        window_first_date=int(graph.days[suspicion.first_day]),
        window_last_date=int(graph.days[suspicion.last_day]),
        members=facts.members,
        trade_ids=tuple(sorted(chosen["trade_id"].tolist())),
        amount_fen=facts.amount_fen,
        inside_share=facts.inside_share,
        lift=facts.lift,
        net_share=facts.net_share,
        edges=window.edges(trades),
        sentence_en=english(facts, names),
        sentence_zh=chinese(facts, names),
    )
