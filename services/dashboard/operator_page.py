"""The operator's page at /ui: the figure, the market and the venue's health on one screen."""

from __future__ import annotations

import time

from nicegui import ui

from services.dashboard.figure_panels import hero, products
from services.dashboard.fragment import Fragment
from services.dashboard.frame import Frame, panel
from services.dashboard.health_panel import health
from services.dashboard.live import LiveFeed
from services.dashboard.market_panels import LEGEND, market_table, tape
from services.dashboard.pace_chart import pace_chart

_REFRESH_SECONDS = 1.0
_TAPE_ROWS = 30


def operator_page(live: LiveFeed) -> None:
    """Builds the page for one browser and keeps it current."""
    frame = Frame(live, "operator")
    with ui.element("main").classes("operator"):
        with ui.element("div").classes("left"):
            figure = Fragment().classes("panel")
            with panel(
                "Turnover against pace", "累计成交额与进度线", "billion ¥ over trading days · dashed: pace"
            ).classes("chart"):
                chart = ui.echart({"series": []}).classes("fill")
            with ui.element("div").classes("pair"):
                with panel("Turnover by product", "按产品"):
                    split = Fragment().classes("fill")
                with panel("Live trades", "实时成交"):
                    trades = Fragment().classes("scroll")
            strip = Fragment().classes("panel")
        with panel("Market", "行情", LEGEND):
            market = Fragment().classes("scroll")
    drawn_days: list[object] = []

    def refresh() -> None:
        frame.refresh()
        market.show(market_table(live.instruments.values(), live.tickers))
        trades.show(tape(live.tape[:_TAPE_ROWS]))
        if live.report is not None and live.venue is not None:
            newest = live.tape[0] if live.tape else None
            strip.show(health(live.venue, live.report, newest, time.time_ns()))
            figure.show(hero(live.report))
            split.show(products(live.report))
            if drawn_days != [live.report["days"]]:
                drawn_days[:] = [live.report["days"]]
                chart.options.clear()
                chart.options.update(pace_chart(live.report))
                chart.update()

    refresh()
    ui.timer(_REFRESH_SECONDS, refresh)
