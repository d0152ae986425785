from __future__ import annotations

import re
from typing import Any

import pytest

from services.dashboard.figure_panels import adds_up, hero, products
from services.dashboard.frame import header
from services.dashboard.health_panel import health
from services.dashboard.live import LiveFeed
from services.dashboard.pace_chart import pace_chart
from tests.unit.dashboard.test_market_panels import texts

LINES = [
    {"symbol": "NDFEB-N35", "name_en": "Sintered NdFeB blank N35", "name_zh": "烧结钕铁硼毛坯 N35", "net": "250.00"},
    {"symbol": "PRND-OX", "name_en": "Praseodymium-neodymium oxide", "name_zh": "氧化镨钕", "net": "750.01"},
]
REPORT: dict[str, Any] = {
    "year": 2023,
    "net": "1000.01",
    "gross": "1500.01",
    "excluded": "100.00",
    "excluded_trades": 1,
    "busted": "400.00",
    "busted_trades": 2,
    "today": "400.01",
    "trades": 12,
    "prevented_self_trades": 3,
    "prevented_tonnes": "1.500",
    "counting_rule": "Each trade once & only once.",
    "assumptions": ["Lots are assumed."],
    "target": "23000000000.00",
    "target_name": "the plan",
    "share": "0.000000",
    "calendar": "published",
    "verdict": "Behind & far.",
    "verdict_zh": "落后。",
    "days_completed": 2,
    "days_left": 1,
    "pace": "15333333333.33",
    "ahead": "-15333332333.32",
    "ahead_days": "-2.00",
    "required_per_day": "22999998999.99",
    "required_level": "red",
    "forecast": {"too_early": True, "p50_rounded": None},
    "categories": [
        {"category": "magnetic_material", "net": "250.00", "share": "0.249998", "tonnes": "0.100"},
        {"category": "deep_processed", "net": "750.01", "share": "0.750002", "tonnes": "1.000"},
    ],
    "products": [{**line, "share": "0.5", "tonnes": "1.000"} for line in LINES],
    "days": [
        {"date": "2023-12-27", "pace": "7666666666.67", "net": "600.00", "cumulative": "600.00"},
        {"date": "2023-12-28", "pace": "15333333333.33", "net": "400.01", "cumulative": "1000.01"},
        {"date": "2023-12-29", "pace": "23000000000.00", "net": None, "cumulative": None},
    ],
    "seq": 1234,
    "row_hash": "ab" * 32,
}
VENUE = {"seq": 1240, "trading_date": "2023-12-28", "schedule": "always", "demo": True, "kill_switch": False}


def keys(html: str) -> dict[str, tuple[str, str]]:
    return {
        key: (colour, text) for colour, key, text in re.findall(r'<b class="(\w*)" data-key=([\w-]+)>([^<]*)<', html)
    }


def test_the_figure_stands_in_full_beside_its_target_and_rule() -> None:
    html = hero(REPORT)
    assert "<span data-testid=net>1,000.01</span>" in html
    assert "of ¥ 23,000,000,000.00" in html
    assert "Each trade once &amp; only once." in html
    assert "Lots are assumed." in html
    assert "Behind &amp; far. <span class=zh>落后。</span>" in html
    assert 'style="left:66.6667%"' in html


def test_behind_ahead_and_too_early_are_said() -> None:
    behind = keys(hero(REPORT))
    assert behind["ahead"] == ("warn", "15,333,332,333.32")
    assert behind["ahead-days"] == ("warn", "2.00"), "the label says the direction: no minus behind 'behind'"
    assert "¥ behind pace" in hero(REPORT)
    assert "Trading days behind" in hero(REPORT)
    assert behind["required"] == ("up", "22,999,998,999.99")
    assert behind["forecast"] == ("", "too early to say")
    ahead = keys(hero(REPORT | {"ahead": "5.00", "ahead_days": "0.01", "required_level": "green"}))
    assert ahead["ahead"] == ("good", "5.00")
    assert ahead["required"][0] == "good"
    known = keys(hero(REPORT | {"forecast": {"too_early": False, "p50_rounded": "22000000000.00"}}))
    assert known["forecast"] == ("", "22,000,000,000.00")
    closed = keys(hero(REPORT | {"forecast": None, "required_per_day": None, "required_level": None}))
    assert closed["required"] == ("", "closed 已结束")


