from __future__ import annotations

import random
from collections import Counter
from typing import Any

from services.data.instruments import load_instruments
from services.simulator.accounts import VALUE_SHARE_BP
from services.simulator.market import MarketView


def instrument(symbol: str = "PRND-OX", **changed: Any) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "tick_size": "100.00",
        "lot_size": 1,
        "reference_price": "473000.00",
        "lower_limit": "444700.00",
        "upper_limit": "501300.00",
        "phase": "continuous",
    } | changed


def ticker(**changed: Any) -> dict[str, Any]:
    return {
        "symbol": "PRND-OX",
        "last": None,
        "best_bid": None,
        "best_ask": None,
        "reference_price": "473000.00",
        "lower_limit": "444700.00",
        "upper_limit": "501300.00",
        "phase": "continuous",
    } | changed


def test_prices_go_to_ticks_and_back() -> None:
    market = MarketView()
    market.list_instrument(instrument())
    quote = market.quotes["PRND-OX"]
    assert (quote.reference_ticks, quote.low_ticks, quote.high_ticks) == (4730, 4447, 5013)
    assert (quote.ticks("473100.00"), quote.price(4731)) == (4731, "473100.00")
    assert [quote.inside(ticks) for ticks in (4446, 4447, 5013, 5014)] == [False, True, True, False]


def test_traders_begin_at_the_last_settlement_until_they_see_a_trade() -> None:
    market = MarketView()
    market.list_instrument(instrument())
    market.apply_ticker(
        ticker(best_bid="470000.00")
    )  # a day that has no trade yet: the reference price is the settlement
    assert market.quotes["PRND-OX"].fair_ticks == 4730


def test_a_restarted_simulator_goes_on_from_the_last_price_once() -> None:
    market = MarketView()
    market.list_instrument(instrument())
    quote = market.quotes["PRND-OX"]
    market.apply_ticker(ticker(last="480000.00", best_bid="479900.00"))
    assert (quote.fair_ticks, quote.bid_ticks, quote.ask_ticks) == (4800, 4799, None)
    market.apply_ticker(ticker(last="481000.00"))
    assert quote.fair_ticks == 4800


def test_listing_again_keeps_the_opinion_and_takes_the_band() -> None:
    market = MarketView()
    market.list_instrument(instrument())
    market.quotes["PRND-OX"].fair_ticks = 4700
    market.list_instrument(instrument(upper_limit="500000.00", phase="halted"))
    quote = market.quotes["PRND-OX"]
    assert (quote.fair_ticks, quote.high_ticks, quote.open) == (4700, 5000, False)


def test_the_fair_price_wanders_but_stays_inside_the_band() -> None:
    market = MarketView()
    market.list_instrument(instrument(lower_limit="472500.00", upper_limit="473500.00"))
    quote = market.quotes["PRND-OX"]
    rng = random.Random(7)
    seen = set()
    for _ in range(20_000):
        before = quote.fair_ticks
        quote.wander(rng)
        assert abs(quote.fair_ticks - before) <= 1
        seen.add(quote.fair_ticks)
    assert seen == set(range(4726, 4735))


def shipped_market() -> MarketView:
    market = MarketView()
    for facts in load_instruments():
        reference = facts.reference_price
        width = reference * facts.band_ppm / 1_000_000
        market.list_instrument(
            instrument(
                facts.symbol,
                tick_size=str(facts.tick_size),
                lot_size=facts.lot_size,
                reference_price=str(reference),
                lower_limit=str(reference - width),
                upper_limit=str(reference + width),
            )
        )
    return market


def test_turns_follow_the_shares_of_value() -> None:
    market = shipped_market()
    rng = random.Random(11)
    turns: Counter[str] = Counter()
    value: Counter[str] = Counter()
    for _ in range(20_000):
        quote = market.choose(rng)
        assert quote is not None
        turns[quote.symbol] += 1
        value[quote.symbol] += int(quote.typical_lots * quote.reference_ticks * quote.tick_size * quote.lot_size)
    assert set(turns) == set(VALUE_SHARE_BP)
    assert abs(value["PRND-OX"] / value.total() - 0.22) < 0.03
    assert abs(value["NDFEB-N42"] / value.total() - 0.11) < 0.02


def test_nothing_is_chosen_while_nothing_takes_orders() -> None:
    market = MarketView()
    market.list_instrument(instrument(phase="closed"))
    assert market.choose(random.Random(1)) is None
    for phase in ("call_auction", "continuous"):
        market.apply_ticker(ticker(phase=phase))
        assert market.choose(random.Random(1)) is market.quotes["PRND-OX"]
        assert market.quotes["PRND-OX"].open == (phase == "continuous")
