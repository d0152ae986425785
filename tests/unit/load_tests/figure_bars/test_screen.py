"""A short bar of the wash screen, on one year that is in neither set of seeds. The long one is in `load_tests/figure_bars`."""

from __future__ import annotations

import numpy as np

from load_tests.figure_bars.ring_plans import flow_with, flow_with_toll, honest_flow, plain_rings
from load_tests.figure_bars.screen import TEST_SEEDS, TUNING_SEEDS, score
from load_tests.figure_bars.toll_processing import TOLL
from services.surveillance.screen import screen

SEED = 77
THIN = 70
"""Trades a day, of a usual 343."""


def test_the_seeds_of_the_bars_tuned_nothing() -> None:
    assert not set(TEST_SEEDS) & set(TUNING_SEEDS)
    assert SEED not in {*TEST_SEEDS, *TUNING_SEEDS}


def test_planted_rings_are_found_and_honest_members_are_not() -> None:
    flow = flow_with(SEED, plain_rings())
    found = score(flow, screen(flow.trades))
    assert found.wash_fen > found.honest_fen // 50
    assert found.precision >= 0.95
    assert found.recall >= 0.95


def test_thin_flow_has_no_giants_of_honest_members() -> None:
    """A fifth of the trades: members meet by chance, and yet honest turnover is not flagged and rings are found."""
    honest = honest_flow(SEED, THIN)
    assert len(honest.trades) < 20_000
    assert score(honest, screen(honest.trades)).honest_flagged <= 0.001
    flow = flow_with(SEED, plain_rings(), THIN)
    found = score(flow, screen(flow.trades))
    assert found.precision >= 0.9
    assert found.recall >= 0.9


def test_toll_processing_is_not_flagged() -> None:
    """Money comes back, and goods in another form."""
    flow = flow_with_toll(SEED, None, THIN)
    toll = flow.labels == TOLL
    assert flow.fen(toll) > flow.fen(~toll) // 20
    assert score(flow, screen(flow.trades)).honest_flagged <= 0.001


def test_labels_and_trades_are_what_they_say() -> None:
    flow = flow_with(SEED, plain_rings())
    trades, rings = flow.trades, range(1, 5)
    assert len(trades) == len(flow.labels) > 80_000
    assert np.unique(flow.labels).tolist() == [-4, -3, -2, -1, 0, 1, 2, 3, 4]
    for ring in rings:
        members = {*trades["buyer"][flow.labels == ring].tolist(), *trades["seller"][flow.labels == ring].tolist()}
        leaked = trades[flow.labels == -ring]
        assert len(members) in (2, 3, 4)
        assert set(leaked["seller"].tolist()) <= members
        assert not set(leaked["buyer"].tolist()) & members
        assert 0.05 < len(leaked) / (len(leaked) + (flow.labels == ring).sum()) < 0.11
    assert (trades["buyer"] != trades["seller"]).all()
    assert (np.diff(trades["trading_date"]) >= 0).all()
