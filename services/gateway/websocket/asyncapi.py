"""/asyncapi.json: the messages of /v1/ws as AsyncAPI 3.0, from the models that encode and decode them.

Source: AsyncAPI Specification 3.0.0. Its sides are the venue's: it receives requests and sends pushes. A model that REST has as
well has the name and the schema of /openapi.json.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from types import ModuleType
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from services.gateway.http.alerts import Alert
from services.gateway.http.market import PublicTrade
from services.gateway.http.openapi import API_VERSION, REF, SCOPES, as_document
from services.gateway.order_schemas import AccountFill, Fill
from services.gateway.schemas import Problem, TooMany
from services.gateway.websocket import market_models, messages, private_models, reply_models
from services.gateway.websocket.asyncapi_examples import BESIDE, DATA, PARAMS, PROBLEM, RESULTS, push_of
from services.gateway.websocket.market_models import Push
from services.gateway.websocket.messages import Message
from services.gateway.websocket.protocol import CHANNELS, METHODS, Channel, Method, Model, PushType, is_of_rest
from services.gateway.websocket.reply_models import ReplyMessage


def attribute_texts(modules: Iterable[ModuleType]) -> dict[str, dict[str, str]]:
    """By the name of the class and of the field."""
    found: dict[str, dict[str, str]] = {}
    for module in modules:
        for part in ast.parse(inspect.getsource(module)).body:
            if isinstance(part, ast.ClassDef):
                found[part.name] = dict(_field_texts(part))
    return found


def _field_texts(part: ast.ClassDef) -> Iterable[tuple[str, str]]:
    for field, below in pairwise(part.body):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            yield field.target.id, inspect.cleandoc(below.value.value).replace("\n", " ")


CLOSE_CODES = {
    1007: "a text message was not UTF-8",
    1009: "a message was too large, or consisted of too many frames",
    1011: "an error in the venue; or no answer to a ping in time",
    1012: "the venue is stopping, or has failed: connect again",
    4001: "the key was revoked or has expired, or the session has ended",
    4003: "no key within the first seconds or messages",
    4008: "private messages were not read fast enough: connect again and resume",
    4009: "a stream could not be resumed: connect again and resume",
    4010: "`cut_off`: the gateway is cut off from the venue, which may go on without it: connect again and resume",
}
"""By code, what has happened."""


Json = dict[str, Any]
ADDRESS = "/v1/ws"
CLOSES = "x-close-codes"
"""In the channel: why the venue closes the connection, by code."""

_DESCRIPTION = """\
One WebSocket for placing, amending and canceling orders, market data, and one's own orders and fills. Each frame holds one JSON
message. Prices and money are decimal strings in yuan, quantities are whole lots, ids are strings, times are RFC 3339 in UTC.

