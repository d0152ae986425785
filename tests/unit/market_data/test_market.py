"""Market data out of journal batches, compared with the engine that made them."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.records import ALL_INSTRUMENTS, Command, CommandKind, Flag, Phase, Side, TimeInForce
from services.market_data import Level, Market
from tests.model.naive_engine import NaiveEngine
from tests.property.engine_flow import flow
from tests.unit.market_data.engine_batches import START_NS, TRADERS, EngineBatches, cancel, limit, opening, roll
from tests.unit.read_model.history import batches_of

BUY, SELL = Side.BUY, Side.SELL


def opened() -> tuple[EngineBatches, Market, int]:
    """A venue on its first day, its market, and the seq of the next command."""
    batches, market = EngineBatches(), Market()
    market.apply(batches.batch(*opening()))
    return batches, market, batches.engine.last_seq + 1


def test_depth_is_best_first_on_both_sides_with_absolute_totals() -> None:
    batches, market, _ = opened()
    market.apply(
        batches.batch(
            limit(2, BUY, 990, 5),
            limit(2, BUY, 995, 1),
            limit(3, BUY, 990, 2),
            limit(3, SELL, 1_010, 4),
            limit(3, SELL, 1_005, 9),
        )
    )
    assert market.depth(0) == ([Level(995, 1, 1), Level(990, 7, 2)], [Level(1_005, 9, 1), Level(1_010, 4, 1)])
    assert market.depth(0, 1) == ([Level(995, 1, 1)], [Level(1_005, 9, 1)])
    assert market.depth(1) == ([], [])


def test_a_canceled_order_leaves_no_level_behind() -> None:
    batches, market, seq = opened()
    market.apply(batches.batch(limit(2, BUY, 990, 5), cancel(2, seq)))
    assert market.depth(0) == ([], [])


def test_trades_make_the_tape_and_the_day() -> None:
    batches, market, seq = opened()
    market.apply(batches.batch(limit(2, SELL, 1_000, 3), limit(2, SELL, 1_020, 3), limit(3, BUY, 1_020, 5)))
    market.apply(batches.batch(limit(2, BUY, 980, 1), limit(3, SELL, 980, 1)))
    tape = market.recent_trades(0, 10)
    assert [(t.price_ticks, t.quantity_lots, t.taker_side, t.seq) for t in tape] == [
        (980, 1, SELL, seq + 4),
        (1_020, 2, BUY, seq + 2),
        (1_000, 3, BUY, seq + 2),
    ]
    assert [t.trade_id for t in tape] == [(seq + 4) << 20 | 1, (seq + 2) << 20 | 2, (seq + 2) << 20 | 1]
    assert tape[0].time_ns == START_NS + (seq + 4) * 1_000
    assert market.recent_trades(0, 1) == tape[:1]
    ticker = market.ticker(0)
    assert (ticker.open_ticks, ticker.high_ticks, ticker.low_ticks, ticker.last_ticks) == (1_000, 1_020, 980, 980)
    assert (ticker.volume_lots, ticker.turnover_fen, ticker.trades) == (6, (3_000 + 2_040 + 980) * 100, 3)
    assert (ticker.best_bid_ticks, ticker.best_ask_ticks) == (None, 1_020)
    assert (ticker.lower_limit_ticks, ticker.upper_limit_ticks) == (900, 1_100)
    assert (ticker.seq, ticker.trading_date, ticker.phase) == (seq + 4, 20231201, Phase.CONTINUOUS)


def test_the_day_roll_starts_the_day_anew_around_the_settlement_price() -> None:
    batches, market, _ = opened()
    gtc = limit(2, SELL, 1_060, 7, time_in_force=TimeInForce.GTC)
    market.apply(batches.batch(gtc, limit(3, BUY, 1_060, 5), limit(3, BUY, 990, 1), roll(20231204)))
    ticker = market.ticker(0)
    assert (ticker.trading_date, ticker.reference_ticks) == (20231204, 1_060)
    assert (ticker.open_ticks, ticker.last_ticks, ticker.volume_lots, ticker.turnover_fen) == (None, None, 0, 0)
    assert market.recent_trades(0, 10) == []
    assert market.depth(0) == ([], [Level(1_060, 2, 1)])


def test_a_halt_of_everything_is_seen_in_every_ticker() -> None:
    batches, market, seq = opened()
    changes = market.apply(batches.batch(Command(kind=CommandKind.HALT, instrument=1)))
    assert list(changes.ticker) == [1]
    assert [market.ticker(number).phase for number in (0, 1)] == [Phase.CONTINUOUS, Phase.HALTED]
    assert market.ticker(1).seq == seq


def test_changes_say_what_a_batch_touched_and_which_seq_came_before() -> None:
    batches, market, seq = opened()
    market.apply(batches.batch(limit(2, SELL, 1_000, 3)))
    quotation = market.of_instrument[0]
    assert quotation.depth_seq == seq
    changes = market.apply(batches.batch(limit(3, BUY, 1_000, 1), limit(3, BUY, 990, 1), limit(3, BUY, 985, 1)))
    assert changes.depth == {0: seq}
    assert quotation.depth_seq == seq + 3
    assert list(changes.levels[0]) == [(SELL, 1_000), (BUY, 990), (BUY, 985)]
    assert [trade.seq for trade in changes.traded[0]] == [seq + 1]
    assert quotation.ticker_seq == seq + 2, "a level behind the best one is no news for the ticker"
    assert changes.listed == []


def test_a_batch_that_overlaps_what_is_known_counts_once() -> None:
    batches, market, _ = opened()
    batch = batches.batch(limit(2, SELL, 1_000, 3), limit(3, BUY, 1_000, 1))
    market.apply(batch)
    before = market.ticker(0)
    changes = market.apply(batch)
    assert market.ticker(0) == before
    assert (changes.depth, changes.trades, changes.ticker) == ({}, {}, {})


def engine_depth(engine: NaiveEngine, instrument: int) -> tuple[list[Level], list[Level]]:
    bids, asks = engine.listed[instrument].sides

    def level(price: int, side: Side) -> Level:
        orders = engine.listed[instrument].sides[side][price]
        return Level(price, sum(order.shown for order in orders), len(orders))

    return [level(p, BUY) for p in sorted(bids, reverse=True)], [level(p, SELL) for p in sorted(asks)]


def check_market(market: Market, engine: NaiveEngine) -> int:
    """Asserts that the market equals the engine's; returns the number of instruments with an indicative price."""
    told = 0
    for instrument, listed in enumerate(engine.listed):
        ticker = market.ticker(instrument)
        assert market.depth(instrument) == engine_depth(engine, instrument)
        assert (ticker.reference_ticks, ticker.phase) == (listed.reference, engine.phase(instrument))
        assert (ticker.volume_lots, ticker.turnover_fen) == (listed.day_lots, listed.day_amount)
        assert ticker.last_ticks == (listed.last or None)
        collects = ticker.phase == Phase.CALL_AUCTION
        assert ticker.auction_ends_ns == (listed.auction_ends_ns if listed.in_auction and collects else 0)
        if ticker.indicative is not None:
            assert collects
            price, volume, imbalance = engine.auction(instrument)
            assert ticker.indicative == (price or None, volume, imbalance)
            told += 1
        busted = {trade.trade_id: trade.busted for trade in engine.trades.values()}
        assert all(trade.is_busted == busted[trade.trade_id] for trade in market.recent_trades(instrument, 200))
    return told


