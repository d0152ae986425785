"""Values that a document calls valid: for each parameter and each field of each body of docs/openapi.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.integration.documented import document

Json = dict[str, Any]

EDGES: list[Any] = [
    "", " ", "0", "00", "-1", "1", "1.5", "x", "X" * 3_000, "9" * 19, "9" * 3_000, "\x01", "a\x7fb", "a\nb", "1\n",
    "氧化钪", "é", "/", "%", "*", "2023-12-01", "0000-01-01", "9999-12-31",
    "2023-12-01T02:00:00Z", "2023-12-01T02:00:00.123456789+08:00",
    "2016-12-31T23:59:60Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "2023-02-30T00:00:00Z",
    0, -1, 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64, 10**30, True, False, None, [], {},
]  # fmt: skip
"""Tried where a schema calls them valid."""

MOST = 500
"""Items of a list: `maxItems` where it is less."""


@dataclass(frozen=True)
class Place:
    """A parameter, or a field of a body."""

    method: str
    path: str
    where: str
    names: tuple[str, ...]
    schema: Json

    @property
    def name(self) -> str:
        """The last name; of an item, that of its list."""
        return [name for name in self.names if name != "0"][-1]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.where} {'.'.join(self.names)}"


def resolved(schema: Json) -> Json:
    """The schema behind a reference; of a value that may be null, the other choice."""
    openapi = document("openapi.json")
    while True:
        choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        if "$ref" in schema:
            schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif len(choices) == 1:
            schema = choices[0]
        else:
            return schema


def places() -> Iterator[Place]:
    """All of them."""
    for path, operations in document("openapi.json")["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                yield Place(method, path, parameter["in"], (parameter["name"],), parameter["schema"])
            body = operation.get("requestBody")
            if body is not None:
                schema = body["content"]["application/json"]["schema"]
                yield from (Place(method, path, "body", *field) for field in _fields(schema, ()))


def _fields(schema: Json, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Json]]:
    """The fields below a schema, lists and their items included, by their paths."""
    schema = resolved(schema)
    if "items" in schema:
        yield (*names, "0"), schema["items"]
        yield from _fields(schema["items"], (*names, "0"))
    for name, field in schema.get("properties", {}).items():
        yield (*names, name), field
        yield from _fields(field, (*names, name))


def sample(schema: Json) -> Any:
    """One value of a schema: its example, or the least that it asks for."""
    schema = resolved(schema)
    if "examples" in schema:
        return deepcopy(schema["examples"][0])
    if "properties" in schema:
        return {name: sample(schema["properties"][name]) for name in schema.get("required", ())}
    if "items" in schema:
        return [sample(schema["items"])]
    return values(schema)[0]


def with_value(schema: Json, whole: Any, names: tuple[str, ...], value: Any) -> Any:
    """`whole`, with the value at the path; what the path lacks is made, and of a list the first item is meant."""
    if not names:
        return value
    schema, name = resolved(schema), names[0]
    if name == "0":
        first, *others = whole or [sample(schema["items"])]
        return [with_value(schema["items"], first, names[1:], value), *others]
    if schema.get("maxProperties") == 1:
        whole = {key: inner for key, inner in whole.items() if key == name}
    inner = whole.get(name)
    if inner is None and len(names) > 1:
        inner = sample(schema["properties"][name])
    return {**whole, name: with_value(schema["properties"][name], inner, names[1:], value)}


def values(schema: Json) -> list[Any]:
    """Values that the schema calls valid: edges, its own bounds, and texts drawn from its pattern; the same each time."""
    return _values(json.dumps(schema))


@cache
def _values(text: str) -> list[Any]:
    schema, components = json.loads(text), document("openapi.json")["components"]["schemas"]
    validator = jsonschema_rs.Draft202012Validator(
        {**schema, "components": {"schemas": components}}, validate_formats=True
    )
    tried = {json.dumps(value): value for value in [*_own(resolved(schema)), *EDGES]}
    return [value for value in tried.values() if validator.is_valid(value)]


def _own(schema: Json) -> list[Any]:
    own = [schema[name] for name in ("minimum", "maximum", "const", "default") if name in schema]
    own += [*schema.get("examples", ()), *schema.get("enum", ())]
    for choice in schema.get("anyOf", ()):
        own += _own(resolved(choice))
    if "pattern" in schema:
        own += _drawn(schema["pattern"])
    if schema.get("type") == "string":
        own += ["x" * schema[bound] for bound in ("minLength", "maxLength") if bound in schema]
    if "items" in schema:
        own += _lists(schema)
    if "properties" in schema:
        own.append(sample(schema))
    return own


def _lists(schema: Json) -> list[Any]:
    item = values(schema["items"]) if "properties" not in resolved(schema["items"]) else [sample(schema["items"])]
    return [item[:1], (item * MOST)[: schema.get("maxItems", MOST)]]


def _drawn(pattern: str) -> list[str]:
    drawn: list[str] = []

    @settings(derandomize=True, database=None, max_examples=10, phases=[Phase.generate], deadline=None,
              suppress_health_check=[*HealthCheck])  # fmt: skip
    @given(st.from_regex(re.compile(pattern), fullmatch=True))
    def draw(value: str) -> None:
        drawn.append(value)

    draw()
    return drawn
