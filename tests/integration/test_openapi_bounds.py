"""docs/openapi.json is not wider than the venue: no value that a schema calls valid is refused for its form.

Each value is sent in an otherwise good request, at the place of its parameter or field. A 422 that names this place alone is a
complaint about the value. RULES has the complaints that no schema can say: what is not there, what another field asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.integration.documented import document
from tests.integration.valid_values import Place, places, sample, values, with_value
from tests.integration.venue import RunningVenue

pytestmark = pytest.mark.anyio

Json = dict[str, Any]

GOOD: Json = {
    "account": "2", "account_class": "0", "alert_id": "999", "date": "2023-12-01", "key_id": "999", "order_id": "999",
    "period": "2023-12", "seq": "1", "switch": "on", "symbol": "ND-OX", "trade_id": "999", "user_id": "999", "year": "2023",
}  # fmt: skip
"""A value for each parameter of a path."""

BESIDE: Json = {
    "stop_price": {"order_type": "stop_limit"},
    "expire_time": {"time_in_force": "gtd"},
    "accounts": {"trading_date": "2023-12-01"},
    "amend": {"amend": {"client_order_id": "c", "quantity": 1}},
    "finding": {"year": 2023},
}
"""What a request has beside a field so that the field is looked at."""

POSITIVE = "'0*[.]?0*[1-9].*'"
"""A decimal above zero, in quotes."""

RULES = {
    # What it names is not there, or was there before.
    "symbol|symbols|product|scope": r"'(product:)?[A-Z0-9][A-Z0-9-]{0,15}': no instrument is listed as",
    "owner|account": "no account has the number",
    "accounts": "no member has the account|names the account .* a second time",
    "trade_ids": r"\[?'[1-9]\d{0,18}'.*: (no trade has the id|names the trade .* a second time)",
    "member|order": "there is no ",
    "finding": "needs `year`|the wash screen of .* has no finding",
    "decision": "no command .* decided about trades",
    "cursor": r"'[\w-]+': (is not one that this list of the venue gave out|is none)",
    "client_order_id|Idempotency-Key": "was used for another",
    # What another field asks for.
    "price|stop_price": "a limit order needs one|a stop_limit order needs one",
    "expire_time": "a gtd order needs one|must be in the future",
    "expires": "must be in the future",
    "order_id|client_order_id": "give either order_id or client_order_id",
    "order_ids": "name 1 to 500 orders, by either id",
    "display_quantity": "must be from [01]",
    "account|role": "must not be 0: a key with `trade`|must not be the venue's own|must be a member's|must be 0: the role",
    "auction_seconds": "must be above 0 if rate is above 0",
    "pro_rata": "must be false for a month",
    "side": "needs `member`",
    # What the instrument, the trading day or the unit allows.
    "price|stop_price|reference_price": f"{POSITIVE}: (.* is not a multiple of the tick|must be above 0 and at most)",
    "quantity|max_quantity": "must be from 1 to",
    "tick_size": f"{POSITIVE}: on one lot it must be worth a whole number of fen",
    "amount|max_order_value|max_day_turnover": f"'-?{POSITIVE[1:]}: must (not be 0, nor beyond|be above 0, and at most)",
    "trading_date": "must not be after the venue's trading day",
    # What stands behind an encoding, or has a grammar of its own.
    "Rex-Why": "must have at most 500 characters|must be UTF-8 in percent-encoding",
    "addresses": r"'[\w.:/]+'.*: is no IP address or network",
}
"""By the name of the place: the value and the complaint."""

AWAITED = {"at_least_seq", "seq", "after_seq", "to_seq"}
"""Of a report: it waits for a command that the venue has not reached, and then refuses."""


async def test_no_value_that_the_document_calls_valid_is_refused_for_its_form(venue: RunningVenue) -> None:
    refused: dict[str, str] = {}
    for place in _read_apart():
        for value in values(place.schema):
            if not _can_be_sent(place, value):
                continue
            reply = await _answer(venue, place, value)
            assert reply.status_code not in (400, 500), (place, value)
            for complaint in _complaints(reply, place):
                if not _is_ruled(place, f"{value!r}: {complaint}"):
                    refused.setdefault(str(place), f"{value!r:.80}: {complaint}")
    listed = "\n".join(f"{place}: {told}" for place, told in refused.items())
    assert not refused, f"{len(refused)} places are wider than the venue:\n{listed}"


def _read_apart() -> Iterator[Place]:
    """Each place, but a header once: every route has it read by the same code."""
    headers = set[str]()
    for place in places():
        if place.where != "header" or str(place.schema) + place.name not in headers:
            yield place
        if place.where == "header":
            headers.add(str(place.schema) + place.name)


def _can_be_sent(place: Place, value: Any) -> bool:
    """Not: null in an address, an empty segment of a path, and what a report would wait for."""
    if place.where == "body":
        return True
    is_awaited = place.names[0] in AWAITED and place.path.startswith("/v1/reports")
    return value is not None and value not in ("", "/") and not (is_awaited and value > 20)


async def _answer(venue: RunningVenue, place: Place, value: Any) -> httpx.Response:
    operation = document("openapi.json")["paths"][place.path][place.method]
    sent: dict[str, Json] = {
        "path": {**GOOD},
        "query": {one["name"]: sample(one["schema"]) for one in operation.get("parameters", ()) if _is_asked(one)},
        "header": {},
    }
    whole: Json = {}
    if place.where == "query":
        sent["query"].update(BESIDE.get(place.names[0], {}))
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        body = _good(sample(schema), place.name)
        whole = {"json": with_value(schema, body, place.names, value) if place.where == "body" else body}
    if place.where != "body":
        sent[place.where][place.names[0]] = value
    texts = {where: {name: _text(one) for name, one in named.items()} for where, named in sent.items()}
    path = re.sub(r"{(\w+)}", lambda found: quote(texts["path"][found[1]], safe=""), place.path)
    scopes = {*operation.get("x-scopes", ())}
    caller = "operator" if scopes & {"operate", "admin"} and "trade" not in scopes else "alice"
    client = venue.client(caller)
    return await client.request(place.method, path, params=texts["query"], headers=texts["header"], **whole)


def _is_asked(parameter: Json) -> bool:
    return parameter["in"] == "query" and bool(parameter.get("required"))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _good(body: Any, name: str) -> Any:
    """The example as this venue takes it, again and again: no order has an id of its own."""
    if isinstance(body, list):
        return [_good(one, name) for one in body]
    if not isinstance(body, dict):
        return body
    if "side" in body:
        body = {key: value for key, value in body.items() if key != "client_order_id"}
    if "accounts" in body:
        body = {**body, "accounts": [2, 3][: len(body["accounts"])]}
    takes = "side" in body or "trading_date" in body
    return {key: _good(value, name) for key, value in body.items()} | (BESIDE.get(name, {}) if takes else {})


def _complaints(reply: httpx.Response, place: Place) -> Iterator[str]:
    """What a refusal of the request, or of an order in it, says about the place alone."""
    if not reply.headers.get("content-type", "").startswith(("application/json", "application/problem+json")):
        return
    said = reply.json()
    results = said.get("results", ()) if isinstance(said, dict) and place.where == "body" else ()
    for problem in [said] if reply.status_code == 422 else [one["error"] for one in results if one.get("error")]:
        if problem["status"] == 422 and {_last_name(error["field"]) for error in problem["errors"]} == {place.name}:
            yield problem["errors"][0]["message"]


def _last_name(path: str) -> str:
    return [name for name in path.split(".") if not name.isdigit()][-1]


def _is_ruled(place: Place, told: str) -> bool:
    return any(place.name in names.split("|") and re.search(rule, told, re.DOTALL) for names, rule in RULES.items())
