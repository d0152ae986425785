"""The trader's page at /ui/trade/{symbol}: the book, the ticket, own orders and fills of one instrument's market."""

from __future__ import annotations

from html import escape
from typing import Any

from nicegui import events, ui

from services.client import RexError
from services.dashboard.account_panels import balances, fills, open_orders
from services.dashboard.desk import Desk
from services.dashboard.fragment import Fragment
from services.dashboard.frame import Frame, panel
from services.dashboard.live import LiveFeed
from services.dashboard.market_panels import LEGEND, chooser, instrument_head, ladder, last_trades
from services.dashboard.outcome import outcome_line, problem_line
from services.dashboard.ticket import Ticket

READ_ONLY = (
    "These pages are read-only: this venue was started without a trader's key for them (<b>rex serve</b>). "
    "Trade through the API with a key of your own; under <b>rex demo</b> the ticket stands here."
)

_REFRESH_SECONDS = 1.0
_FIRST_REFRESH_SECONDS = 0.25
"""By then the depth of an instrument that nobody had watched is here."""

_PICK = "(e) => {{ const found = e.target.closest('[data-{name}]'); if (found) emit(found.dataset.{name}); }}"
"""Tells the server which row or button of a fragment was clicked."""

_SHOW_CHOICE = "document.querySelector('.choice.here')?.scrollIntoView({block: 'nearest'})"


def no_instrument_page(live: LiveFeed, symbol: str) -> None:
    """Says that nothing is listed under this symbol, and leads to what is."""
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
        self._live, self._desk, self._instrument = live, desk, instrument
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
            self._build_ticket()
            self._build_own()
        self.refresh()
        ui.timer(_REFRESH_SECONDS, self.refresh)
        ui.timer(_FIRST_REFRESH_SECONDS, self._first_refresh, once=True)

    def _build_ticket(self) -> None:
        with panel("Order ticket", "下单"):
            if self._desk is None:
                Fragment(f"<div class=notice data-testid=read-only>{READ_ONLY}</div>")
                return
            self._ticket = Ticket(self._desk, self._instrument)
            self._balances = Fragment()
            self._ladder.on("click", lambda e: self._ticket.take_price(e.args), js_handler=_PICK.format(name="price"))

    def _build_own(self) -> None:
        if self._desk is None:
            return
        with ui.element("div").classes("own"):
            with panel("Own open orders", "当前委托"):
                self._canceled = Fragment().classes("notice-line")
                self._orders = Fragment().classes("scroll")
                self._orders.on("click", self._cancel, js_handler=_PICK.format(name="cancel"))
            with panel("Own fills", "我的成交"):
                self._fills = Fragment().classes("scroll")

    async def _cancel(self, event: events.GenericEventArguments) -> None:
        assert self._desk is not None
        try:
            self._canceled.show(outcome_line(await self._desk.cancel(event.args)))
        except RexError as error:
            self._canceled.show(problem_line(error.code, error.detail))
        except ConnectionError as error:
            self._canceled.show(problem_line("no_reply", str(error)))
        self.refresh()

    def _first_refresh(self) -> None:
        self.refresh()
        ui.run_javascript(_SHOW_CHOICE)

    def refresh(self) -> None:
        """Shows everything as it is now."""
        live, symbol = self._live, self._symbol
        live.watch(symbol)
        self._frame.refresh()
        self._chooser.show(chooser(live.instruments.values(), live.tickers, symbol))
        if symbol in live.tickers:
            self._head.show(instrument_head(self._instrument, live.tickers[symbol]))
            if self._desk is not None:
                self._ticket.show_terms(live.tickers[symbol])
        if symbol in live.depths:
            own = self._desk.resting_prices(symbol) if self._desk else set()
            self._ladder.show(ladder(live.depths[symbol], own))
            self._trades.show(last_trades(live.trades[symbol]))
        if self._desk is not None:
            self._orders.show(
                open_orders(sorted(self._desk.orders.values(), key=lambda order: -int(order["order_id"])))
            )
            self._fills.show(fills(self._desk.fills))
            if self._desk.account is not None:
                self._balances.show(balances(self._desk.account, self._instrument))
