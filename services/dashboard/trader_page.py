"""The trader page at /ui/trade/{symbol}: book, trades and ticket of one instrument, and the account's orders and fills."""

from __future__ import annotations

import time
from html import escape
from typing import Any

from nicegui import ui

from services.dashboard.account_panels import balances, fills
from services.dashboard.desk import Desk
from services.dashboard.fragment import Fragment
from services.dashboard.frame import Frame, panel
from services.dashboard.live import LiveFeed
from services.dashboard.market_panels import LEGEND, chooser, instrument_head, ladder, last_trades
from services.dashboard.own_orders import OwnOrders
from services.dashboard.terms import ENTRY_NOTES
from services.dashboard.ticket import Ticket

READ_ONLY = (
    "These pages are read-only: this venue was started without a trader's key for them (<b>rex serve</b>). "
    "Trade through the API with a key of your own; under <b>rex demo</b> the ticket stands here."
)

_REFRESH_SECONDS = 1.0
_FIRST_REFRESH_SECONDS = 0.25
"""After this time the depth of a newly watched instrument has arrived."""

_PICK = "(e) => { const found = e.target.closest('[data-price]'); if (found) emit(found.dataset.price); }"
"""Sends the price of the clicked row of the ladder to the server."""

_SHOW_CHOICE = "document.querySelector('.choice.here')?.scrollIntoView({block: 'nearest'})"


def no_instrument_page(live: LiveFeed, symbol: str) -> None:
    """Says that there is no instrument with this symbol, and links to the instruments there are."""
    frame = Frame(live, "trade")
    with ui.element("main").classes("trader"):
        with panel("Instruments", "品种").classes("chooser"):
            listed = Fragment().classes("scroll")
        Fragment(f"<div data-testid=no-instrument>No instrument is listed as {escape(symbol[:40])}.</div>").classes(
            "panel head"
        )

    def refresh() -> None:
        frame.refresh()
        listed.show(chooser(live.instruments.values(), live.tickers, symbol))

    refresh()
    ui.timer(_REFRESH_SECONDS, refresh)


class TraderPage:
    """The page for one browser and one instrument."""

    def __init__(self, live: LiveFeed, desk: Desk | None, instrument: dict[str, Any]) -> None:
        self._live, self._desk = live, desk
        self._symbol: str = instrument["symbol"]
        self._frame = Frame(live, "trade")
        with ui.element("main").classes("trader"):
            with panel("Instruments", "品种").classes("chooser"):
                self._chooser = Fragment().classes("scroll")
            self._head = Fragment().classes("panel head")
            with ui.element("div").classes("middle"):
                with panel("Depth", "盘口", LEGEND):
                    self._ladder = Fragment().classes("scroll")
                with panel("Last trades", "成交明细"):
                    self._trades = Fragment().classes("scroll")
            self._build_ticket(instrument)
            self._build_own()
        self.refresh()
        ui.timer(_REFRESH_SECONDS, self.refresh)
        ui.timer(_FIRST_REFRESH_SECONDS, self._first_refresh, once=True)

    def _build_ticket(self, instrument: dict[str, Any]) -> None:
        with panel("Order ticket", "下单"):
            if self._desk is None:
                Fragment(f"<div class=notice data-testid=read-only>{READ_ONLY}</div>")
                return
            with ui.element("div").classes("scroll"):
                self._note = Fragment().classes("notice-line warn").props("data-testid=ticket-note")
                self._ticket = Ticket(self._desk, instrument)
                self._balances = Fragment()
            self._ladder.on("click", lambda e: self._ticket.take_price(e.args), js_handler=_PICK)

    def _build_own(self) -> None:
        if self._desk is None:
            return
        with ui.element("div").classes("own"):
            self._orders = OwnOrders(self._desk, self._symbol)
            with panel("Own fills", "我的成交"):
                self._fills = Fragment().classes("scroll")

    def _first_refresh(self) -> None:
        self.refresh()
        ui.run_javascript(_SHOW_CHOICE)

    def refresh(self) -> None:
        """Shows the current data."""
        live, symbol = self._live, self._symbol
        live.watch(symbol)
        self._frame.refresh()
        self._chooser.show(chooser(live.instruments.values(), live.tickers, symbol))
        if symbol in live.tickers:
            self._head.show(instrument_head(live.instruments[symbol], live.tickers[symbol], time.time_ns()))
            if symbol in live.depths:
                own = self._desk.resting_prices(symbol) if self._desk else set()
                self._ladder.show(ladder(live.depths[symbol], own, live.tickers[symbol]))
                self._trades.show(last_trades(live.trades[symbol]))
        if self._desk is not None:
            self._refresh_desk(self._desk)

    def _refresh_desk(self, desk: Desk) -> None:
        symbol, instruments = self._symbol, self._live.instruments
        if symbol in self._live.tickers:
            self._ticket.show_terms(self._live.tickers[symbol])
            self._note.show(self._entry_note(desk, self._live.tickers[symbol]["phase"]))
        self._orders.refresh({name: facts["name_zh"] for name, facts in instruments.items()})
        self._fills.show(fills(desk.fills))
        if desk.account is not None:
            self._balances.show(balances(desk.account, instruments[symbol]))

    def _entry_note(self, desk: Desk, phase: str) -> str:
        if desk.account is not None and desk.account["kill_switch"]:
            return "This account's kill switch is on: it may only cancel."
        return ENTRY_NOTES[phase]
