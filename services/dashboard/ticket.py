"""The order ticket. It does not validate: the venue does, and its problem details are shown beside the fields they name.

The common case is two fields and a button. The order type decides which fields there are (`order_form`). Rarely changed fields
are collapsed into one line, which states their current values.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from html import escape
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.validation_element import ValidationElement
from nicegui.elements.mixins.value_element import ValueElement

from services.client import RexError
from services.dashboard.amounts import grouped
from services.dashboard.desk import Desk
from services.dashboard.fragment import Fragment
from services.dashboard.order_form import FORMS, HINTS, SELF_TRADE_HINTS, TIME_HINTS, fields_of, order_body
from services.dashboard.outcome import outcome_line, problem_line
from services.dashboard.terms import SELF_TRADE, TIMES

Json = dict[str, Any]


class Ticket:
    """One browser's order ticket for one instrument."""

    def __init__(self, desk: Desk, instrument: Json) -> None:
        self._desk = desk
        self._instrument = instrument
        self._side = "buy"
        self._type = "limit"
        self._fields: dict[str, ValueElement[Any]] = {}
        with ui.element("div").classes("ticket"):
            with ui.element("div").classes("row2"):
                self._sides = {side: self._side_button(side) for side in ("buy", "sell")}
            with ui.element("div").classes("types"):
                self._types = {name: self._type_button(name) for name in FORMS}
            self._type_hint = Fragment().classes("hint")
            with ui.element("div").classes("fields"):
                self._number("stop_price", f"Trigger ¥/{instrument['unit']}")
                self._number("price", f"Price ¥/{instrument['unit']}")
                self._number("quantity", f"Lots of {instrument['lot_size']} {instrument['unit']}")
            with ui.element("details").classes("options"):
                with ui.element("summary").props("data-testid=ticket-options"):
                    self._summary = Fragment()
                with ui.element("div").classes("fields"):
                    self._build_options()
            with ui.element("div").classes("foot"):
                self._value = Fragment()
                self._send = ui.button("", color=None, on_click=self._place).classes("send")
                self._send.props("unelevated no-caps data-testid=ticket-send")
                self._outcome = Fragment().classes("outcome").props("data-testid=ticket-outcome")
        for field in self._fields.values():
            field.on_value_change(self._changed)
        self._choose_side("buy")
        self._choose_type("limit")

    def show_terms(self, ticker: Json) -> None:
        """Shows today's terms: tick size, price limits, largest order."""
        band = f"{grouped(ticker['lower_limit'])} to {grouped(ticker['upper_limit'])}"
        self._hint("price", f"{band} by {grouped(self._instrument['tick_size'])}.")
        self._hint("stop_price", HINTS["stop_price"])
        self._hint("quantity", f"1 to {grouped(self._instrument['max_quantity'])} whole lots.")

    def take_price(self, price: str) -> None:
        """Copies a price of the ladder into the ticket if the order type has a price."""
        for name in FORMS[self._type].prices[-1:]:
            self._fields[name].value = price

    # ------------------------------------------------------------------ what it is made of

    def _side_button(self, side: str) -> ui.button:
        text = {"buy": "Buy 买入", "sell": "Sell 卖出"}[side]
        button = ui.button(text, color=None, on_click=lambda: self._choose_side(side)).classes(f"side {side}")
        return button.props(f"unelevated no-caps data-testid=ticket-{side}")

    def _type_button(self, name: str) -> ui.button:
        button = ui.button(FORMS[name].name, color=None, on_click=lambda: self._choose_type(name)).classes("type")
        return button.props(f'flat no-caps data-testid=ticket-type-{name} title="{FORMS[name].hint}"')

    def _number(self, name: str, label: str) -> None:
        field = ui.input(label).classes("figure").on("keydown.enter", self._place)
        self._add(name, field)

    def _build_options(self) -> None:
        self._add("time_in_force", ui.select(dict(TIMES), value="day", label="Time in force"))
        self._add("expire_time", ui.input("Expires").classes("instant").props("type=datetime-local stack-label"))
        self._number("display_quantity", "Lots shown at a time")
        self._add("self_trade_prevention", ui.select(dict(SELF_TRADE), value="cancel_newest", label="Own orders meet"))
        self._add("post_only", ui.checkbox(HINTS["post_only"]))
        self._hint("expire_time", HINTS["expire_time"])
        self._hint("display_quantity", HINTS["display_quantity"])

    def _add(self, name: str, field: ValueElement[Any]) -> None:
        field.props(f"dense outlined dark hide-bottom-space data-testid=ticket-{name.replace('_', '-')}")
        self._fields[name] = field

    # ------------------------------------------------------------------ what it shows

    def _choose_side(self, side: str) -> None:
        self._side = side
        for name, button in self._sides.items():
            button.classes(add="here") if name == side else button.classes(remove="here")
        self._send.classes(add=side, remove="sell" if side == "buy" else "buy")
        self._send.text = f"{side.capitalize()} {self._instrument['symbol']}"

    def _choose_type(self, order_type: str) -> None:
        self._type = order_type
        for name, button in self._types.items():
            button.classes(add="here") if name == order_type else button.classes(remove="here")
        self._type_hint.show(FORMS[order_type].hint)
        times, time = FORMS[order_type].times, self._fields["time_in_force"]
        assert isinstance(time, ui.select)
        time.set_options({name: TIMES[name] for name in times}, value=time.value if time.value in times else times[0])
        self._show_errors({})
        self._changed()

    def _changed(self) -> None:
        time = self._fields["time_in_force"].value
        wanted = fields_of(self._type, time)
        for name, field in self._fields.items():
            field.set_visibility(name in wanted or name == "time_in_force")
        self._hint("time_in_force", TIME_HINTS[time])
        self._hint("self_trade_prevention", SELF_TRADE_HINTS[self._fields["self_trade_prevention"].value])
        self._summary.show(self._options_line(wanted))
        self._value.show(self._value_line() if "price" in wanted else "")

    def _hint(self, name: str, text: str) -> None:
        props = self._fields[name].props
        if props.get("hint") != text:
            self._fields[name].props["hint"] = text
            self._fields[name].update()

    def _options_line(self, wanted: frozenset[str]) -> str:
        parts = [TIME_HINTS[self._fields["time_in_force"].value].rstrip(".")]
        shown = self._fields["display_quantity"].value
        if "display_quantity" in wanted and shown:
            parts.append(f"iceberg showing {shown.strip()}")
        if "post_only" in wanted and self._fields["post_only"].value:
            parts.append("post-only")
        return f"<span class=faint>Options 选项</span> {escape(' · '.join(parts))}"

    def _value_line(self) -> str:
        try:
            price, lots = self._fields["price"].value, self._fields["quantity"].value
            value = Decimal(price) * int(lots) * self._instrument["lot_size"]
        except (InvalidOperation, ValueError):
            return ""
        return f"<span class=dim>Value ¥</span> <b>{grouped(f'{value:.2f}')}</b>" if value.is_finite() else ""

    # ------------------------------------------------------------------ what it sends

    async def _place(self) -> None:
        self._show_errors({})
        self._send.disable()
        entered = {name: field.value or "" for name, field in self._fields.items()}
        time = self._fields["time_in_force"].value
        body = order_body(self._instrument["symbol"], self._side, self._type, time, entered)
        try:
            order = await self._desk.place(body)
        except RexError as error:
            messages = {entry["field"]: entry["message"] for entry in error.errors}
            self._show_errors(messages)
            # An error shown beside its field is not repeated here.
            beside = bool(messages) and messages.keys() <= self._fields.keys()
            self._outcome.show(problem_line(error.code, error.code.replace("_", " ") if beside else error.detail))
        except ConnectionError as error:
            self._outcome.show(problem_line("no_reply", str(error)))
        else:
            self._outcome.show(outcome_line(order))
        finally:
            self._send.enable()

    def _show_errors(self, messages: dict[str, str]) -> None:
        for name, field in self._fields.items():
            if isinstance(field, ValidationElement):
                field.error = messages.get(name)
