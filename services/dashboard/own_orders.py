"""The trader page's panel of own orders: open ones, with amend (in place) and cancel, and recently ended ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nicegui import events, ui

from services.client import RexError
from services.dashboard.account_panels import amendable, ended_orders, open_orders
from services.dashboard.confirmation import confirmed
from services.dashboard.desk import Desk
from services.dashboard.fragment import Fragment
from services.dashboard.frame import panel
from services.dashboard.order_form import whole
from services.dashboard.outcome import outcome_line, problem_line

_ON_CLICK = """(e) => {
    const button = e.target.closest('[data-act]'), row = e.target.closest('tr');
    if (!button) return;
    const entered = [...row.querySelectorAll('input')].map(field => [field.name, field.value]);
    emit(button.dataset.act, row.dataset.order, Object.fromEntries(entered));
}"""
"""Sends the clicked button, its order and the values of the row's input fields to the server."""

_ON_KEY = """(e) => {
    const act = {Enter: 'save', Escape: 'keep'}[e.key];
    if (act) e.target.closest('tr').querySelector(`[data-act=${act}]`).click();
}"""
"""Enter and Escape in a row's input field act as the row's two buttons."""


class OwnOrders:
    """One browser's panel of the desk's orders."""

    def __init__(self, desk: Desk, symbol: str) -> None:
        self._desk = desk
        self._symbol = symbol
        self._editing: str | None = None
        self._names_zh: Mapping[str, str] = {}
        with panel("Own orders", "当前委托") as box:
            self._said = Fragment().classes("notice-line").props("data-testid=own-outcome")
            with ui.element("div").classes("scroll"):
                self._open = Fragment()
                self._open.on("click", self._clicked, js_handler=_ON_CLICK)
                self._open.on("keydown", js_handler=_ON_KEY)
                self._ended = Fragment()
        with box, ui.element("div").classes("panel-acts"):
            self._button(f"Cancel all in {symbol}", "cancel-all-here", lambda: self._cancel_all(symbol))
            self._button("Cancel all 全撤", "cancel-all", lambda: self._cancel_all("*"))

    def refresh(self, names_zh: Mapping[str, str]) -> None:
        """Shows the current orders; `names_zh` has the Chinese name of each symbol."""
        self._names_zh = names_zh
        self._show()

    def _show(self) -> None:
        orders = sorted(self._desk.orders.values(), key=lambda order: -int(order["order_id"]))
        if self._editing not in self._desk.orders:
            self._editing = None
        self._open.show(open_orders(orders, self._editing))
        self._ended.show(ended_orders(reversed(self._desk.ended.values()), self._names_zh))

    def _button(self, text: str, name: str, act: Callable[[], Awaitable[None]]) -> None:
        ui.button(text, color=None, on_click=act).classes("act").props(f"flat dense no-caps data-testid={name}")

    async def _clicked(self, event: events.GenericEventArguments) -> None:
        act, order_id, entered = event.args
        if act in ("edit", "keep"):
            self._editing = order_id if act == "edit" else None
        elif act == "cancel":
            await self._do(lambda: self._cancel(order_id))
        elif order_id in self._desk.orders:
            await self._do(lambda: self._amend(order_id, entered))
        self._show()

    async def _cancel(self, order_id: str) -> str:
        return outcome_line(await self._desk.cancel(order_id))

    async def _amend(self, order_id: str, entered: dict[str, str]) -> str:
        present = amendable(self._desk.orders[order_id])
        changes: dict[str, Any] = {
            name: value.strip() for name, value in entered.items() if value.strip() != present.get(name, value.strip())
        }
        for name in changes.keys() & {"quantity", "display_quantity"}:
            changes[name] = whole(changes[name] or "0")
        said = outcome_line(await self._desk.amend(order_id, changes)) if changes else ""
        self._editing = None
        return said

    async def _cancel_all(self, symbol: str) -> None:
        where = "in all instruments" if symbol == "*" else f"in {symbol}"
        if await confirmed(f"Cancel every open order of this desk {where}?", "Cancel them"):
            await self._do(lambda: self._mass_cancel(symbol))
            self._show()

    async def _mass_cancel(self, symbol: str) -> str:
        return f"<span class=good>{await self._desk.cancel_all(symbol)} orders canceled</span>"

    async def _do(self, act: Callable[[], Awaitable[str]]) -> None:
        """Runs `act` and shows the venue's reply."""
        try:
            self._said.show(await act())
        except RexError as error:
            self._said.show(problem_line(error.code, error.detail))
        except ConnectionError as error:
            self._said.show(problem_line("no_reply", str(error)))
