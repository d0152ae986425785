"""Mounts the pages on the venue's application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import nicegui
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from nicegui import ui

from services.dashboard.control_page import ControlPage
from services.dashboard.desk import Desk
from services.dashboard.live import LiveFeed
from services.dashboard.operations import Operations
from services.dashboard.operator_page import operator_page
from services.dashboard.page_limit import PAGES_PER_ADDRESS, PageLimit
from services.dashboard.trader_page import TraderPage, no_instrument_page

_FIRST_SYMBOL = "PRND-OX"


class Dashboard:
    """The pages' connections to the venue. `run` must run as long as the application is served."""

    def __init__(self, live: LiveFeed, desk: Desk | None, operations: Operations | None) -> None:
        self.live = live
        self.desk = desk
        self.operations = operations

    async def run(self) -> None:
        """Keeps the pages' data current until it is canceled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.live.run())
            if self.desk is not None:
                tasks.create_task(self.desk.run())
            if self.operations is not None:
                tasks.create_task(self.operations.run())


def mount_dashboard(
    app: FastAPI,
    *,
    url: Callable[[], str],
    read_key: str,
    trader_key: str | None,
    operator_key: str | None,
    pages_per_address: int = PAGES_PER_ADDRESS,
) -> Dashboard:
    """Serves the pages at /ui and redirects / to them. All other paths remain the API's.

    `url` returns the venue's URL and is called for every connection. The pages act with their own keys for every visitor:
    without a `trader_key` there is no order ticket, without an `operator_key` the control page has no buttons. One address may
    have at most `pages_per_address` pages open. NiceGUI has one application in a process: a second venue in the same process
    takes over the pages of the first.
    """
    dashboard = Dashboard(
        LiveFeed(url, read_key),
        None if trader_key is None else Desk(url, trader_key),
        None if operator_key is None else Operations(url, operator_key),
    )
    _add_pages(dashboard)

    @app.get("/", include_in_schema=False)
    async def lead_to_pages() -> RedirectResponse:
        return RedirectResponse("/ui/")

    # NiceGUI adds its middleware at every mount; Starlette refuses that once the application has served a request.
    nicegui.app.user_middleware.clear()
    nicegui.app.middleware_stack = None
    nicegui.app.add_middleware(PageLimit, pages_per_address=pages_per_address)
    # WebSocket only: with polling, every request without a session id would open another session.
    nicegui.app.config.socket_io_js_transports = ["websocket"]
    nicegui.core.sio.eio.transports = ["websocket"]
    ui.run_with(
        app,
        mount_path="/ui",
        title="REX 稀土交易所",
        favicon=Path(__file__).with_name("static") / "rex.svg",
        dark=True,
        tailwind=False,
        show_welcome_message=False,
        binding_refresh_interval=None,
    )
    return dashboard


def _add_pages(dashboard: Dashboard) -> None:
    live = dashboard.live

    @ui.page("/", title="REX 稀土交易所")
    def operator() -> None:
        operator_page(live)

    @ui.page("/control", title="REX 控制")
    def control() -> None:
        ControlPage(live, dashboard.operations)

    @ui.page("/trade", title="REX 交易")
    def trade() -> RedirectResponse:
        return RedirectResponse(f"/ui/trade/{_FIRST_SYMBOL}")

    @ui.page("/trade/{symbol}", title="REX 交易")
    async def trade_symbol(symbol: str) -> None:
        instrument = await live.instrument(symbol)
        if instrument is None:
            no_instrument_page(live, symbol)
        else:
            TraderPage(live, dashboard.desk, instrument)