def test_whatever_happens_the_market_is_the_engine_s() -> None:
    told = 0
    for seed in range(12):
        market = Market()
        for engine, batch in batches_of(flow(seed, 400), Random(seed)):
            market.apply(batch)
            told += check_market(market, engine)
    assert told > 50


def test_an_auction_collects_tells_what_it_would_do_and_trades_at_one_price() -> None:
    batches, market, seq = opened()
    phase = Command(kind=CommandKind.SET_PHASE, instrument=0, phase=Phase.CALL_AUCTION)
    market.apply(batches.batch(phase))
    assert (market.ticker(0).phase, market.ticker(0).indicative) == (Phase.CALL_AUCTION, None)
    changes = market.apply(batches.batch(limit(2, BUY, 1_010, 5), limit(3, SELL, 990, 3)))
    assert changes.ticker == {0: seq}
    assert market.ticker(0).indicative == (1_000, 3, 2), "the reference, of all prices with as much volume"
    assert market.ticker(0).auction_ends_ns == 0, "no volatility auction"
    changes = market.apply(batches.batch(limit(2, BUY, 980, 1)))
    assert changes.ticker == {}, "an order that changes nothing of it is no news"
    market.apply(batches.batch(phase._replace(phase=Phase.CONTINUOUS)))
    (trade,) = market.recent_trades(0, 10)
    assert (trade.price_ticks, trade.quantity_lots, trade.is_auction) == (1_000, 3, True)
    assert (market.ticker(0).phase, market.ticker(0).indicative) == (Phase.CONTINUOUS, None)


def test_a_volatility_auction_says_when_it_is_expected_to_end() -> None:
    batches, market, seq = opened()
    band = Command(kind=CommandKind.SET_VOLATILITY_BAND, instrument=0, rate_ppm=10_000, time_s=30)
    market.apply(batches.batch(band, limit(2, SELL, 1_050, 1), limit(3, BUY, 1_050, 2)))
    ends_ns = START_NS + (seq + 2) * 1_000 + 30 * 10**9
    ticker = market.ticker(0)
    assert (ticker.phase, ticker.auction_ends_ns, ticker.indicative) == (Phase.CALL_AUCTION, ends_ns, (1_050, 1, 1))
    market.apply(batches.batch(Command(kind=CommandKind.HALT, instrument=0)))
    assert (market.ticker(0).phase, market.ticker(0).auction_ends_ns) == (Phase.HALTED, 0)
    market.apply(batches.batch(Command(kind=CommandKind.RESUME, instrument=0)))
    assert (market.ticker(0).phase, market.ticker(0).auction_ends_ns) == (Phase.CALL_AUCTION, ends_ns)


