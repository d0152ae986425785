"""The control page's HTML fragments: phases, switches, accounts, trades to bust. Pure: API objects in, HTML out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from services.dashboard.amounts import clock, grouped
from services.dashboard.market_panels import side_colour
from services.dashboard.terms import phase_badge

Json = Mapping[str, Any]


def board(instruments: Iterable[Json], tickers: Mapping[str, Json], now_ns: int, may_act: bool) -> str:
    """A tile for each instrument: its phase and, in an auction, the indicative result; with buttons if `may_act`."""
    listed = [facts for facts in instruments if facts["symbol"] in tickers]
    tiles = [_tile(instrument, tickers[instrument["symbol"]], now_ns, may_act) for instrument in listed]
    return f"<div class=board data-testid=board>{''.join(tiles)}</div>"


def _tile(instrument: Json, ticker: Json, now_ns: int, may_act: bool) -> str:
    symbol = escape(instrument["symbol"], quote=True)
    names = escape(f"{instrument['name_zh']} · {instrument['name_en']}", quote=True)
    # While an instrument is halted, its phase is `halted`, not the schedule's: only then can it be resumed.
    act = "resume" if ticker["phase"] == "halted" else "halt"
    button = f"<button class=act data-act={act} data-of={symbol}>{act}</button>" if may_act else ""
    return (
        f'<div class="tile {ticker["phase"]}" data-symbol="{symbol}" data-key="{symbol}">'
        f'<div><a href="/ui/trade/{symbol}"><b>{symbol}</b></a>{button}</div>'
        f'<small title="{names}">{names}</small><div>{phase_badge(ticker, now_ns)}</div>{_auction(ticker)}</div>'
    )


def _auction(ticker: Json) -> str:
    if ticker["phase"] != "call_auction":
        return f"<small class=num>last {grouped(ticker['last'])}</small>"
    volume = grouped(ticker["indicative_volume"])
    return f"<small class=num>would trade {volume} at {grouped(ticker['indicative_price'])}</small>"


def switches(venue: Json, phases: Mapping[str, int], may_act: bool) -> str:
    """The venue's kill switch and the halt of all instruments, with buttons if `may_act`."""
    on = venue["kill_switch"]
    lines = (
        (
            "Kill switch 熔断",
            "<b class=up>on: cancels only</b>" if on else "<b class=good>off</b>",
            (("kill-off", "Turn it off"),) if on else (("kill-on", "Stop all new orders"),),
        ),
        (
            "All instruments",
            f"{grouped(phases.get('halted', 0))} of {grouped(sum(phases.values()))} halted",
            (("halt", "Halt all"), ("resume", "Resume all")),
        ),
        ("All open orders", "of every account", (("mass-cancel", "Cancel all"),)),
    )
    rows = [
        f"<span class=dim>{name}</span><span>{state}</span><span>{_buttons(acts) if may_act else ''}</span>"
        for name, state, acts in lines
    ]
    return f'<div class=switches data-testid=switches data-kill="{"on" if on else "off"}">{"".join(rows)}</div>'


def _buttons(acts: Iterable[tuple[str, str]], of: str = "") -> str:
    return " ".join(
        [f'<button class="act {act}" data-act={act} data-of="{of}">{escape(text)}</button>' for act, text in acts]
    )


def accounts(listed: Iterable[Json]) -> str:
    """All accounts: open orders, today's turnover and kill switch of each."""
    rows = "".join([_account(account) for account in listed])
    head = (
        "<th>No.</th><th>Account 账户</th><th class=num>Open</th><th class=num>Today ¥</th><th class=num>Available ¥</th>"
        "<th>Kill switch</th><th></th>"
    )
    return f"<table data-testid=accounts><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _account(account: Json) -> str:
    number, on = account["account"], account["kill_switch"]
    acts = (("kill-off", "off") if on else ("kill-on", "stop"), ("mass-cancel", "cancel orders"))
    return (
        f'<tr data-account="{number}" data-key="{number}"><td class=dim>{number}</td>'
        f"<td class=cut>{escape(account['name'])}</td>"
        f"<td class=num>{grouped(account['open_orders'])}</td><td class=num>{grouped(account['day_turnover'])}</td>"
        f"<td class=num>{grouped(account['available'])}</td>"
        f"<td data-kill={'on' if on else 'off'}>{'<b class=up>on</b>' if on else '<span class=dim>off</span>'}</td>"
        f"<td class=num>{_buttons(acts, str(number))}</td></tr>"
    )


def trades_to_bust(busts: Iterable[Json], trades: Iterable[Json], may_act: bool) -> str:
    """Recent busted trades, struck through, then the last trades of all instruments; with buttons if `may_act`."""
    rows = "".join([_trade(trade, may_act) for trade in (*busts, *[trade for trade in trades if not trade["busted"]])])
    head = "<th>Time</th><th>Instrument</th><th class=num>Price</th><th class=num>Lots</th><th class=num>Amount ¥</th><th></th>"
    return f"<table data-testid=trades><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _trade(trade: Json, may_act: bool) -> str:
    trade_id, busted = escape(trade["trade_id"], quote=True), trade["busted"]
    action = "<span class=warn>busted</span>" if busted else _buttons((("bust", "bust"),), trade_id) if may_act else ""
    return (
        f'<tr data-trade="{trade_id}" data-key="{trade_id}"{" class=busted" if busted else ""}>'
        f"<td class=dim>{clock(trade['time'])}</td><td>{escape(trade['symbol'])}</td>"
        f'<td class="num {side_colour(trade["taker_side"])}">{grouped(trade["price"])}</td>'
        f"<td class=num>{grouped(trade['quantity'])}</td><td class=num>{grouped(trade['amount'])}</td>"
        f"<td class=num>{action}</td></tr>"
    )
