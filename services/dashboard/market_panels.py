"""The market's HTML fragments: the table of instruments, the tape, the depth ladder. Pure: API objects in, HTML out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from decimal import Decimal
from html import escape
from typing import Any

from services.dashboard.amounts import NONE, change, clock, direction, grouped, percent, signed
from services.dashboard.terms import phase_badge, phase_name

Json = Mapping[str, Any]

LEGEND = "红涨绿跌 · red up / buy, green down / sell"
"""The colour convention of Chinese venues, shown wherever it is used."""

LADDER_LEVELS = 10


def market_table(instruments: Iterable[Json], tickers: Mapping[str, Json]) -> str:
    """One row for each instrument; its symbol links to its trader page."""
    head = (
        "<th>Instrument</th><th></th><th class=num>Last</th><th class=num>Change</th><th class=num>Bid</th>"
        "<th class=num>Ask</th><th class=num>Lots</th><th class=num>Turnover ¥</th>"
    )
    rows = "".join([_market_row(instrument, tickers.get(instrument["symbol"])) for instrument in instruments])
    return f"<table class=market data-testid=market><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _market_row(instrument: Json, ticker: Json | None) -> str:
    symbol = escape(instrument["symbol"])
    names = escape(f"{instrument['name_en']} · {instrument['name_zh']}", quote=True)
    link = (
        f'<td class=sym><a href="/ui/trade/{symbol}" title="{names}">{symbol}</a></td>'
        f'<td class="cut zh" title="{names}">{escape(instrument["name_zh"])}</td>'
    )
    if ticker is None:
        return f"<tr>{link}<td colspan=6></td></tr>"
    moved = change(ticker["last"], ticker["reference_price"])
    colour = direction(moved)
    return (
        f'<tr data-symbol="{symbol}">{link}<td class="num {colour}" data-last>{grouped(ticker["last"])}</td>'
        f'<td class="num {colour}">{change_text(ticker)}</td>'
        f"<td class=num>{grouped(ticker['best_bid'])}</td><td class=num>{grouped(ticker['best_ask'])}</td>"
        f"<td class=num data-volume>{grouped(ticker['volume'])}</td>"
        f"<td class=num data-turnover>{grouped(ticker['turnover'])}</td></tr>"
    )


def change_text(ticker: Json) -> str:
    """The change from the reference price with its sign; the phase if the instrument does not trade."""
    if ticker["phase"] != "continuous":
        return f'<span class="phase-text {ticker["phase"]}">{phase_name(ticker).removesuffix(" auction")}</span>'
    return moved_text(ticker)


def moved_text(ticker: Json) -> str:
    """The change from the reference price with its sign."""
    moved = change(ticker["last"], ticker["reference_price"])
    if moved is None:
        return NONE
    return f"{'+' if moved > 0 else '−' if moved < 0 else ''}{abs(moved)} %"


def tape(trades: Iterable[Json]) -> str:
    """Trades of all instruments, newest first."""
    rows = "".join(
        [
            f'<tr data-trade="{escape(trade["trade_id"])}"{_busted(trade)}><td class=dim>{clock(trade["time"])}</td>'
            f"<td>{escape(trade['symbol'])}</td>"
            f'<td class="num {side_colour(trade["taker_side"])}">{grouped(trade["price"])}</td>'
            f"<td class=num>{grouped(trade['quantity'])}</td><td class=num>{grouped(trade['amount'])}</td></tr>"
            for trade in trades
        ]
    )
    head = "<th>Time</th><th>Instrument</th><th class=num>Price</th><th class=num>Lots</th><th class=num>Amount ¥</th>"
    return f"<table data-testid=tape><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def last_trades(trades: Iterable[Json]) -> str:
    """Trades of one instrument, newest first."""
    rows = "".join(
        [
            f"<tr{_busted(trade)}><td class=dim>{clock(trade['time'])}</td>"
            f'<td class="num {side_colour(trade["taker_side"])}">{grouped(trade["price"])}</td>'
            f"<td class=num>{grouped(trade['quantity'])}</td><td class=num>{grouped(trade['amount'])}</td></tr>"
            for trade in trades
        ]
    )
    head = "<th>Time</th><th class=num>Price</th><th class=num>Lots</th><th class=num>Amount ¥</th>"
    return f"<table data-testid=last-trades><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _busted(trade: Json) -> str:
    return ' class=busted title="busted: an operator took this trade back"' if trade["busted"] else ""


def side_colour(side: str | None) -> str:
    """The colour class of a trade: red if a buyer took, green if a seller took, none for an auction's trade."""
    return {"buy": "up", "sell": "down", None: "auction"}[side]