def test_a_delisting_ends_a_volatility_auction_and_empties_the_book() -> None:
    batches, market, _ = opened()
    band = Command(kind=CommandKind.SET_VOLATILITY_BAND, instrument=0, rate_ppm=10_000, time_s=30)
    market.apply(batches.batch(band, limit(2, SELL, 1_050, 1), limit(3, BUY, 1_050, 2)))
    market.apply(batches.batch(Command(kind=CommandKind.DELIST_INSTRUMENT, instrument=0)))
    assert (market.ticker(0).phase, market.ticker(0).indicative) == (Phase.DELISTED, None)
    assert market.of_instrument[0].auction_ends_ns == 0
    assert market.depth(0) == ([], [])


def test_other_terms_are_news_of_the_ticker() -> None:
    batches, market, _ = opened()
    terms = Command(kind=CommandKind.CHANGE_INSTRUMENT, instrument=0, flags=Flag.CHANGE_BAND, rate_ppm=20_000)
    assert list(market.apply(batches.batch(terms)).ticker) == [0]
    assert (market.ticker(0).lower_limit_ticks, market.ticker(0).upper_limit_ticks) == (980, 1_020)
    market.apply(batches.batch(terms._replace(flags=Flag.CHANGE_QUANTITY, rate_ppm=0, quantity_lots=5)))
    assert (market.ticker(0).lower_limit_ticks, market.ticker(0).upper_limit_ticks) == (980, 1_020)


def test_a_resume_of_what_was_not_halted_leaves_an_auction_s_indicative_price() -> None:
    batches, market, _ = opened()
    auction = Command(kind=CommandKind.SET_PHASE, instrument=0, phase=Phase.CALL_AUCTION)
    market.apply(batches.batch(auction, limit(2, BUY, 1_010, 5), limit(3, SELL, 990, 3)))
    market.apply(batches.batch(Command(kind=CommandKind.RESUME, instrument=ALL_INSTRUMENTS)))
    assert (market.ticker(0).phase, market.ticker(0).indicative) == (Phase.CALL_AUCTION, (1_000, 3, 2))


def test_a_bust_no_longer_counts_and_its_price_stays() -> None:
    batches, market, seq = opened()
    market.apply(batches.batch(limit(2, SELL, 1_000, 3), limit(3, BUY, 1_000, 2), limit(3, BUY, 1_000, 1)))
    trade_id = (seq + 2) << 20 | 1
    changes = market.apply(batches.batch(Command(kind=CommandKind.BUST_TRADE, order_id=trade_id)))
    assert (changes.trades, changes.busted, changes.ticker) == ({0: seq + 2}, {0: [trade_id]}, {0: seq + 2})
    ticker = market.ticker(0)
    assert (ticker.trades, ticker.volume_lots, ticker.turnover_fen, ticker.last_ticks) == (1, 2, 200_000, 1_000)
    assert [(trade.quantity_lots, trade.is_busted) for trade in market.recent_trades(0, 10)] == [(1, True), (2, False)]


def test_depth_shows_what_an_iceberg_shows() -> None:
    batches, market, _ = opened()
    market.apply(batches.batch(limit(2, SELL, 1_000, 10)._replace(display_lots=4), limit(3, BUY, 1_000, 5)))
    assert market.depth(0) == ([], [Level(1_000, 3, 1)]), "five of ten traded: the second slice has three of four left"


orders_strategy = st.builds(
    limit,
    st.sampled_from(TRADERS),
    st.sampled_from([BUY, SELL]),
    st.integers(995, 1_005),
    st.integers(1, 5),
    instrument=st.integers(0, 1),
    time_in_force=st.sampled_from(TimeInForce),
)
cancels_strategy = st.builds(cancel, st.sampled_from(TRADERS), st.integers(14, 60))
requests_strategy = st.lists(st.lists(orders_strategy | cancels_strategy, min_size=1, max_size=8), max_size=8)


@given(requests=requests_strategy, day_roll_after=st.integers(0, 8))
@settings(deadline=None)
def test_depth_equals_the_engines_own_after_every_batch(requests: list[list[Command]], day_roll_after: int) -> None:
    batches, market, _ = opened()
    for number, commands in enumerate(requests):
        market.apply(batches.batch(*commands, *([roll(20231204)] if number == day_roll_after else [])))
        for instrument in range(2):
            assert market.depth(instrument) == engine_depth(batches.engine, instrument)
            reference = batches.engine.listed[instrument].reference
            assert market.ticker(instrument).reference_ticks == reference
            assert market.ticker(instrument).volume_lots == batches.engine.listed[instrument].day_lots
            assert market.ticker(instrument).turnover_fen == batches.engine.listed[instrument].day_amount
