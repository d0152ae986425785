"""Commands and events as JSON values, for people and programs outside REX: fields by name, codes by name.

A record has all fields of all kinds. Here it has those that its kind uses (`matching_engine/records.py` says what they mean),
and any other field that is not 0, so nothing is hidden.
"""

from __future__ import annotations

from typing import Any

from matching_engine.records import (
    BOTH_SIDES,
    Command,
    CommandKind,
    Event,
    EventKind,
    Flag,
    OrderType,
    Phase,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)

PASSWORD_HASH = "password_hash"
"""The field of a text that no export shows: a password can be guessed from its hash, other than the secret of an API key."""

_ORDER = "account instrument side order_type price_ticks quantity_lots"
_ENDED = "order_id account instrument side price_ticks quantity_lots leaves_lots reserve_fen reason"

_OF_COMMANDS: dict[int, str] = {
    CommandKind.NEW_ORDER: f"{_ORDER} time_in_force self_trade display_lots trigger_ticks time_s flags client_order_id",
    CommandKind.CANCEL: "account order_id client_order_id",
    CommandKind.AMEND: "account order_id client_order_id flags price_ticks quantity_lots display_lots trigger_ticks",
    CommandKind.MASS_CANCEL: "account instrument side",
    CommandKind.OPEN_ACCOUNT: "owner account_class",
    CommandKind.DEPOSIT: "account amount_fen",
    CommandKind.WITHDRAW: "account amount_fen",
    CommandKind.RECEIVE: "account instrument quantity_lots",
    CommandKind.RELEASE: "account instrument quantity_lots",
    CommandKind.SET_ORDER_LIMITS: "account quantity_lots amount_fen number",
    CommandKind.SET_TURNOVER_LIMIT: "account amount_fen",
    CommandKind.KILL_SWITCH_ON: "account",
    CommandKind.KILL_SWITCH_OFF: "account",
    CommandKind.LIST_INSTRUMENT: "instrument amount_fen price_ticks rate_ppm quantity_lots",
    CommandKind.CHANGE_INSTRUMENT: "instrument flags rate_ppm taker_rate_ppm quantity_lots",
    CommandKind.DELIST_INSTRUMENT: "instrument",
    CommandKind.SET_FEES: "account_class rate_ppm taker_rate_ppm",
    CommandKind.SET_PHASE: "instrument phase",
    CommandKind.HALT: "instrument",
    CommandKind.RESUME: "instrument",
    CommandKind.DAY_ROLL: "date",
    CommandKind.SET_COLLAR: "instrument rate_ppm",
    CommandKind.SET_VOLATILITY_BAND: "instrument rate_ppm time_s",
    CommandKind.BUST_TRADE: "order_id",
}
_OF_EVENTS: dict[int, str] = {
    EventKind.ACCEPTED: f"order_id {_ORDER} leaves_lots reserve_fen",
    EventKind.DUPLICATE: "order_id account",
    EventKind.REJECTED: "order_id account instrument side price_ticks quantity_lots reason",
    EventKind.REPLACED: f"order_id {_ORDER} leaves_lots reserve_fen",
    EventKind.TRIGGERED: f"order_id {_ORDER} leaves_lots",
    EventKind.TRADE: "order_id account maker_order_id maker_account instrument side price_ticks quantity_lots leaves_lots"
    " amount_fen fee_fen maker_fee_fen reserve_fen number phase",
    EventKind.CANCELED: _ENDED,
    EventKind.EXPIRED: _ENDED,
    EventKind.SELF_TRADE_PREVENTED: f"{_ENDED} maker_order_id",
    EventKind.LEVEL: "instrument side price_ticks quantity_lots number",
    EventKind.INDICATIVE: "instrument price_ticks quantity_lots leaves_lots",
    EventKind.TRADE_BUSTED: "order_id account maker_account instrument side price_ticks quantity_lots amount_fen fee_fen"
    " maker_fee_fen",
    EventKind.MASS_CANCELED: "account instrument side number",
    EventKind.ACCOUNT_OPENED: "account",
    EventKind.BALANCE_CHANGED: "account amount_fen instrument quantity_lots",
    EventKind.LIMITS_SET: "account",
    EventKind.KILL_SWITCH_SET: "account number",
    EventKind.INSTRUMENT_LISTED: "instrument price_ticks",
    EventKind.SETTLED: "instrument price_ticks quantity_lots amount_fen number",
    EventKind.INSTRUMENT_CHANGED: "instrument",
    EventKind.INSTRUMENT_DELISTED: "instrument number",
    EventKind.COLLAR_SET: "instrument",
    EventKind.VOLATILITY_BAND_SET: "instrument",
    EventKind.PHASE_CHANGED: "instrument phase reason number",
    EventKind.DAY_ROLLED: "date",
}
_SENDER = "seq time_ns request_id incarnation gateway_id actor"
_CODES: dict[str, dict[int, str]] = {
    field: {int(code): code.name for code in codes}
    for field, codes in (
        ("side", Side),
        ("order_type", OrderType),
        ("time_in_force", TimeInForce),
        ("self_trade", SelfTrade),
        ("phase", Phase),
        ("reason", Reason),
    )
}
_CODES["side"][BOTH_SIDES] = "BOTH_SIDES"


_COMMANDS = {int(kind): kind.name for kind in CommandKind}
_FLAGS = [(int(flag), flag.name) for flag in Flag]
_ALL_FLAGS = sum(bit for bit, _ in _FLAGS)
_EVENTS = {int(kind): kind.name for kind in EventKind}


def command_json(command: Command) -> dict[str, Any]:
    """The kind, the sender and the fields of the kind, in this order. An unknown code stays a number, and client_order_id is
    Latin-1."""
    values = command._asdict()
    del values["attachment"]  # the number of the text in its row
    return _named(values, _COMMANDS, f"{_SENDER} {_OF_COMMANDS.get(command.kind, '')}")


def event_json(event: Event) -> dict[str, Any]:
    """The kind and the fields of the kind. Its seq is that of its command, and left out."""
    values = event._asdict()
    del values["seq"]
    return _named(values, _EVENTS, _OF_EVENTS.get(event.kind, ""))


def _named(values: dict[str, Any], kinds: dict[int, str], used: str) -> dict[str, Any]:
    kind = values.pop("kind")
    named = {"kind": kinds.get(kind, kind)}
    for name in used.split():
        named[name] = _value(name, values.pop(name))
    for name, value in values.items():
        if value:
            named[name] = _value(name, value)
    return named


def _value(name: str, value: Any) -> Any:
    if name in _CODES:
        return _CODES[name].get(value, value)
    if name == "flags":
        unknown = [value & ~_ALL_FLAGS] if value & ~_ALL_FLAGS else []
        return [flag for bit, flag in _FLAGS if value & bit] + unknown
    return value.decode("latin-1") if isinstance(value, bytes) else value
