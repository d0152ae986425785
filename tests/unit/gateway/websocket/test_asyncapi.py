"""docs/asyncapi.json is valid AsyncAPI 3.0, whole, and says the same of a model as docs/openapi.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import msgspec
import pytest

from services.gateway import order_schemas, schemas
from services.gateway.limits.rate_class import METHOD_CLASSES
from services.gateway.replies.execution_report import OutcomeOfOne, OutcomesOfBatch
from services.gateway.websocket import messages
from services.gateway.websocket.asyncapi import asyncapi_document
from services.gateway.websocket.protocol import CHANNELS, METHODS

ROOT = Path(__file__).parents[4]


def written(name: str) -> Any:
    return json.loads((ROOT / "docs" / name).read_text("utf-8"))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


@pytest.mark.parametrize("name", ["asyncapi.json", "openapi.json"])
def test_each_reference_of_a_document_names_a_part_of_it(name: str) -> None:
    document = written(name)
    for reference in set(references(document)):
        part = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]
        assert isinstance(part, dict), reference


@pytest.mark.parametrize("name", ["asyncapi.json", "openapi.json"])
def test_each_model_is_a_json_schema_that_something_names(name: str) -> None:
    document = written(name)
    named = set(references(document))
    for model, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
        assert f"#/components/schemas/{model}" in named, model


def test_a_model_has_one_schema_in_both_documents() -> None:
    of_websocket, of_rest = (written(name)["components"]["schemas"] for name in ("asyncapi.json", "openapi.json"))
    common = of_websocket.keys() & of_rest.keys()
    assert common >= {"Order", "OrderRequest", "Fill", "Ticker", "PublicTrade", "Problem", "Alert", "BatchReply"}
    for name in common:
        assert of_websocket[name] == of_rest[name], name


def test_every_method_and_channel_is_documented() -> None:
    assert METHODS.keys() == METHOD_CLASSES.keys() | {"authenticate"}
    assert CHANNELS.keys() == {*get_args(messages.Channel), "heartbeat", "venue"}
    operations = asyncapi_document()["operations"]
    assert {name for name, one in operations.items() if one["action"] == "receive"} == METHODS.keys()
    assert {name for name, one in operations.items() if one["action"] == "send"} == CHANNELS.keys()


def test_the_names_that_other_venues_have_are_in_the_docs() -> None:
    section = (ROOT / "docs/api.md").read_text("utf-8").split("\n## Names elsewhere\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    here = set(re.findall(r"`(\w+)`", " ".join(rows)))
    assert here >= CHANNELS.keys() - {"heartbeat", "venue", "turnover", "alerts"}
    assert here >= METHODS.keys() - {"authenticate", "subscribe", "unsubscribe", "subscriptions", "options", "ping"}


def test_what_stands_below_a_field_describes_it() -> None:
    document = asyncapi_document()
    models, messages_ = document["components"]["schemas"], document["components"]["messages"]
    assert models["DepthData"]["properties"]["checksum"]["description"] == (
        "Of the top ten levels of each side, after the push."
    )
    assert "without it, all" in models["SubscribeParams"]["properties"]["levels"]["description"]
    assert "the reply repeats it" in messages_["ping"]["payload"]["properties"]["req_id"]["description"]
    assert "the push before it" in messages_["depth_update"]["payload"]["properties"]["prev_seq"]["description"]


@pytest.mark.parametrize(
    ("sent", "model"),
    [
        (OutcomeOfOne, order_schemas.BatchResult),
        (OutcomesOfBatch, order_schemas.BatchReply),
    ],
)
def test_a_struct_in_place_of_a_model_has_its_fields(sent: type[msgspec.Struct], model: type[schemas.Reply]) -> None:
    assert list(sent.__struct_fields__) == list(model.model_fields)
