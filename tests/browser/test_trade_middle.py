"""The row between the sides of the ladder: last price, spread and middle, to the digit; or why there is no spread."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import VenueProcess, Watched
from tests.browser.trading import depth_of, eventually, grouped, limits, look

pytestmark = pytest.mark.usefixtures("calm")

SHOWN = """async (cases) => {
  const base = document.querySelector('link[href$="tokens.css"]').href.replace('/tokens.css', '');
  const { Middle, moveOf } = await import(`${base}/trade/middle.js`), { Ticks } = await import(`${base}/trade/ticks.js`);
  const side = (price) => (price ? [{ price, quantity: 1, orders: 1 }] : []);
  return cases.map(({ tick = "0.10", bid, ask, trades = [], ...ticker }) => {
    const middle = new Middle(), known = { last: null, reference_price: "9.00", phase: "continuous", ...ticker };
    middle.show({ bids: side(bid), asks: side(ask) }, new Ticks(tick), known, moveOf(trades));
    document.querySelector("[data-testid=ladder-middle]").replaceWith(middle.node);
    const parts = ["b", "small", "[data-testid=ladder-spread]", "[data-testid=ladder-mid]"];
    const said = parts.map((part) => middle.node.querySelector(part).textContent.trim()).join(" | ");
    const boxes = [...middle.node.querySelectorAll("b, span, small")].filter((node) => node.clientWidth); // not the inline
    const cut = boxes.filter((node) => node.scrollWidth > node.clientWidth + 1);
    return [said, cut.map((node) => node.textContent)];
  });
}"""
"""Puts the row of each case in its place: what it says, and which of it is cut."""


def book(bid: str | None, ask: str | None, **fields: object) -> dict[str, object]:
    """The best prices, and what the ticker has beside a reference price of 9.00."""
    return {"bid": bid, "ask": ask, **fields}


def traded(*prices: str, busted: str = "") -> dict[str, object]:
    """Trades, newest first; those at one price are busted."""
    last = next(price for price in prices if price != busted)
    return {"last": last, "trades": [{"price": price, "busted": price == busted} for price in prices]}


def auction(price: str | None, volume: int = 1_200, imbalance: int = 0) -> dict[str, object]:
    names = ("indicative_price", "indicative_volume", "indicative_imbalance")
    return {"phase": "call_auction", **dict(zip(names, (price, volume, imbalance), strict=True))}


NONE = "no spread, no mid"
CASES = (
    (book("9.00", "9.10"), "9.00 | settlement | Spread 1 tick · 110.5 bp | Mid 9.05"),
    (book("9.00", "9.20", **traded("9.2", "9.2", "9.1")), "▲ 9.2 | last | Spread 2 ticks · 219.8 bp | Mid 9.10"),
    (
        book("2442900.0", "2565100.1", **traded("9.10", "9.20")),
        "▼ 9.10 | last | Spread 1,222,001 ticks · 488.0 bp | Mid 2,504,000.05",
    ),
    (book("100.01", "100.02", tick="0.01", **traded("9.1")), "9.1 | last | Spread 1 tick · 1.0 bp | Mid 100.015"),
    (book("9.00", None, **traded("9.3", "9.1", "9.2", busted="9.3")), f"▼ 9.1 | last | No asks | {NONE}"),
    (book(None, "9.00"), f"9.00 | settlement | No bids | {NONE}"),
    (book(None, None), f"9.00 | settlement | The book is empty | {NONE}"),
    (book("9.20", "9.20"), f"9.00 | settlement | Crossed: an auction will match it | {NONE}"),
    (book("9.00", "9.10", **auction(None)), f"9.00 | settlement | Auction: no price yet | {NONE}"),
    (
        book("9.20", "9.10", **auction("9.20", imbalance=-3)),
        "9.00 | settlement | Auction 9.20 · 1,200 lots | 3 to sell left over",
    ),
    (book("9.20", "9.10", **auction("9.20")), "9.00 | settlement | Auction 9.20 · 1,200 lots | nothing left over"),
)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_last_spread_and_middle_are_exact_and_no_spread_is_told(
    watched: Watched, demo: VenueProcess, language: str
) -> None:
    """Nothing of it is cut, and a move of the price is told without colour. Live it is the API's."""
    page = look(watched.page, demo, query=f"?lang={language}")
    middle = page.get_by_test_id("ladder-middle")
    expect(middle).to_have_attribute("data-direction", re.compile("up|down"))
    expect(middle).to_contain_text(re.compile("[▲▼]"))
    expect(middle.locator("b")).to_have_attribute("title", re.compile("one before|前一"))

    def agrees() -> bool:
        depth, ticker = depth_of(demo), limits(demo)
        if not depth["bids"] or not depth["asks"] or not ticker["last"]:
            return False
        bid, ask = (Decimal(depth[side][0]["price"]) for side in ("bids", "asks"))
        ticks, share = int((ask - bid) / Decimal("0.10")), (ask - bid) * 20_000 / (ask + bid)
        spread = f"Spread {ticks:,} tick{'s' * (ticks != 1)} · {share.quantize(Decimal('0.1'), 'ROUND_HALF_UP'):,} bp"
        wanted = [grouped(ticker["last"]), spread, f"Mid {(ask + bid) / 2:,.2f}"]
        return wanted == [page.get_by_test_id(f"ladder-{name}").inner_text() for name in ("last", "spread", "mid")]

    if language == "en":
        eventually(agrees)
    shown = page.evaluate(SHOWN, [case for case, _ in CASES])
    assert [cut for _, cut in shown] == [[]] * len(CASES)
    if language == "en":
        assert [said for said, _ in shown] == [wanted for _, wanted in CASES]