def ladder(depth: Json, own_prices: Set[tuple[str, str]], ticker: Json) -> str:
    """Asks above bids, the best of each in the middle, with bars proportional to the quantity; `own_prices` (side, price) are
    marked.

    Between them is the spread or, while an auction collects orders, its indicative result.
    """
    asks, bids = depth["asks"][:LADDER_LEVELS], depth["bids"][:LADDER_LEVELS]
    largest = max([level["quantity"] for level in (*asks, *bids)], default=1)
    above = [_level(level, "ask", largest, ("sell", level["price"]) in own_prices) for level in reversed(asks)]
    below = [_level(level, "bid", largest, ("buy", level["price"]) in own_prices) for level in bids]
    empty = "<tr><td colspan=3>&nbsp;</td></tr>"
    rows = [empty] * (LADDER_LEVELS - len(above)) + above + [_middle(asks, bids, ticker)] + below
    head = "<th>Orders</th><th class=num>Price ¥</th><th class=num>Lots</th>"
    return (
        f"<table class=ladder data-testid=ladder><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _level(level: Json, side: str, largest: int, own: bool) -> str:
    width = max(1, level["quantity"] * 100 // largest)
    return (
        f'<tr class="{side}{" mine" if own else ""}" data-price="{escape(level["price"])}">'
        f'<td class=faint>{level["orders"]}</td><td class="num price">{grouped(level["price"])}</td>'
        f'<td class="num size"><i style="width:{width}%"></i><span>{grouped(level["quantity"])}</span></td></tr>'
    )


def _middle(asks: list[Json], bids: list[Json], ticker: Json) -> str:
    if ticker["phase"] == "call_auction":
        return (
            f"<tr class=spread><td>auction</td><td class=num><b>{grouped(ticker['indicative_price'])}</b></td>"
            f"<td class=num>{grouped(ticker['indicative_volume'])}</td></tr>"
        )
    if not asks or not bids:
        return "<tr class=spread><td colspan=3>one side is empty</td></tr>"
    if Decimal(asks[0]["price"]) <= Decimal(bids[0]["price"]):
        return "<tr class=spread><td colspan=3>crossed: an auction will match it</td></tr>"
    gap = change(asks[0]["price"], bids[0]["price"])
    return f"<tr class=spread><td>spread</td><td class=num colspan=2>{gap} % of the best bid</td></tr>"


def chooser(instruments: Iterable[Json], tickers: Mapping[str, Json], here: str) -> str:
    """All instruments with their last price, as links."""
    return "".join([_choice(instrument, tickers.get(instrument["symbol"]), here) for instrument in instruments])


def _choice(instrument: Json, ticker: Json | None, here: str) -> str:
    symbol = instrument["symbol"]
    moved = change(ticker["last"], ticker["reference_price"]) if ticker else None
    names = escape(f"{instrument['name_zh']} · {instrument['name_en']}", quote=True)
    return (
        f'<a class="choice{" here" if symbol == here else ""}" href="/ui/trade/{escape(symbol)}">'
        f'<b>{escape(symbol)}</b><span class="num {direction(moved)}">{grouped(ticker["last"] if ticker else None)}</span>'
        f'<span class=names title="{names}">{names}</span>'
        f'<small class="num {direction(moved)}">{change_text(ticker) if ticker else NONE}</small></a>'
    )


def instrument_head(instrument: Json, ticker: Json, now_ns: int) -> str:
    """Names, last price, phase and the day's numbers of one instrument; while an auction collects, its indicative result."""
    moved = change(ticker["last"], ticker["reference_price"])
    names = escape(f"{instrument['name_zh']} · {instrument['name_en']}")
    lot = f"1 lot = {instrument['lot_size']} {instrument['unit']}"
    today = _auction_stats(ticker) if ticker["phase"] == "call_auction" else _day_stats(ticker)
    cells = "".join(
        [
            f"<div class=stat><small>{name}</small><span>{value}</span></div>"
            for name, value in (*_limit_stats(instrument, ticker), *today)
        ]
    )
    spec = escape(instrument["spec"], quote=True)
    return (
        f'<div class=name><b>{escape(instrument["symbol"])}</b> {phase_badge(ticker, now_ns)}<p title="{names}">{names}</p>'
        f'<div title="{spec}">{lot} · tick {escape(instrument["tick_size"])} · {spec}</div></div>'
        f'<div class="last num {direction(moved)}"><span data-testid=last>{grouped(ticker["last"])}</span>'
        f"<small>{moved_text(ticker)}</small></div>{cells}"
    )


def _limit_stats(instrument: Json, ticker: Json) -> tuple[tuple[str, str], ...]:
    mark = f' <span class=assumed title="{escape(instrument["note"], quote=True)}">assumed</span>'
    assumed = mark if instrument["reference_price_source"] == "assumed" else ""
    return (
        (f"Reference ¥/{instrument['unit']}{assumed}", grouped(ticker["reference_price"])),
        ("Band 涨跌停", f"{grouped(ticker['lower_limit'])} … {grouped(ticker['upper_limit'])}"),
        ("Collar / pause", f"{_collar(instrument)} / {_pause(instrument)}"),
    )


def _collar(instrument: Json) -> str:
    if instrument["collar_rate"] is None:
        return "none"
    share = percent(instrument["collar_rate"])
    rule = f"No buy may be priced more than {share} above the last price, no sell more than {share} below it."
    return f'<i title="{rule}">{share}</i>'


def _pause(instrument: Json) -> str:
    if instrument["volatility_rate"] is None:
        return "none"
    share, seconds = percent(instrument["volatility_rate"]), instrument["auction_seconds"]
    rule = f"Where a trade would leave this band around the last price, an auction of {seconds} s begins instead."
    return f'<i title="{rule}">{share}</i>'


def _day_stats(ticker: Json) -> tuple[tuple[str, str], ...]:
    return (
        ("Day low … high", f"{grouped(ticker['low'])} … {grouped(ticker['high'])}"),
        ("Lots today", grouped(ticker["volume"])),
        ("Turnover today ¥", grouped(ticker["turnover"])),
    )


def _auction_stats(ticker: Json) -> tuple[tuple[str, str], ...]:
    imbalance = ticker["indicative_imbalance"]
    who = "" if not imbalance else f" {'buys' if imbalance > 0 else 'sells'} left over"
    return (
        ("Indicative 参考价 ¥", f"<b data-indicative=price>{grouped(ticker['indicative_price'])}</b>"),
        ("Would trade, lots", f"<b data-indicative=volume>{grouped(ticker['indicative_volume'])}</b>"),
        ("Imbalance", f"<b data-indicative=imbalance>{signed(imbalance)}</b>{who}"),
    )
