"""Texts that are not the same twice are not kept. A gateway whose cache had room for 8,192 amounts grew by 2 MB while the
turnovers of its tickers filled it, and no turnover is asked for again."""

from __future__ import annotations

import functools
import sys

from matching_engine.records import Event, EventKind, Side
from services.gateway.replies.execution_report import order_json
from services.gateway.replies.fills import cash_json, fill_json
from services.gateway.replies.market_json import ticker_json, trade_json
from services.market_data import Market
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState
from tests.unit.read_model.history import History, opening, order

TRADES = 300


def kept() -> dict[str, int]:
    """How many values each cache of the venue keeps."""
    return {
        f"{name}.{variable}": value.cache_info().currsize
        for name, module in [*sys.modules.items()]
        if name.startswith("services.")
        for variable, value in vars(module).items()
        if isinstance(value, functools._lru_cache_wrapper)
    }


def test_what_is_told_of_trades_does_not_stay() -> None:
    venue, state, market = History(), VenueState(), Market()
    last = venue.batch(opening())
    state.apply(last)
    market.apply(last)

    def told(bought: VenueOrder, event: Event) -> None:
        order_json(bought, state.instruments)
        if event.kind == EventKind.TRADE:
            fill_json(bought, event, state)

    state.order_listeners[3] = told

    def trade(times: int) -> None:
        for number in range(times):
            batch = venue.batch([order(2, Side.SELL, 1_000 + number % 3, 1 + number % 7), order(3, Side.BUY, 1_002, 2)])
            state.apply(batch)
            market.apply(batch)
            trade_json(state.instruments[0], market.recent_trades(0, 1)[0])
            ticker_json(state.instruments[0], market.ticker(0))
            cash_json(state.accounts[2].cash_fen, state.accounts[3].cash_fen)

    trade(TRADES)  # The small caches of times are full then.
    before = kept()
    assert before
    trade(TRADES)
    assert {name: size for name, size in kept().items() if size > before[name]} == {}
