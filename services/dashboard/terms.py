"""English words and sentences for the API's codes: phases, order types, times in force, reasons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any

PHASES = {
    "continuous": ("continuous", "连续交易"),
    "call_auction": ("call auction", "集合竞价"),
    "auction_matching": ("matching", "撮合"),
    "halted": ("halted", "停牌"),
    "closed": ("closed", "休市"),
}

ENTRY_NOTES = {
    "continuous": "",
    "call_auction": "The auction collects limit orders that may rest, none post-only. At its end all trades have one price.",
    "auction_matching": "Auction matching: orders can only be canceled.",
    "halted": "Halted by an operator: orders can only be canceled.",
    "closed": "Closed: orders can only be canceled.",
}
"""The order ticket's sentence on each phase."""

ORDER_TYPES = {"limit": "limit", "market": "market", "stop": "stop", "stop_limit": "stop-limit"}

TIMES = {
    "day": "Day 当日",
    "gtc": "GTC 撤销前",
    "gtd": "GTD 到期前",
    "ioc": "IOC 即时",
    "fok": "FOK 全部或撤销",
}

SELF_TRADE = {
    "cancel_newest": "Cancel newest",
    "cancel_oldest": "Cancel oldest",
    "cancel_both": "Cancel both",
    "decrement": "Decrement",
}


def phase_name(ticker: Mapping[str, Any]) -> str:
    """An instrument's phase in English; a volatility auction has its own name."""
    return "volatility auction" if ticker["auction_ends_at"] else PHASES[ticker["phase"]][0]


def phase_badge(ticker: Mapping[str, Any], now_ns: int) -> str:
    """The phase as a coloured badge; in a volatility auction with the remaining time."""
    ends, phase = ticker["auction_ends_at"], ticker["phase"]
    text, kind = f"{phase_name(ticker)} <i>{PHASES[phase][1]}</i>", phase
    if ends:
        seconds = max(0, int(datetime.fromisoformat(ends).timestamp() - now_ns / 1e9))
        text = f"{phase_name(ticker)} <i>波动中断</i> <b>{seconds // 60}:{seconds % 60:02}</b>"
        kind = f"{phase} volatility"
    return f'<span class="phase {kind}" data-phase="{phase}">{text}</span>'


def reason_words(order: Mapping[str, Any]) -> str:
    """The venue's sentence on why an order was rejected or ended, without its full stop."""
    return escape((order["reason_text"] or order["reason"].replace("_", " ")).rstrip("."))
