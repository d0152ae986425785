"""The market in HTML fragments: every instrument's numbers, the live tape, the depth ladder. Pure: API objects in, HTML out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from html import escape
from typing import Any

from services.dashboard.amounts import NONE, change, clock, direction, grouped

Json = Mapping[str, Any]

LEGEND = "红涨绿跌 · red up / buy, green down / sell"
"""The colour convention of Chinese venues, said wherever it is used."""

LADDER_LEVELS = 10


def market_table(instruments: Iterable[Json], tickers: Mapping[str, Json]) -> str:
    """One row per instrument; a symbol leads to its trader page."""
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
    """The change from the reference price with its sign, or why there is none."""
    if ticker["phase"] != "continuous":
        return escape(ticker["phase"])
    moved = change(ticker["last"], ticker["reference_price"])
    if moved is None:
        return NONE
    return f"{'+' if moved > 0 else '−' if moved < 0 else ''}{abs(moved)} %"


def tape(trades: Iterable[Json]) -> str:
    """Trades of all instruments, newest first."""
    rows = "".join(
        [
            f'<tr data-trade="{escape(trade["trade_id"])}"><td class=dim>{clock(trade["time"])}</td>'
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
            f"<tr><td class=dim>{clock(trade['time'])}</td>"
            f'<td class="num {side_colour(trade["taker_side"])}">{grouped(trade["price"])}</td>'
            f"<td class=num>{grouped(trade['quantity'])}</td><td class=num>{grouped(trade['amount'])}</td></tr>"
            for trade in trades
        ]
    )
    head = "<th>Time</th><th class=num>Price</th><th class=num>Lots</th><th class=num>Amount ¥</th>"
    return f"<table data-testid=last-trades><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def side_colour(side: str) -> str:
    """Red for a buyer, green for a seller."""
    return "up" if side == "buy" else "down"


def ladder(depth: Json, own_prices: Set[tuple[str, str]]) -> str:
    """Asks above bids, best ones in the middle, bars as long as what rests there; `own_prices` (side, price) are marked."""
    asks, bids = depth["asks"][:LADDER_LEVELS], depth["bids"][:LADDER_LEVELS]
    largest = max([level["quantity"] for level in (*asks, *bids)], default=1)
    above = [_level(level, "ask", largest, ("sell", level["price"]) in own_prices) for level in reversed(asks)]
    below = [_level(level, "bid", largest, ("buy", level["price"]) in own_prices) for level in bids]
    empty = "<tr><td colspan=3>&nbsp;</td></tr>"
    rows = [empty] * (LADDER_LEVELS - len(above)) + above + [_spread(asks, bids)] + below
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


def _spread(asks: list[Json], bids: list[Json]) -> str:
    if not asks or not bids:
        return "<tr class=spread><td colspan=3>one side is empty</td></tr>"
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


def instrument_head(instrument: Json, ticker: Json) -> str:
    """Names, last price and the day's numbers of one instrument."""
    moved = change(ticker["last"], ticker["reference_price"])
    names = escape(f"{instrument['name_zh']} · {instrument['name_en']}")
    lot = f"1 lot = {instrument['lot_size']} {instrument['unit']}"
    mark = f' <span class=assumed title="{escape(instrument["note"], quote=True)}">assumed</span>'
    assumed = mark if instrument["reference_price_source"] == "assumed" else ""
    stats = (
        ("Change", f'<b class="{direction(moved)}">{change_text(ticker)}</b>'),
        (f"Reference ¥/{instrument['unit']}{assumed}", grouped(ticker["reference_price"])),
        ("Band", f"{grouped(ticker['lower_limit'])} … {grouped(ticker['upper_limit'])}"),
        ("Day low … high", f"{grouped(ticker['low'])} … {grouped(ticker['high'])}"),
        ("Lots today", grouped(ticker["volume"])),
        ("Turnover today ¥", grouped(ticker["turnover"])),
    )
    cells = "".join([f"<div class=stat><small>{name}</small><span>{value}</span></div>" for name, value in stats])
    spec = escape(instrument["spec"], quote=True)
    return (
        f'<div class=name><b>{escape(instrument["symbol"])}</b><p title="{names}">{names}</p>'
        f'<div title="{spec}">{lot} · tick {escape(instrument["tick_size"])} · {spec}</div></div>'
        f'<div class="last num {direction(moved)}" data-testid=last>{grouped(ticker["last"])}</div>{cells}'
    )
