from __future__ import annotations

import re
from typing import Any

from services.dashboard.control_panels import board
from services.dashboard.market_panels import (
    LADDER_LEVELS,
    chooser,
    instrument_head,
    ladder,
    last_trades,
    market_table,
    tape,
)

INSTRUMENT: dict[str, Any] = {
    "symbol": "PRND-OX",
    "name_en": "Praseodymium-neodymium oxide",
    "name_zh": "氧化镨钕",
    "unit": "t",
    "lot_size": 1,
    "tick_size": "100.00",
    "reference_price_source": "sourced",
    "spec": "TREO >= 99%",
    "note": "",
    "max_quantity": 100_000,
    "collar_rate": "0.050000",
    "volatility_rate": "0.030000",
    "auction_seconds": 120,
}
TICKER: dict[str, Any] = {
    "symbol": "PRND-OX",
    "last": "473500.00",
    "high": "473500.00",
    "low": "472000.00",
    "best_bid": "473400.00",
    "best_ask": "473600.00",
    "volume": 1234,
    "turnover": "584299000.00",
    "reference_price": "473000.00",
    "lower_limit": "444700.00",
    "upper_limit": "501300.00",
    "phase": "continuous",
    "indicative_price": None,
    "indicative_volume": None,
    "indicative_imbalance": None,
    "auction_ends_at": None,
}
AUCTION = TICKER | {
    "phase": "call_auction",
    "indicative_price": "473200.00",
    "indicative_volume": 120,
    "indicative_imbalance": -35,
}
VOLATILITY_AUCTION = AUCTION | {"auction_ends_at": "2023-12-01T02:01:05.000000Z"}
NOW_NS = 1_701_396_000_000_000_000
"""2023-12-01T02:00:00Z"""
TRADE: dict[str, Any] = {
    "trade_id": "7340033",
    "symbol": "PRND-OX",
    "price": "473500.00",
    "quantity": 3,
    "amount": "1420500.00",
    "taker_side": "sell",
    "time": "2023-12-01T02:00:01.000000Z",
    "busted": False,
}


def texts(html: str) -> list[str]:
    return [text for text in re.sub(r"<[^>]*>", "\n", html).split("\n") if text]


def level(price: str, quantity: int) -> dict[str, Any]:
    return {"price": price, "quantity": quantity, "orders": 1}


def test_the_market_table_shows_every_number_in_full() -> None:
    shown = texts(market_table([INSTRUMENT], {"PRND-OX": TICKER}))
    assert shown[-8:] == [
        "PRND-OX",
        "氧化镨钕",
        "473,500.00",
        "+0.11 %",
        "473,400.00",
        "473,600.00",
        "1,234",
        "584,299,000.00",
    ]


def test_an_instrument_that_does_not_trade_says_why() -> None:
    for ticker, word in (
        (TICKER | {"phase": "halted"}, "halted"),
        (AUCTION, "call"),
        (VOLATILITY_AUCTION, "volatility"),
        (TICKER | {"phase": "auction_matching"}, "matching"),
    ):
        assert texts(market_table([INSTRUMENT], {"PRND-OX": ticker}))[-5] == word
    assert texts(market_table([INSTRUMENT], {}))[-2:] == ["PRND-OX", "氧化镨钕"]


def test_the_tape_names_the_instrument_and_colours_by_taker() -> None:
    html = tape([TRADE])
    assert texts(html)[-5:] == ["10:00:01", "PRND-OX", "473,500.00", "3", "1,420,500.00"]
    assert 'class="num down"' in html
    assert texts(last_trades([TRADE]))[-4:] == ["10:00:01", "473,500.00", "3", "1,420,500.00"]


def test_in_an_auction_nobody_takes_and_a_busted_trade_is_struck_through() -> None:
    for trades in (tape, last_trades):
        assert 'class="num auction"' in trades([TRADE | {"taker_side": None}])
        assert "class=busted" in trades([TRADE | {"busted": True}])
        assert "class=busted" not in trades([TRADE])


def test_the_ladder_has_the_best_prices_in_the_middle_and_marks_own_ones() -> None:
    depth = {
        "bids": [level("473400.00", 10), level("473300.00", 5)],
        "asks": [level("473600.00", 20), level("473700.00", 1)],
    }
    html = ladder(depth, {("buy", "473300.00"), ("sell", "473400.00")}, TICKER)
    assert re.findall(r'data-price="([^"]*)"', html) == ["473700.00", "473600.00", "473400.00", "473300.00"]
    assert re.findall(r"width:(\d+)%", html) == ["5", "100", "50", "25"]
    assert re.findall(r'class="(\w+ mine)" data-price="([^"]*)"', html) == [("bid mine", "473300.00")]
    assert "0.04 % of the best bid" in html


