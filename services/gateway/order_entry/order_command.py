"""Turns bodies into commands: symbols become instrument numbers, decimal strings become ticks, fen or millionths.

Checks here do not depend on the market: which fields an order type takes, and whether a value has its form. They raise a 422
problem that names the field. The engine declines what depends on the market, the account or the order.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from matching_engine.records import (
    ALL_INSTRUMENTS,
    BOTH_SIDES,
    MAX_RATE_PPM,
    MAX_SLICES,
    Command,
    CommandKind,
    Flag,
    OrderType,
    SelfTrade,
    Side,
    TimeInForce,
)
from services.gateway.order_entry.order_body import AmendParams, OrderBody
from services.gateway.order_schemas import AmendRequest
from services.gateway.problems import field_problem
from services.values.decimals import rate_text, scaled, yuan_text
from services.venue_state.instruments import VenueInstrument
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

SIDES = {side.name.lower(): int(side) for side in Side}
ORDER_TYPES = {order_type.name.lower(): int(order_type) for order_type in OrderType}
TIMES_IN_FORCE = {time_in_force.name.lower(): int(time_in_force) for time_in_force in TimeInForce}
SELF_TRADES = {mode.name.lower(): int(mode) for mode in SelfTrade}

WAITING = ("day", "gtc", "gtd")
"""Times in force of an order that may rest in the book or wait for its trigger."""

_PLAIN = ("day", "gtc")

ALLOWED_TIMES = {"limit": tuple(TIMES_IN_FORCE), "market": ("ioc", "fok"), "stop": WAITING, "stop_limit": WAITING}
"""The times in force of each order type; the first is the default."""

MAX_TIME_S = 2**32 - 1

_NEW_ORDER, _POST_ONLY = int(CommandKind.NEW_ORDER), int(Flag.POST_ONLY)
_new_command = tuple.__new__


class OrderRef(NamedTuple):
    """What names an order: its order_id, or its account's client_order_id. The fields are those of a command."""

    account: int
    """0: of any account; with an order_id only."""
    order_id: int
    client_order_id: bytes


AmendBody = AmendRequest | AmendParams
"""Of REST and of the WebSocket: the changes that both have."""


def instrument_of(state: VenueState, symbol: str, field: str = "symbol") -> VenueInstrument:
    """The instrument with this symbol; raises a 422 problem that names the field."""
    instrument = state.by_symbol.get(symbol)
    if instrument is None:
        raise field_problem("unknown_symbol", field, f"no instrument is listed as {symbol[:40]!r}")
    return instrument


def new_order(sender: Command, state: VenueState, account: int, body: OrderBody) -> Command:
    """A NEW_ORDER command; raises a 422 problem that names the field."""
    instrument = instrument_of(state, body.symbol)
    time_in_force = _check_fields(body)
    quantity_lots = instrument.quantity_lots(body.quantity)
    price_ticks = 0 if body.price is None else instrument.price_ticks(body.price)
    trigger_ticks = 0 if body.stop_price is None else instrument.price_ticks(body.stop_price, "stop_price")
    display_lots = 0 if body.display_quantity is None else _display_lots(body.display_quantity, quantity_lots)
    time_in_s = 0 if body.expire_time is None else time_s(body.expire_time, "expire_time")
    # The fields in the record's order. `_replace` would cost 3 µs, a tenth of all that an order costs.
    return _new_command(
        Command,
        (
            0, 0, sender.request_id, sender.actor, 0, price_ticks, quantity_lots, display_lots, trigger_ticks, 0,
            sender.incarnation, account, 0, 0, 0, 0, sender.gateway_id, instrument.number, 0, _NEW_ORDER, SIDES[body.side],
            ORDER_TYPES[body.order_type or "limit"], TIMES_IN_FORCE[time_in_force],
            SELF_TRADES[body.self_trade_prevention or "cancel_newest"],
            _POST_ONLY if body.post_only else 0, 0, 0, 0,
            b"" if body.client_order_id is None else body.client_order_id.encode("ascii"), time_in_s,
        ),
    )  # fmt: skip


def _check_fields(body: OrderBody) -> str:
    """The order's time in force; raises a 422 problem for a field that its type needs or does not take."""
    kind = body.order_type or "limit"
    time_in_force = body.time_in_force or ALLOWED_TIMES[kind][0]
    has_price_only = body.price is not None and body.stop_price is None and body.expire_time is None
    if kind == "limit" and has_price_only and time_in_force in _PLAIN:
        return time_in_force  # Most orders: no text of a refusal is made for them.
    _needs(body.price, kind in ("limit", "stop_limit"), "invalid_price", "price", f"a {kind} order")
    _needs(body.stop_price, kind in ("stop", "stop_limit"), "invalid_trigger", "stop_price", f"a {kind} order")
    if time_in_force not in ALLOWED_TIMES[kind]:
        allowed = " or ".join(ALLOWED_TIMES[kind])
        raise field_problem("invalid_time_in_force", "time_in_force", f"a {kind} order is {allowed}")
    is_gtd = time_in_force == "gtd"
    _needs(
        body.expire_time, is_gtd, "invalid_expiry", "expire_time", f"{_article(time_in_force)} {time_in_force} order"
    )
    if kind != "limit" or time_in_force not in WAITING:
        only = "only a limit order that is day, gtc or gtd may have one"
        if body.post_only:
            raise field_problem(
                "invalid_option", "post_only", "only a limit order that is day, gtc or gtd may be post-only"
            )
        if body.display_quantity is not None:
            raise field_problem("invalid_display", "display_quantity", only)
    return time_in_force


