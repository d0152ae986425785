"""The order ticket. It judges nothing: the venue does, and its problem details stand beside the fields they name."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from nicegui import ui

from services.client import RexError
from services.dashboard.amounts import grouped
from services.dashboard.desk import Desk
from services.dashboard.fragment import Fragment
from services.dashboard.outcome import outcome_line, problem_line

Json = dict[str, Any]

_TYPES = {"limit": "Limit 限价", "market": "Market 市价"}
_TIMES = {"day": "Day 当日", "gtc": "GTC 撤销前", "ioc": "IOC 即时"}


class Ticket:
    """One browser's order ticket for one instrument."""

    def __init__(self, desk: Desk, instrument: Json) -> None:
        self._desk = desk
        self._instrument = instrument
        self._side = "buy"
        with ui.element("div").classes("ticket"):
            with ui.element("div").classes("row2"):
                self._sides = {
                    "buy": ui.button("Buy 买入", color=None, on_click=lambda: self._choose_side("buy")).classes(
                        "side buy"
                    ),
                    "sell": ui.button("Sell 卖出", color=None, on_click=lambda: self._choose_side("sell")).classes(
                        "side sell"
                    ),
                }
            with ui.element("div").classes("row2"):
                self._type = ui.select(_TYPES, value="limit", label="Type", on_change=self._changed)
                self._time = ui.select(_TIMES, value="day", label="Time in force")
            with ui.element("div").classes("row2"):
                self._price = ui.input(f"Price ¥/{instrument['unit']}", on_change=self._changed)
                self._quantity = ui.input(
                    f"Lots of {instrument['lot_size']} {instrument['unit']}", on_change=self._changed
                )
            self._value = Fragment()
            self._send = ui.button("", color=None, on_click=self._place).classes("send")
            self._outcome = Fragment().classes("outcome")
            self._terms = Fragment().classes("terms")
        for field, name in (
            (self._type, "type"),
            (self._time, "time"),
            (self._price, "price"),
            (self._quantity, "quantity"),
        ):
            field.props(f"dense outlined dark hide-bottom-space data-testid=ticket-{name}")
        for number in (self._price, self._quantity):
            number.classes("figure").on("keydown.enter", self._place)
        for name, button in self._sides.items():
            button.props(f"unelevated no-caps data-testid=ticket-{name}")
        self._send.props("unelevated no-caps data-testid=ticket-send")
        self._outcome.props("data-testid=ticket-outcome")
        self._choose_side("buy")

    def show_terms(self, ticker: Json) -> None:
        """Shows what the venue takes today: tick, band, largest order."""
        largest = grouped(self._instrument["max_quantity"])
        self._terms.show(
            f"price in steps of {grouped(self._instrument['tick_size'])}, from {grouped(ticker['lower_limit'])} "
            f"to {grouped(ticker['upper_limit'])} · 1 to {largest} whole lots"
        )

    def take_price(self, price: str) -> None:
        """Puts a price of the ladder into the ticket."""
        self._price.value = price

    def _choose_side(self, side: str) -> None:
        self._side = side
        for name, button in self._sides.items():
            button.classes(add="here") if name == side else button.classes(remove="here")
        self._send.classes(add=side, remove="sell" if side == "buy" else "buy")
        self._send.text = f"{side.capitalize()} {self._instrument['symbol']}"

    def _changed(self) -> None:
        is_market = self._type.value == "market"
        self._price.set_enabled(not is_market)
        self._time.set_enabled(not is_market)
        if is_market:
            self._price.value, self._time.value = "", "ioc"
        self._value.show(self._value_line())

    def _value_line(self) -> str:
        try:
            value = Decimal(self._price.value) * int(self._quantity.value) * self._instrument["lot_size"]
        except (InvalidOperation, ValueError):
            return ""
        return f"<span class=dim>Value ¥</span> <b>{grouped(f'{value:.2f}')}</b>" if value.is_finite() else ""

    def _request(self) -> Json:
        """The body as the fields say it. What is not a whole number goes as it stands, for the venue to refuse."""
        quantity = str(self._quantity.value or "").strip()
        return {
            "symbol": self._instrument["symbol"],
            "side": self._side,
            "order_type": self._type.value,
            "time_in_force": self._time.value,
            "price": str(self._price.value or "").strip() or None,
            "quantity": int(quantity) if quantity.removeprefix("-").isdecimal() else quantity,
        }

    async def _place(self) -> None:
        self._show_errors({})
        self._send.disable()
        try:
            order = await self._desk.place(self._request())
        except RexError as error:
            messages = {entry["field"]: entry["message"] for entry in error.errors}
            self._show_errors(messages)
            # What stands beside its field already need not be said twice.
            beside = bool(messages) and messages.keys() <= {"price", "quantity"}
            self._outcome.show(problem_line(error.code, error.code.replace("_", " ") if beside else error.detail))
        except ConnectionError as error:
            self._outcome.show(problem_line("no_reply", str(error)))
        else:
            self._outcome.show(outcome_line(order))
        finally:
            self._send.enable()

    def _show_errors(self, messages: dict[str, str]) -> None:
        for name, field in (("price", self._price), ("quantity", self._quantity)):
            field.error = messages.get(name)