def test_a_year_without_calendar_says_so_beside_the_figure_and_in_the_header() -> None:
    assert "calendar: assumed" not in hero(REPORT)
    assert "calendar: assumed" in hero(REPORT | {"calendar": "assumed"})
    assert "calendar: assumed" in header(VENUE, {"continuous": 32}, True, "operator")
    assert "calendar: assumed" not in header(VENUE, {"continuous": 32}, False, "operator")


def test_a_figure_beyond_the_target_fills_the_track_and_no_more() -> None:
    assert 'style="width:100.0000%"' in hero(REPORT | {"net": "24000000000.00"})


def test_products_stand_largest_first_and_no_turnover_at_all_is_no_trouble() -> None:
    html = products(REPORT)
    assert re.findall(r'data-product="([^"]*)"', html) == ["PRND-OX", "NDFEB-N35"]
    assert re.findall(r'class=bar style="width:([^"]*)%', html) == ["100.00", "33.33"]
    empty = REPORT | {"products": [line | {"net": "0.00"} for line in REPORT["products"]]}
    assert re.findall(r'class=bar style="width:([^"]*)%', products(empty)) == ["0.00", "0.00"]


@pytest.mark.parametrize("part", ["categories", "products", "days"])
def test_a_fen_missing_in_any_split_is_seen(part: str) -> None:
    assert adds_up(REPORT)
    wrong = REPORT | {part: [REPORT[part][0] | {"net": "0.01"}, *REPORT[part][1:]]}
    assert not adds_up(wrong)
    assert "dot bad" in health(VENUE, wrong, None, 0)


def test_health_says_how_far_the_report_is_behind_and_how_old_the_last_trade_is() -> None:
    trade = {"time": "2023-12-01T02:00:00.000000Z"}
    shown = texts(health(VENUE, REPORT, trade, 1_701_396_007_000_000_000))
    assert shown[:6] == ["journal seq", "1,240", "last trade", "7 s", "report lags", "6 seq"]
    assert "dot bad" not in health(VENUE, REPORT, trade, 0)
    assert "dot bad" in health(VENUE | {"seq": 20_000}, REPORT, trade, 0)


def test_the_strip_leads_from_gross_to_net() -> None:
    shown = dict(re.findall(r"data-integrity=(\w+)>([^<]*)<", health(VENUE, REPORT, None, 0)))
    assert shown == {
        "gross": "1,500.01",
        "busted": "400.00 (2)",
        "excluded": "100.00 (1)",
        "net": "1,000.01",
        "prevented": "3 · 1.500 t",
    }


def test_the_header_counts_phases_where_they_differ_and_names_the_venue() -> None:
    html = header(VENUE, {"continuous": 31, "halted": 1}, False, "trade")
    assert "continuous 31 · halted 1" in html
    assert ">call auction<" in header(VENUE, {"call auction": 32}, False, "trade")
    assert "稀土交易所" in html
    assert "simulated traders" in html
    assert "simulated traders" not in header(VENUE | {"demo": False}, {}, False, "trade")
    assert "PROTOTYPE" in header(None, {}, False, "trade")
    assert "no trade is real" in header(VENUE, {}, False, "trade", simulated=True)
    assert "no trade is real" not in html


def test_the_header_tells_a_volatility_auction_from_a_call_auction() -> None:
    live = LiveFeed(lambda: "http://127.0.0.1:1", "rex_key")
    call: dict[str, str | None] = {"phase": "call_auction", "auction_ends_at": None}
    live.tickers = {"ND-OX": call, "PRND-OX": call | {"auction_ends_at": "2023-12-01T02:01:05.000000Z"}}
    assert "call auction 1 · volatility auction 1" in header(VENUE, live.phases(), False, "trade")


def test_the_chart_ends_where_the_year_has_come_to() -> None:
    pace, actual = pace_chart(REPORT)["series"]
    assert pace["data"] == [7.66666666667, 15.33333333333, 23.0]
    assert actual["data"] == [0.0000006, 0.00000100001, None]
    assert actual["markPoint"]["data"] == [{"coord": [1, 0.00000100001]}]
    assert pace_chart(REPORT | {"days": []})["series"][1]["markPoint"]["data"] == []
