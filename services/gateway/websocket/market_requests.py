"""Requests about market channels: from the params of `subscribe` to streams, and back for `subscriptions`."""

from __future__ import annotations

from collections.abc import Sequence

from services.gateway.order_entry.order_command import instrument_of
from services.gateway.problems import field_problem
from services.gateway.websocket.candle_stream import NAMES, SECONDS
from services.gateway.websocket.market_streams import MARKET_CHANNELS, VENUE_CHANNELS, Subscribed, Wanted
from services.gateway.websocket.messages import SubscribeParams
from services.gateway.websocket.reply_models import Subscription
from services.venue_state.state import VenueState


def check_options(params: SubscribeParams) -> None:
    """Raises a 422 problem for an option that none of the channels has."""
    _check_option(params.levels, "levels", params.channels, ("depth",))
    _check_option(params.interval_ms, "interval_ms", params.channels, ("depth", "top"))
    _check_option(params.interval, "interval", params.channels, ("candles",))
    _check_option(params.latest, "latest", params.channels, ("trades",))


def instruments_of(state: VenueState, params: SubscribeParams) -> list[int] | None:
    """The instruments that the params name; None: all. Raises a 422 problem that names the field."""
    channels = params.channels
    if "candles" in channels and params.interval is None:
        raise field_problem("validation_failed", "interval", f"name the length of candles: {', '.join(SECONDS)}")
    if params.symbols is None and any(channel in MARKET_CHANNELS for channel in channels):
        raise field_problem("validation_failed", "symbols", 'name the symbols, or ["*"] for all')
    if params.symbols is None or params.symbols == ["*"]:
        return None
    return [instrument_of(state, symbol, f"symbols.{index}").number for index, symbol in enumerate(params.symbols)]


def wanted_of(channel: str, params: SubscribeParams) -> Wanted:
    """A market channel with the options that it has."""
    if channel == "candles":
        return Wanted(channel, interval=SECONDS[params.interval] if params.interval else 0)
    if channel == "trades":
        return Wanted(channel, params.latest or 0)
    interval = params.interval_ms or 0 if channel in ("depth", "top") else 0
    return Wanted(channel, params.levels or 0 if channel == "depth" else 0, interval)


def subscription_of(state: VenueState, subscribed: Subscribed) -> Subscription:
    """A part of the client's subscriptions, as `subscribe` takes it."""
    channel, levels, interval = subscribed.wanted
    entry = Subscription([channel])
    if channel not in VENUE_CHANNELS:
        numbers = subscribed.instruments
        entry.symbols = ["*"] if numbers is None else [state.instruments[number].symbol for number in numbers]
    if levels and channel == "trades":
        entry.latest = levels
    elif levels:
        entry.levels = levels
    if interval and channel == "candles":
        entry.interval = NAMES[interval]
    elif interval:
        entry.interval_ms = interval
    return entry


def _check_option(value: object, field: str, channels: Sequence[str], takers: Sequence[str]) -> None:
    if value is not None and not any(channel in takers for channel in channels):
        raise field_problem("validation_failed", field, f"only {' and '.join(takers)} can have it")
