"""The bounds that /openapi.json states for the fields of a request are those that the venue enforces; every list has one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from matching_engine.limits import MAX_AUCTION_S
from matching_engine.records import MAX_QUANTITY_LOTS
from services.values.cursors import Cursors
from tests.integration.documented import openapi
from tests.integration.venue import RunningVenue, running_venue

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000.00", "quantity": 3}
STOP = {
    **ORDER, "order_type": "stop_limit", "time_in_force": "gtd", "stop_price": "474000.00",
    "expire_time": "2023-12-02T02:00:00Z",
}  # fmt: skip
ROUTES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "OrderRequest": ("alice", "POST", "/v1/orders", ORDER),
    "AmendRequest": ("alice", "PATCH", "/v1/orders/{order_id}", {}),
    "BatchRequest": ("alice", "POST", "/v1/orders/batch", {"orders": [ORDER]}),
    "AccountRequest": ("operator", "POST", "/v1/admin/accounts", {"name": "x"}),
    "KeyRequest": ("operator", "POST", "/v1/admin/keys", {"name": "x", "scopes": ["read"]}),
    "CashRequest": ("operator", "POST", "/v1/admin/accounts/2/cash", {}),
    "InventoryRequest": ("operator", "POST", "/v1/admin/accounts/2/inventory", {"symbol": "PRND-OX"}),
    "LimitsRequest": ("operator", "PUT", "/v1/admin/accounts/3/limits", {}),
    "FeesRequest": ("operator", "PUT", "/v1/admin/fees/0", {"maker_rate": "0", "taker_rate": "0"}),
    "CollarRequest": ("operator", "PUT", "/v1/admin/instruments/ND-OX/collar", {}),
    "VolatilityBandRequest": (
        "operator", "PUT", "/v1/admin/instruments/ND-OX/volatility_band", {"rate": "0.1", "auction_seconds": 60},
    ),
    "BustRequest": ("operator", "POST", "/v1/admin/trades/1/bust", {}),
}  # fmt: skip
FORM_CODES = {"validation_failed", "invalid_quantity", "invalid_rate"}
"""Codes of values that are refused whatever the market, the account and the other fields are."""

DECIMALS = (
    "1", "100.00", "0.5", "0.000001", "0.00000100", "0.0000001", "0.001", "0.999999", "1.0000000", "-1", "-0.5", "", "abc",
    "1e5", "1,0", " 1", "1 ", "1.", ".5", "+1", "9" * 17, "0." + "0" * 9, "1\n",
)  # fmt: skip
TIMES = ("2023-12-02T02:00:00Z", "2023-12-02T02:00:00.0+08:00", "2023-12-02T02:00:00.5Z", "2023-12-02", "tomorrow", "")
IDS = ("a", "~!", "x" * 36, "x" * 37, "a b", "订单", "")

Send = Callable[[str, dict[str, Any]], Awaitable[tuple[int, str, set[str]]]]
"""Sends a body of a schema; status, code, and the fields that the answer names."""


@pytest.fixture
def schemas() -> dict[str, Any]:
    found = openapi()["components"]["schemas"]
    fields = {name: {field: not_null(said) for field, said in found[name]["properties"].items()} for name in ROUTES}
    return {name: found[name] | {"properties": fields[name]} for name in ROUTES}


def not_null(said: dict[str, Any]) -> dict[str, Any]:
    """What a field says of values that are not null."""
    choices = [choice for choice in said.get("anyOf", ()) if choice != {"type": "null"}]
    return choices[0] if len(choices) == 1 else said


@pytest.fixture(scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[RunningVenue]:
    """One for all tests: what it is sent may be carried out, and no test looks at that."""
    async with running_venue(tmp_path_factory.mktemp("venue")) as running:
        yield running


@pytest.fixture
async def send(venue: RunningVenue) -> Send:
    resting = (await venue.client("alice").post("/v1/orders", json={**ORDER, "quantity": 100})).json()["order_id"]

    async def request(name: str, change: dict[str, Any]) -> tuple[int, str, set[str]]:
        who, method, path, body = ROUTES[name]
        body = STOP if name == "OrderRequest" and change.keys() & {"stop_price", "expire_time"} else body
        reply = await venue.client(who).request(method, path.format(order_id=resting), json={**body, **change})
        answer = reply.json()
        fields = {error["field"].partition(".")[0] for error in answer.get("errors", ())}
        return reply.status_code, answer.get("code", ""), fields

    return request


async def test_integers(schemas: dict[str, Any], send: Send) -> None:
    checked = []
    for name, schema in schemas.items():
        for field, said in schema["properties"].items():
            if said.get("type") != "integer":
                continue
            low, high = said["minimum"], said["maximum"]
            assert isinstance(low, int)
            for value in (low - 1, high + 1, *said.get("not", {}).get("enum", ())):
                status, _, fields = await send(name, {field: value})
                assert (status, fields) == (422, {field}), (name, field, value)
            for value in (low,) if name in ("OrderRequest", "AmendRequest") else (low, high):
                status, code, fields = await send(name, {field: value})
                assert not (status == 422 and field in fields and code in FORM_CODES), (name, field, value)
            checked.append((field, low, high))
    assert ("quantity", 1, MAX_QUANTITY_LOTS) in checked
    assert ("auction_seconds", 0, MAX_AUCTION_S) in checked
    assert len(checked) == 11


async def test_texts_with_a_form(schemas: dict[str, Any], send: Send) -> None:
    checked = 0
    for name, schema in schemas.items():
        for field, said in schema["properties"].items():
            if "pattern" not in said or field == "symbol":  # 404 where none is listed as that
                continue
            for text in {"expire_time": TIMES, "expires": TIMES, "client_order_id": IDS}.get(field, DECIMALS):
                fits = re.search(said["pattern"].replace("$", r"\Z"), text) is not None
                status, code, fields = await send(name, {field: text})
                is_refused = status == 422 and field in fields
                assert is_refused or fits, (name, field, text)
                assert not (is_refused and code in FORM_CODES and fits), (name, field, text)
                checked += 1
    assert checked == 11 * len(DECIMALS) + 2 * len(TIMES) + len(IDS)


def test_only_cash_may_be_negative(schemas: dict[str, Any]) -> None:
    signed = {
        (name, field)
        for name, schema in schemas.items()
        for field, said in schema["properties"].items()
        if "pattern" in said
        and field not in ("expire_time", "expires", "client_order_id")
        and re.search(said["pattern"], "-1")
    }
    assert signed == {("CashRequest", "amount")}


async def test_lengths(schemas: dict[str, Any], send: Send) -> None:
    checked = 0
    for name, schema in schemas.items():
        for field, said in schema["properties"].items():
            wrong: list[Any] = []
            if "minLength" in said:
                wrong = ["x" * (said["minLength"] - 1), "x" * (said["maxLength"] + 1)]
            elif "minItems" in said:
                item = ROUTES[name][3][field][0]
                wrong = [[item] * (said["minItems"] - 1)]
                wrong += [[item] * (said["maxItems"] + 1)] if "maxItems" in said else []
            for value in wrong:
                status, code, fields = await send(name, {field: value})
                assert (status, code, fields) == (422, "validation_failed", {field})
                checked += 1
    assert checked == 10


def test_no_field_is_without_bounds(schemas: dict[str, Any]) -> None:
    bounds = {"string": {"pattern", "enum", "maxLength"}, "integer": {"maximum"}, "array": {"maxItems", "items"}}
    without = {
        field
        for schema in schemas.values()
        for field, said in schema["properties"].items()
        if said.get("type") in bounds and not bounds[said["type"]] & set(said)
    }
    assert not without


async def test_an_amend_changes_something(schemas: dict[str, Any], send: Send) -> None:
    assert schemas["AmendRequest"]["minProperties"] == 1
    assert await send("AmendRequest", {}) == (422, "invalid_option", {"body"})


async def test_a_reason_is_not_blank(send: Send) -> None:
    assert await send("BustRequest", {"reason": " "}) == (422, "validation_failed", {"reason"})


# ---------------------------------------------------------------------- lists

REPORTS = "/v1/reports"
OF_YEAR = f"{REPORTS}/turnover/{{year}}"
SHORT = {
    "at most 1,024 instruments": {
        "/v1/instruments", "/v1/market/tickers", "/v1/account", f"{REPORTS}/quality/{{date}}",
        f"{REPORTS}/bulletins/{{period}}",
        *(f"{OF_YEAR}/{part}" for part in ("ladder", "concentration", "effects")),
    },
    "256 account classes": {"/v1/admin/fees", f"{OF_YEAR}/fees"},
    "what the venue knows by name: scopes, phases of a day, kinds of acts and of warnings; 20 alerts": {
        "/v1/session", "/v1/venue", "/healthz", "/readyz",
    },
    "the days or months of a year": {
        "/v1/calendar", OF_YEAR, f"{OF_YEAR}/days", f"{OF_YEAR}/months", f"{OF_YEAR}/changed_hands", f"{REPORTS}/index",
        f"{OF_YEAR}/forecasts",
    },
    "the four states of findings": {f"{OF_YEAR}/flagged"},
    "a part of it: 100 trades of an order, 500 events of a command": {
        f"{REPORTS}/orders/{{order_id}}", f"{REPORTS}/journal/{{seq}}",
    },
    "one target in force for each scope, metric and period": {f"{REPORTS}/targets/{{year}}/progress"},
    "a document that is one whole, for the reasons that docs/api.md gives": {
        f"{OF_YEAR}/members", f"{OF_YEAR}/splits", f"{REPORTS}/findings/{{year}}", f"{REPORTS}/abnormal_trading/{{year}}",
        f"{REPORTS}/context/{{year}}",
    },
}  # fmt: skip
"""The answers with a list that take no `limit`, by what bounds the list."""


def queries_of_lists() -> dict[str, set[str]]:
    """The query parameters of each GET whose answer is a list, or an object with one."""
    found = {}
    for path, operations in openapi()["paths"].items():
        answer = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if has_list(answer.get("application/json", {}).get("schema", {})):
            parameters = operations["get"].get("parameters", ())
            found[path] = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
    return found


def has_list(schema: dict[str, Any]) -> bool:
    if "$ref" in schema:
        return has_list(openapi()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    fields = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    return "array" in {schema.get("type"), *(field.get("type") for field in fields)} or any(
        has_list(choice) for choice in schema.get("anyOf", ())
    )


def test_every_list_has_a_limit_or_is_known_to_be_short() -> None:
    without = {path for path, query in queries_of_lists().items() if not query & {"limit", "levels"}}
    assert without == set().union(*SHORT.values())


async def test_what_is_no_cursor_of_a_list_is_refused_and_so_is_a_limit_beyond_its_bounds(venue: RunningVenue) -> None:
    paged = {path: query for path, query in queries_of_lists().items() if "cursor" in query}
    assert paged.keys() >= {
        "/v1/admin/accounts", "/v1/admin/users", f"{REPORTS}/control_groups", f"{REPORTS}/targets/{{year}}",
    }  # fmt: skip
    operator, others = venue.client("operator"), Cursors("a list that the venue does not have")
    for path, query in paged.items():
        address = path.format(symbol="PRND-OX", year=2023)
        beside = {name: value for name, value in (("account", "2"), ("interval", "1h")) if name in query}
        for name, value in (("cursor", others.text(1)), ("cursor", "x"), ("limit", "0"), ("limit", "1001")):
            reply = await operator.get(address, params={**beside, name: value})
            named = [error["field"] for error in reply.json()["errors"]]
            assert (reply.status_code, named) == (422, [name]), (path, name, value)