A key comes with the handshake, or with `authenticate`. Requests are answered by a message with the same `req_id`. Fields may be
added to replies and pushes: ignore what you don't know. `/openapi.json` describes the REST API, and calls the same models by
the same names."""

_CHANNEL = {"$ref": "#/channels/websocket"}
_SIDES: tuple[type[BaseModel], ...] = (Alert, AccountFill, Fill, Problem, TooMany, PublicTrade)
"""Models that others name, or that every reply may have."""


def asyncapi_document() -> Json:
    """The whole document."""
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "REX, the rare-earth exchange: WebSocket",
            "version": API_VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"venue": {"host": "127.0.0.1:8000", "protocol": "ws", "description": "Behind TLS: `wss`."}},
        "channels": {"websocket": _channel()},
        "operations": {
            **{name: _request_operation(name, method) for name, method in METHODS.items()},
            **{name: _push_operation(name, channel) for name, channel in CHANNELS.items()},
        },
        "components": {
            "schemas": _schemas(),
            "messages": _messages(),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer rex_…`"}
            },
        },
    }
    published: Json = as_document(document)
    return published


def _channel() -> Json:
    return {
        "address": ADDRESS,
        "title": "The WebSocket",
        "servers": [{"$ref": "#/servers/venue"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages()},
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
        CLOSES: {str(code): why for code, why in CLOSE_CODES.items()},
    }


def _request_operation(name: str, method: Method) -> Json:
    replies = [{"$ref": f"#/channels/websocket/messages/{one}"} for one in (f"{name}_result", "error")]
    return {
        "action": "receive",
        "channel": _CHANNEL,
        "summary": method.summary,
        "messages": [{"$ref": f"#/channels/websocket/messages/{name}"}],
        "reply": {"channel": _CHANNEL, "messages": replies},
        **_access(method.scopes),
    }


def _push_operation(name: str, channel: Channel) -> Json:
    return {
        "action": "send",
        "channel": _CHANNEL,
        "summary": channel.summary,
        "messages": [{"$ref": f"#/channels/websocket/messages/{name}_{kind}"} for kind in channel.types],
        **_access(channel.scopes, is_public=channel.is_public),
    }


def _access(scopes: tuple[str, ...], *, is_public: bool = False) -> Json:
    security = [{"$ref": "#/components/securitySchemes/key"}] if scopes and not is_public else []
    return {
        **({"security": security} if security else {}),
        **({SCOPES: list(scopes)} if scopes else {}),
    }


@cache
def _messages() -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, method in METHODS.items():
        found[name] = _message(
            name, method.summary, _request(name, method), {"method": name, "params": PARAMS[name], "req_id": 1}
        )
        result = _envelope(ReplyMessage, result=_ref(method.result), error=None)
        found[f"{name}_result"] = _message(
            f"{name}_result",
            f"The result of `{name}`",
            result,
            {"req_id": 1, "result": RESULTS[name]} | BESIDE.get(name, {}),
        )
    problem = {"anyOf": [_ref(Problem), _ref(TooMany)]}
    error = _envelope(ReplyMessage, error=problem, result=None)
    found["error"] = _message("error", "The error of any request", error, {"req_id": 1, "error": PROBLEM})
    for name, channel in CHANNELS.items():
        for kind in channel.types:
            example = push_of(name, kind, DATA[name], has_symbol=channel.has_symbol)
            summary = f"{channel.summary}: {kind}"
            found[f"{name}_{kind}"] = _message(f"{name}_{kind}", summary, _push(name, kind, channel), example)
    return found


def _message(name: str, summary: str, payload: Json, example: Json) -> Json:
    asks_or_answers = "req_id" in payload["properties"]
    return {
        "name": name,
        "title": summary,
        "contentType": "application/json",
        **({"correlationId": {"location": "$message.payload#/req_id"}} if asks_or_answers else {}),
        "payload": payload,
        "examples": [{"name": name, "payload": example}],
    }


def _request(name: str, method: Method) -> Json:
    payload = _envelope(Message, method={"const": name}, params=_ref(method.params))
    needs_params = bool(_schemas()[method.params.__name__].get("required"))
    return payload | {"required": ["method", "params"] if needs_params else ["method"]}


def _push(name: str, kind: PushType, channel: Channel) -> Json:
    is_chained = kind in ("update", "resumed") and name != "heartbeat"
    return _envelope(
        Push,
        channel={"const": name},
        type={"const": kind},
        symbol={"type": "string" if channel.has_symbol else "null"},
        prev_seq={"type": "integer" if is_chained else "null"},
        data=_ref(channel.data),
    )


def _envelope(model: type[msgspec.Struct], **fields: Json | None) -> Json:
    """The schema of an envelope, with these fields instead of its own; None: without the field."""
    _, components = msgspec.json.schema_components([model], ref_template=_STRUCT_REF)
    schema = _with_texts(components)[model.__name__]
    own = schema["properties"]
    texts = {name: {"description": field["description"]} for name, field in own.items() if "description" in field}
    properties = {
        name: field if "$ref" in field else texts.get(name, {}) | field
        for name, field in (own | fields).items()
        if field is not None
    }
    given = [name for name, field in fields.items() if field is not None]
    required = [*schema["required"], *(name for name in given if name not in schema["required"])]
    return {
        "type": "object",
        "description": schema["description"],
        "properties": properties,
        "required": required,
        **({"additionalProperties": False} if schema.get("additionalProperties") is False else {}),
    }


_STRUCT_REF = REF.replace("{model}", "{name}")


def _ref(model: Model) -> Json:
    return {"$ref": REF.format(model=model.__name__)}


@cache
def _schemas() -> dict[str, Json]:
    """All models by name, in the order of the names."""
    said = {one.params: "validation" for one in METHODS.values()}
    said |= {one.result: "serialization" for one in METHODS.values()}
    said |= {one.data: "serialization" for one in CHANNELS.values()}
    of_rest: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "serialization") for model in _SIDES]
    for model, mode in said.items():
        if is_of_rest(model):
            of_rest.append((model, "validation" if mode == "validation" else "serialization"))
    _, found = models_json_schema(of_rest, ref_template=REF)
    structs = [*(model for model in said if not is_of_rest(model)), ReplyMessage]
    _, components = msgspec.json.schema_components(structs, ref_template=_STRUCT_REF)
    del components[ReplyMessage.__name__]  # What it names stays: its other part is a payload.
    models = found["$defs"] | _with_texts(components)
    return {name: _without_neighbours(schema) for name, schema in sorted(models.items())}


def _with_texts(structs: dict[str, Json]) -> dict[str, Json]:
    """The schemas of structs, with the texts that stand below their fields."""
    for name, schema in structs.items():
        for field, text in _texts()[name].items():
            schema["properties"][field]["description"] = text
    return structs


@cache
def _texts() -> dict[str, dict[str, str]]:
    return attribute_texts([market_models, messages, private_models, reply_models])


def _without_neighbours(value: Any) -> Any:
    """A reference stands alone: of the dicts that REST describes, msgspec says beside it that they are objects."""
    if isinstance(value, list):
        return [_without_neighbours(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("$ref"), str):
        return {"$ref": value["$ref"]}
    return {name: _without_neighbours(item) for name, item in value.items()}