def _needs(value: str | None, is_needed: bool, code: str, field: str, what: str) -> None:
    if is_needed and value is None:
        raise field_problem(code, field, f"{what} needs one")
    if not is_needed and value is not None:
        raise field_problem(code, field, f"{what} has none")


def _article(word: str) -> str:
    return "an" if word == "ioc" else "a"


def _display_lots(display_quantity: int, quantity_lots: int) -> int:
    least = -(-quantity_lots // MAX_SLICES)
    if not least <= display_quantity <= quantity_lots:
        message = (
            f"must be from {least} to {quantity_lots} lots: at least a hundredth of the quantity, at most all of it"
        )
        raise field_problem("invalid_display", "display_quantity", message)
    return display_quantity


def time_s(text: str, field: str) -> int:
    """Seconds since 1970 UTC of an RFC 3339 time that matches `schemas.TimeText`; raises a 422 problem that names the field."""
    try:
        seconds = int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        raise field_problem("invalid_expiry", field, "there is no such time") from None
    if not 0 < seconds <= MAX_TIME_S:
        raise field_problem("invalid_expiry", field, "must lie between 1970 and 2106")
    return seconds


def amend(sender: Command, ref: OrderRef, instrument: VenueInstrument, body: AmendBody) -> Command:
    """An AMEND command; raises a 422 problem that names the field."""
    flags, changes = Flag(0), dict[str, Any]()
    if body.price is not None:
        flags |= Flag.CHANGE_PRICE
        changes["price_ticks"] = instrument.price_ticks(body.price)
    if body.quantity is not None:
        flags |= Flag.CHANGE_QUANTITY
        changes["quantity_lots"] = instrument.quantity_lots(body.quantity)
    if body.display_quantity is not None:
        flags |= Flag.CHANGE_DISPLAY
        if not 0 <= body.display_quantity <= instrument.max_quantity_lots:
            message = f"must be from 0 (show all) to {instrument.max_quantity_lots} lots"
            raise field_problem("invalid_display", "display_quantity", message)
        changes["display_lots"] = body.display_quantity
    if body.stop_price is not None:
        flags |= Flag.CHANGE_TRIGGER
        changes["trigger_ticks"] = instrument.price_ticks(body.stop_price, "stop_price")
    if not flags:
        message = "change at least one of price, quantity, display_quantity and stop_price"
        raise field_problem("invalid_option", "body", message)
    return sender._replace(kind=CommandKind.AMEND, flags=int(flags), **ref._asdict(), **changes)


def cancel(sender: Command, key: ApiKey, order_id: int, client_order_id: str) -> Command:
    """A CANCEL command; either order_id or client_order_id names the order.

    A key with `operate` that is bound to no account may cancel any order, by order_id.
    """
    account = 0 if order_id and "operate" in key.scopes and not key.account else key.trading_account()
    return sender._replace(
        kind=CommandKind.CANCEL, account=account, order_id=order_id, client_order_id=client_order_id.encode("ascii")
    )


def mass_cancel(sender: Command, state: VenueState, account: int, symbol: str, side: str | None) -> Command:
    """A MASS_CANCEL command. The symbol `*` means every instrument, account 0 every account, side None both sides."""
    return sender._replace(
        kind=CommandKind.MASS_CANCEL,
        account=account,
        instrument=ALL_INSTRUMENTS if symbol == "*" else instrument_of(state, symbol).number,
        side=BOTH_SIDES if side is None else SIDES[side],
    )


def amount_fen(text: str, field: str, limit_fen: int) -> int:
    """A decimal string in yuan as signed fen, not 0, at most `limit_fen` in size; raises a 422 problem that names the field."""
    fen = scaled(text, 2)
    if fen is None:
        raise field_problem("invalid_amount", field, f"{text} is not a whole number of fen (0.01 yuan)")
    if not 0 < abs(fen) <= limit_fen:
        raise field_problem("invalid_amount", field, f"must not be 0, nor beyond {yuan_text(limit_fen)}")
    return fen


def rate_ppm(text: str, field: str) -> int:
    """A decimal fraction in millionths, 0 to MAX_RATE_PPM; raises a 422 problem that names the field."""
    ppm = scaled(text, 6)
    if ppm is None or not 0 <= ppm <= MAX_RATE_PPM:
        message = f"must be from 0 to {rate_text(MAX_RATE_PPM)}, with at most six decimals"
        raise field_problem("invalid_rate", field, message)
    return ppm