def test_a_deep_book_shows_its_best_levels_only_and_an_empty_one_says_so() -> None:
    many = [level(f"{473_600 + 100 * n}.00", 1) for n in range(30)]
    html = ladder({"bids": [], "asks": many}, set(), TICKER)
    assert re.findall(r'data-price="([^"]*)"', html) == [entry["price"] for entry in reversed(many[:LADDER_LEVELS])]
    assert "one side is empty" in html


def test_between_crossed_sides_stands_what_the_auction_would_do() -> None:
    crossed = {"bids": [level("473600.00", 10)], "asks": [level("473400.00", 20)]}
    assert texts(ladder(crossed, set(), AUCTION))[-6:-3] == ["auction", "473,200.00", "120"]
    assert "crossed: an auction will match it" in ladder(crossed, set(), TICKER | {"phase": "halted"})


def test_the_head_says_phase_limits_and_while_an_auction_collects_what_it_would_do() -> None:
    trading = texts(instrument_head(INSTRUMENT, TICKER, NOW_NS))
    assert trading[trading.index("continuous ") + 1] == "连续交易"
    assert trading[trading.index("Collar / pause") + 1 :][:3] == ["5.00 %", " / ", "3.00 %"]
    assert trading[-2:] == ["Turnover today ¥", "584,299,000.00"]
    auction = texts(instrument_head(INSTRUMENT, AUCTION, NOW_NS))
    assert auction[auction.index("Indicative 参考价 ¥") :] == [
        *("Indicative 参考价 ¥", "473,200.00", "Would trade, lots", "120", "Imbalance", "−35", " sells left over")
    ]
    unlimited = INSTRUMENT | {"collar_rate": None, "volatility_rate": None, "auction_seconds": None}
    assert "none / none" in texts(instrument_head(unlimited, TICKER, NOW_NS))


def test_a_volatility_auction_says_how_long_it_lasts_and_never_less_than_nothing() -> None:
    assert "1:05" in texts(instrument_head(INSTRUMENT, VOLATILITY_AUCTION, NOW_NS))
    assert "0:00" in texts(instrument_head(INSTRUMENT, VOLATILITY_AUCTION, NOW_NS + 10**12))
    assert 'class="phase call_auction volatility"' in instrument_head(INSTRUMENT, VOLATILITY_AUCTION, NOW_NS)


def test_the_chooser_leads_to_every_instrument_and_shows_where_one_is() -> None:
    other = INSTRUMENT | {"symbol": "Y-TGT", "name_en": "Yttrium sputtering target", "name_zh": "钇溅射靶材"}
    html = chooser([INSTRUMENT, other], {"PRND-OX": TICKER}, "Y-TGT")
    assert re.findall(r'class="(choice[^"]*)" href="([^"]*)"', html) == [
        ("choice", "/ui/trade/PRND-OX"),
        ("choice here", "/ui/trade/Y-TGT"),
    ]
    assert "钇溅射靶材 · Yttrium sputtering target" in html


def test_an_assumed_price_is_marked_with_its_reason() -> None:
    assumed = INSTRUMENT | {"reference_price_source": "assumed", "note": "assumed: scaled"}
    assert '<span class=assumed title="assumed: scaled">assumed</span>' in instrument_head(assumed, TICKER, NOW_NS)
    assert "class=assumed" not in instrument_head(INSTRUMENT, TICKER, NOW_NS)


def test_names_and_notes_cannot_bring_markup_into_a_page() -> None:
    hostile = INSTRUMENT | dict.fromkeys(("name_en", "name_zh", "spec", "note"), '"><script>alert(1)</script>')
    hostile["reference_price_source"] = "assumed"
    for html in (
        market_table([hostile], {"PRND-OX": TICKER}),
        chooser([hostile], {}, "PRND-OX"),
        instrument_head(hostile, TICKER, NOW_NS),
        board([hostile], {"PRND-OX": TICKER}, NOW_NS, may_act=True),
    ):
        assert "&lt;script&gt;" in html
        assert "<script" not in html
        assert '"&gt;' not in html  # a quotation mark inside an attribute would end it
