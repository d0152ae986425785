"""The client's records: their fields are those of the OpenAPI document, and a venue's own answers keep every digit."""

from __future__ import annotations

import types
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from rex_client import (
    Account,
    Balances,
    Candle,
    CashMovement,
    Depth,
    Fill,
    Instrument,
    LedgerLine,
    Level,
    Order,
    OrderTest,
    Ticker,
    Trade,
)
from rex_client.records import AccountLimits, Holding, LedgerBalance, Record

from tests.integration.documented import openapi
from tests.integration.served_venue import Served, served_venue

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
SCHEMAS: dict[type[Record], str] = {
    Account: "Account",
    AccountLimits: "AccountLimits",
    Candle: "Candle",
    CashMovement: "CashMovement",
    Depth: "Depth",
    Fill: "Fill",
    Holding: "Holding",
    Instrument: "Instrument",
    LedgerBalance: "LedgerBalance",
    LedgerLine: "LedgerLine",
    Level: "DepthLevel",
    Order: "Order",
    OrderTest: "OrderTested",
    Ticker: "Ticker",
    Trade: "PublicTrade",
}
TYPES: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "integer": (int,),
    "boolean": (bool,),
    "string": (str, Decimal, datetime, date),
}
OXIDE = {"symbol": "PRND-OX", "price": "473000.00"}


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Served]:
    async with served_venue(tmp_path_factory.mktemp("served")) as running:
        yield running


def records() -> Iterator[type[Record]]:
    """Every record but the base."""
    left = [Record]
    while left:
        left += (subs := left.pop().__subclasses__())
        yield from subs


def parts(annotation: Any) -> set[Any]:
    """The members of a union."""
    return set(get_args(annotation)) if get_origin(annotation) in (types.UnionType, Union) else {annotation}


def fits(annotation: Any, schema: Json) -> bool:
    """Whether a field's type is that of its schema, of OpenAPI 3.0 (`nullable`) or 3.1 (`anyOf` with null)."""
    if schema.get("nullable"):
        schema = {"anyOf": [{**schema, "nullable": False}, {"type": "null"}]}
    if "$ref" in schema:
        return bool(SCHEMAS.get(annotation) == schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        whole = parts(annotation)
        return len(whole) == len(schema["anyOf"]) and all(
            any(fits(part, one) for part in whole) for one in schema["anyOf"]
        )
    if schema["type"] == "array":
        return get_origin(annotation) is tuple and fits(get_args(annotation)[0], schema["items"])
    if get_origin(annotation) is Literal:
        return set(get_args(annotation)) == set(schema.get("enum", ())) - {None}
    return annotation in TYPES[schema["type"]]


async def test_the_fields_of_a_record_are_those_of_its_schema(served: Served) -> None:
    assert set(records()) == {*SCHEMAS, Balances}
    schemas = openapi()["components"]["schemas"]
    for record, name in SCHEMAS.items():
        properties, hints = schemas[name]["properties"], get_type_hints(record)
        assert hints.keys() == properties.keys(), record
        for field, schema in properties.items():
            assert fits(hints[field], schema), (record, field, hints[field], schema)


def same(told: Any, kept: Any) -> bool:
    """Whether a value of a record says what the answer said, to the last digit."""
    if isinstance(kept, Record):
        return all(same(told.get(name), getattr(kept, name)) for name in kept.__struct_fields__)
    if isinstance(kept, tuple):
        return len(told) == len(kept) and all(map(same, told, kept))
    if isinstance(kept, Decimal):
        return bool(str(kept) == told)
    if isinstance(kept, datetime):
        return kept.tzinfo is not None and kept == datetime.fromisoformat(told)
    return bool((kept.isoformat() if isinstance(kept, date) else kept) == told)


async def test_records_keep_what_a_venue_answers(served: Served) -> None:
    alice, bob = await served.client("alice"), await served.client("bob")
    operator = await served.client("operator")
    async with bob.subscribe(["balances"]) as balances, bob.subscribe(["trades"], ["PRND-OX"]) as trades:
        told: list[tuple[type[Record], Json]] = [(Balances, (await anext(balances))["data"])]
        await anext(trades)
        sell = await alice.place_order({**OXIDE, "side": "sell", "quantity": 5})
        buy = await bob.place_order({**OXIDE, "side": "buy", "quantity": 3, "client_order_id": "a"})
        told += [(Trade, trade) for trade in (await anext(trades))["data"]["trades"]]
        told += [(Balances, (await anext(balances))["data"])]
    await operator.change_cash(served.venue.keys["bob"].account, "-12.50")
    stop = {"symbol": "ND-OX", "side": "buy", "order_type": "stop_limit", "price": "466000", "stop_price": "466000"}
    waiting = {"quantity": 4, "time_in_force": "gtd", "expire_time": "2023-12-05T09:00:00+08:00"}
    told += [(Order, order) for order in (sell, buy, await bob.place_order(stop | waiting))]
    told += [(Order, order) for order in (await alice.orders())["orders"]]
    told += [(OrderTest, await bob.test_order({**OXIDE, "side": "buy", "quantity": 1}))]
    told += [(Fill, fill) for client in (alice, bob) for fill in (await client.fills())["fills"]]
    told += [(Account, await client.account()) for client in (alice, bob)]
    told += [(LedgerLine, line) for line in (await bob.ledger())["lines"]]
    told += [(CashMovement, moved) for moved in (await bob.cash_movements())["cash_movements"]]
    told += [(Ticker, ticker) for ticker in await bob.tickers()]
    told += [(Instrument, instrument) for instrument in await bob.instruments()]
    told += [(Depth, await bob.depth("PRND-OX"))]
    told += [(Trade, trade) for trade in await bob.trades("PRND-OX")]
    for interval in ("1m", "1d"):
        told += [(Candle, candle) for candle in (await bob.candles("PRND-OX", interval))["candles"]]
    assert {record for record, _ in told} == set(records()) - {AccountLimits, Holding, LedgerBalance, Level}
    for record, answer in told:
        assert same(answer, record.of(answer)), (record, answer)


async def test_an_answer_about_something_else_is_no_record(served: Served) -> None:
    alice = await served.client("alice")
    account = await alice.account()
    assert Account.of(account) == Account.of(account | {"a_field_of_a_later_version": 1})
    assert Account.of(account).holdings[0].symbol
    with pytest.raises(msgspec.ValidationError, match="missing required field"):
        Order.of(account)


def test_an_order_is_open_until_it_ends() -> None:
    hints = get_type_hints(Order)
    states = set(get_args(hints["state"]))
    values: Json = dict.fromkeys(hints)
    still = {state for state in states if Order(**values | {"state": state}).is_open}
    assert still == {"new", "partially_filled"}
