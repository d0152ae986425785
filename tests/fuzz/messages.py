"""Generates WebSocket messages: those of docs/asyncapi.json, with fields of their schemas, and every kind of damage to them.

Everything follows from the seed. A message keeps its `req_id` unless the damage hits it, so that its reply can be told.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from services.gateway.websocket.protocol import METHODS
from tests.integration.documented import document

Json = dict[str, Any]

LIKELY: dict[str, list[Any]] = {
    "symbol": ["PRND-OX", "PRND-OX", "PRND-OX", "NDFEB-N35", "ND-OX", "GOLD", ""],
    "symbols": [["*"], ["PRND-OX"], ["PRND-OX", "ND-OX"], ["*"], ["GOLD"]],
    "side": ["buy", "sell"],
    "price": ["473000.00", "473100", "472900.00", "473000.00", "473100.00", "160.00", "0", "-1", "9" * 14, "1e-8", "٣"],
    "stop_price": ["473000.00", "474000", "472000"],
    "quantity": [1, 2, 5, 1, 3, 7, 0, 2**31, 2**63, 1e300],
    "order_id": ["1", "120", "150", "200", "999999999", "0", "-1", "x"],
    "client_order_id": ["a", "b", "c", "x" * 36, "x" * 37, "é", "a b", ""],
    "trade_id": ["1", "130"],
    "account": [0, 1, 2, 3, 99, -1],
    "seconds": [0, 5, 60, 86_400, -1],
    "channels": [
        ["depth"], ["top"], ["trades"], ["ticker"], ["candles"], ["auction"], ["status"], ["turnover"], ["orders"],
        ["fills"], ["balances"], ["drop_copy"], ["alerts"], ["orders", "fills", "balances"], ["depth", "trades", "ticker"],
        [], ["nothing"],
    ],
    "interval": ["1m", "5m", "1d", "2m"],
    "seq": [0, 1, 100, 10**9],
    "incarnation": ["0" * 16, "x"],
    "expire_time": ["2100-01-01T00:00:00Z", "2001-01-01T00:00:00Z", "2023-02-30T00:00:00Z"],
}  # fmt: skip
"""Values by the name of the field, most of them valid."""
JUNK: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**400, -(10**400), 0.1, 1e308, -0.0, float("nan"), float("inf"),
    "", "0", "NaN", "\x00", "\ud800", "é" * 300, "x" * 20_000, "🧲", [], {}, [[]], [None] * 1_000, {"": {}}, {"method": "ping"},
]  # fmt: skip
OPTIONAL = 0.2
"""The share of optional fields that a message has: most of them exclude each other."""
WHOLE = 0.4
"""The share of messages without damage."""
LARGEST_BYTES = 64 * 1024


class Messages:
    """A stream of messages from a seed."""

    def __init__(self, random: Random) -> None:
        self._random = random
        spoken = document("asyncapi.json")
        self._schemas: Json = spoken["components"]["schemas"]
        said = spoken["components"]["messages"]
        self._params = {name: said[name]["payload"]["properties"]["params"] for name in METHODS}
        self._examples = {name: [example["payload"] for example in said[name]["examples"]] for name in METHODS}
        self._number = 0

    def next(self) -> bytes:
        """The text of one message of at most LARGEST_BYTES, as bytes that need not be UTF-8."""
        message = self.valid()
        damage = _whole if self._random.random() < WHOLE else self._random.choice(DAMAGES)
        text = damage(self._random, message)
        return text if len(text) <= LARGEST_BYTES else text[:LARGEST_BYTES]

    def valid(self) -> Json:
        """A message that fits its schema, or nearly: of an example, or generated from the schema."""
        random = self._random
        self._number += 1
        name = random.choice(list(METHODS))
        if random.random() < 0.3:
            message = _copy(random, self._examples[name])
        else:
            message = {"method": name, "params": self._value(self._params[name], "")}
        message["req_id"] = self._number if random.random() < 0.8 else f"m{self._number}"
        return dict(message)

    def _value(self, schema: Json, name: str, depth: int = 0) -> Any:
        random = self._random
        if name in LIKELY and random.random() < 0.8:
            return _copy(random, LIKELY[name])
        if "$ref" in schema:
            return self._value(self._schemas[schema["$ref"].rpartition("/")[2]], name, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return random.choice(schema["enum"])
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return self._value(random.choice(schema[choice]), name, depth)
        return self._of_type(schema, name, depth)

    def _of_type(self, schema: Json, name: str, depth: int) -> Any:
        random = self._random
        match schema.get("type"):
            case "object":
                needed = schema.get("required", ())
                fields = schema.get("properties", {}).items()
                kept = [each for each in fields if each[0] in needed or random.random() < OPTIONAL]
                return {field: self._value(of, field, depth + 1) for field, of in kept}
            case "array":
                count = random.choice((0, 1, 1, 2, 3, 30)) if depth < 3 else 1
                return [self._value(schema.get("items", {}), name, depth + 1) for _ in range(count)]
            case "integer":
                low, high = schema.get("minimum", -3), schema.get("maximum", 10**6)
                return random.choice((low, low + 1, high, random.randint(low, high)))
            case "boolean":
                return random.random() < 0.5
            case "null":
                return None
            case _:
                return random.choice(("", "a", "473000.00", "1", "x" * 36))


# ---------------------------------------------------------------------- damage: a random source and a message to its text


def _copy(random: Random, values: list[Any]) -> Any:
    """One of the values, to be damaged itself."""
    return deepcopy(random.choice(values))


def _text(message: Any) -> bytes:
    return json.dumps(message).encode()


def _whole(random: Random, message: Json) -> bytes:
    return json.dumps(message, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def _place(random: Random, message: Json) -> tuple[Any, Any]:
    """A container inside the message, and a key or index of it."""
    container: Any = message
    while True:
        keys = list(container) if isinstance(container, dict) else list(range(len(container)))
        key = random.choice(keys)
        inner = container[key]
        if isinstance(inner, dict | list) and inner and random.random() < 0.7:
            container = inner
        else:
            return container, key


def _dropped(random: Random, message: Json) -> bytes:
    container, key = _place(random, message)
    del container[key]
    return _text(message)


def _added(random: Random, message: Json) -> bytes:
    container, key = _place(random, message)
    if isinstance(container, dict):
        container[random.choice(("extra", "", "Price", "method", "params", "account", "__proto__", "x" * 300))] = _copy(
            random, JUNK
        )
    else:
        container.insert(key, _copy(random, JUNK))
    return _text(message)


def _retyped(random: Random, message: Json) -> bytes:
    for _ in range(random.choice((1, 1, 2, 4))):
        container, key = _place(random, message)
        container[key] = _copy(random, JUNK)
    return _text(message)


def _wrapped(random: Random, message: Json) -> bytes:
    container, key = _place(random, message)
    value = container[key]
    container[key] = random.choice(([value], {"value": value}, str(value), [value] * 3))
    return _text(message)


def _nested(random: Random, message: Json) -> bytes:
    depth = random.choice((10, 200, 1_000, 5_000, 10_000))
    opening, closing = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
    deep = opening * depth + b"1" + closing * depth
    container, key = _place(random, message)
    container[key] = "HERE"
    return _text(message).replace(b'"HERE"', deep, 1)


def _repeated_key(random: Random, message: Json) -> bytes:
    text = _text(message)
    quote = text.find(b'"', random.randrange(len(text)))
    comma = text.find(b", ", max(quote, 0))
    field = random.choice((b'"method": "ping"', b'"req_id": 1', b'"price": "1"', b'"m\\u0065thod": "ping"'))
    return b"{" + field + b", " + text[1:] if comma < 0 else text[:comma] + b", " + field + text[comma:]


def _cut(random: Random, message: Json) -> bytes:
    text = _text(message)
    return text[: random.randrange(len(text))]


def _flipped(random: Random, message: Json) -> bytes:
    text = bytearray(_text(message))
    for _ in range(random.choice((1, 2, 8))):
        text[random.randrange(len(text))] = random.randrange(128)
    return bytes(text)


def _spliced(random: Random, message: Json) -> bytes:
    text, at = _text(message), random.random()
    part = random.choice(
        (b"\x00", b",", b"}", b"\\u0000", b"\\ud800", b"1e999", b"NaN", b"-Infinity", b"\t", b"//", b"9" * 5_000)
    )
    place = int(len(text) * at)
    return text[:place] + part + text[place:]


def _padded(random: Random, message: Json) -> bytes:
    size = random.choice((10, 1_000, LARGEST_BYTES - len(_text(message))))
    return random.choice((_text(message) + b" " * size, b" " * size + _text(message), b"\xef\xbb\xbf" + _text(message)))


def _long(random: Random, message: Json) -> bytes:
    container, key = _place(random, message)
    container[key] = random.choice(("x", "é", "\\", '"', "\x01", "9")) * random.choice((100, 5_000, 10_000))
    return _text(message)


def _something_else(random: Random, message: Json) -> bytes:
    return random.choice(
        (b"", b" ", b"null", b"1", b'"ping"', b"[]", b"[1]", b"{}", b"ping", b"\x00", b"{'method':'ping'}", b"1" * 60_000,
         _text([message]), _text(json.dumps(message)), _text(message) * 2)
    )  # fmt: skip


Damage = Callable[[Random, Json], bytes]
DAMAGES: list[Damage] = [
    _dropped, _added, _retyped, _retyped, _wrapped, _nested, _repeated_key, _cut, _flipped, _spliced,
    _padded, _long, _something_else,
]  # fmt: skip
