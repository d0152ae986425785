from __future__ import annotations

import re
from typing import Any

from services.dashboard.control_panels import accounts, board, switches, trades_to_bust
from tests.unit.dashboard.test_market_panels import INSTRUMENT, NOW_NS, TICKER, TRADE, VOLATILITY_AUCTION, texts

ACCOUNT: dict[str, Any] = {
    "account": 4,
    "name": "Baotou <Magnets>",
    "open_orders": 12,
    "day_turnover": "1000.00",
    "available": "5000.00",
    "kill_switch": False,
}
VENUE = {"kill_switch": False}


def acts(html: str) -> list[tuple[str, str]]:
    return re.findall(r'data-act=([\w-]+) data-of="?([^">]*)"?>', html)


def test_a_tile_says_the_phase_and_what_may_be_done_about_it() -> None:
    trading = board([INSTRUMENT], {"PRND-OX": TICKER}, NOW_NS, may_act=True)
    assert texts(trading)[-3:] == ["continuous ", "连续交易", "last 473,500.00"]
    assert acts(trading) == [("halt", "PRND-OX")]
    halted = board([INSTRUMENT], {"PRND-OX": TICKER | {"phase": "halted"}}, NOW_NS, may_act=True)
    assert acts(halted) == [("resume", "PRND-OX")]
    auction = board([INSTRUMENT], {"PRND-OX": VOLATILITY_AUCTION}, NOW_NS, may_act=True)
    assert texts(auction)[-2:] == ["1:05", "would trade 120 at 473,200.00"]


def test_the_kill_switch_offers_the_other_position() -> None:
    off, on = [
        switches({"kill_switch": state}, {"continuous": 30, "halted": 2}, may_act=True) for state in (False, True)
    ]
    assert acts(off)[0] == ("kill-on", "")
    assert acts(on)[0] == ("kill-off", "")
    assert "on: cancels only" in on
    assert "2 of 32 halted" in on


def test_accounts_have_their_switches_by_number() -> None:
    assert acts(accounts([ACCOUNT])) == [("kill-on", "4"), ("mass-cancel", "4")]
    assert acts(accounts([ACCOUNT | {"kill_switch": True}])) == [("kill-off", "4"), ("mass-cancel", "4")]
    assert texts(accounts([ACCOUNT]))[-9:-3] == ["4", "Baotou &lt;Magnets&gt;", "12", "1,000.00", "5,000.00", "off"]


def test_a_trade_can_be_busted_once() -> None:
    busted = TRADE | {"trade_id": "1", "busted": True}
    html = trades_to_bust([busted], [TRADE, busted], may_act=True)
    assert re.findall(r'data-trade="(\d+)"', html) == ["1", TRADE["trade_id"]]
    assert acts(html) == [("bust", TRADE["trade_id"])]
    assert texts(trades_to_bust([busted], [], may_act=True))[-1] == "busted"


def test_who_may_not_act_sees_no_buttons() -> None:
    for html in (
        board([INSTRUMENT], {"PRND-OX": TICKER}, NOW_NS, may_act=False),
        switches(VENUE, {"continuous": 32}, may_act=False),
        trades_to_bust([], [TRADE], may_act=False),
    ):
        assert "<button" not in html
