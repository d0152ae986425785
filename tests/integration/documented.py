"""What the tests of this folder see of a venue, held to docs/openapi.json and docs/asyncapi.json.

Clients must ignore fields that they don't know, so the documents leave objects open. Here they are closed: a field too many is
found. The schemas are compiled once for each process.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import httpx
import jsonschema_rs
from websockets.asyncio.client import ClientConnection

from services.gateway.problems import PROBLEM_JSON
from services.gateway.websocket.protocol import METHODS

Json = dict[str, Any]
DOCS = Path(__file__).parents[2] / "docs"


class Undocumented(AssertionError):
    """A message or an answer is not what the document says."""


@cache
def openapi() -> Json:
    """docs/openapi.json. A venue makes the same, in half a second: test_api_documents.py compares them."""
    read: Json = json.loads((DOCS / "openapi.json").read_text("utf-8"))
    return read


@cache
def document(name: str) -> Json:
    """A document of docs/, its objects closed."""
    read: Json = _closed(json.loads((DOCS / name).read_text("utf-8")))
    return read


def _closed(value: Any) -> Any:
    if isinstance(value, list):
        return [_closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    closed = {name: _closed(item) for name, item in value.items()}
    if closed.get("type") == "object" and "properties" in closed:
        closed.setdefault("additionalProperties", False)
    return closed


def compiled(name: str, schema: Json) -> jsonschema_rs.Validator:
    """A validator of a schema of this document."""
    components = document(name)["components"]
    return jsonschema_rs.Draft202012Validator({**schema, "components": {"schemas": components["schemas"]}})


def check(validator: jsonschema_rs.Validator, value: Any, where: str) -> None:
    """Raises Undocumented, with the first error."""
    if not validator.is_valid(value):
        error = next(validator.iter_errors(value))
        raise Undocumented(f"{where}: {error.message} at {list(error.instance_path)} of {json.dumps(value)[:2000]}")


# ---------------------------------------------------------------------- WebSocket


@cache
def message_validator(name: str) -> jsonschema_rs.Validator | None:
    """The validator of a message of docs/asyncapi.json; None where there is no such message."""
    found = document("asyncapi.json")["components"]["messages"].get(name)
    return None if found is None else compiled("asyncapi.json", found["payload"])


class Conversation:
    """One connection: which methods were asked with which `req_id`."""

    def __init__(self) -> None:
        self._asked: defaultdict[Any, set[str]] = defaultdict(set)

    def sent(self, text: str | bytes) -> None:
        """A frame of the client; it may be anything."""
        try:
            message = json.loads(text)
            self._asked[message.get("req_id")].add(str(message["method"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass

    def received(self, text: str | bytes) -> None:
        """A message of the venue. Raises Undocumented."""
        message = json.loads(text)
        names = self._names(message)
        validators = [found for name in names if (found := message_validator(name)) is not None]
        if not validators:
            raise Undocumented(f"no message is documented for {names}: {message}")
        if not any(validator.is_valid(message) for validator in validators):
            check(validators[0], message, names[0])

    def _names(self, message: Json) -> list[str]:
        if "channel" in message:
            return [f"{message['channel']}_{message.get('type')}"]
        if "error" in message:
            return ["error"]
        # A test may have written frames by itself: then the message is any result.
        asked = self._asked.get(message.get("req_id")) or METHODS
        return [f"{method}_result" for method in sorted(asked)]


_conversations: WeakKeyDictionary[ClientConnection, Conversation] = WeakKeyDictionary()
found: list[str] = []
"""What was found, also where a task of the tests' client swallowed the exception."""


def watch_websockets() -> None:
    """From now on every connection to /v1/ws is checked, whoever opened it in this process."""
    receive, send = ClientConnection.recv, ClientConnection.send

    def conversation(connection: ClientConnection) -> Conversation | None:
        if connection.request is None or connection.request.path != "/v1/ws":
            return None
        return _conversations.setdefault(connection, Conversation())

    async def checked_send(self: ClientConnection, message: Any, *rest: Any, **options: Any) -> None:
        talk = conversation(self)
        if talk is not None and isinstance(message, str | bytes):
            talk.sent(message)
        await send(self, message, *rest, **options)

    async def checked_receive(self: ClientConnection, decode: bool | None = None) -> Any:
        text = await receive(self, decode)
        talk = conversation(self)
        if talk is not None:
            try:
                talk.received(text)
            except Undocumented as error:
                found.append(str(error))
                raise
        return text

    ClientConnection.send = checked_send  # type: ignore[assignment, method-assign]
    ClientConnection.recv = checked_receive  # type: ignore[assignment, method-assign]


# ---------------------------------------------------------------------- REST


class Operations:
    """Finds the operation of a request, and the validators of its answers."""

    def __init__(self, openapi: Json) -> None:
        self._fixed: dict[str, str] = {}
        self._templates: list[tuple[re.Pattern[str], str]] = []
        self._paths = openapi["paths"]
        for path in self._paths:
            if "{" in path:
                self._templates.append((re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path))
            else:
                self._fixed[path] = path
        self._validators: dict[tuple[str, str, int, str], jsonschema_rs.Validator | None] = {}

    def check(self, method: str, path: str, status: int, media_type: str, body: bytes) -> None:
        """Raises Undocumented for an answer that the document does not have."""
        template = self._template(path)
        operation = self._paths.get(template, {}).get("get" if method == "HEAD" else method.lower())
        where = f"{method} {template or path}: {status}"
        if media_type == PROBLEM_JSON:
            check(_problem(), json.loads(body), where)
        if operation is None:
            if path.startswith("/v1/") and status < 400:
                raise Undocumented(f"{where} has no operation")
            return
        key = (method, template or path, status, media_type)
        if key not in self._validators:
            self._validators[key] = self._validator(operation, status, media_type, where)
        validator = self._validators[key]
        if validator is not None and method != "HEAD":
            check(validator, json.loads(body), where)

    def _template(self, path: str) -> str | None:
        return self._fixed.get(path) or next((to for pattern, to in self._templates if pattern.fullmatch(path)), None)

    def _validator(self, operation: Json, status: int, media_type: str, where: str) -> jsonschema_rs.Validator | None:
        said = operation["responses"].get(str(status))
        if said is None:
            raise Undocumented(f"{where} is not documented")
        if status in (204, 304):
            return None
        content = said.get("content", {})
        if media_type not in content:
            raise Undocumented(f"{where} as {media_type} is not documented, only {list(content)}")
        if not media_type.endswith("json"):
            return None
        return compiled("openapi.json", content[media_type].get("schema", {}))


@cache
def operations() -> Operations:
    """Of docs/openapi.json."""
    return Operations(document("openapi.json"))


@cache
def _problem() -> jsonschema_rs.Validator:
    choices = [{"$ref": "#/components/schemas/Problem"}, {"$ref": "#/components/schemas/TooMany"}]
    return compiled("openapi.json", {"anyOf": choices})


async def check_answer(answer: httpx.Response) -> None:
    """For `event_hooks` of a client."""
    await answer.aread()
    request = answer.request
    try:
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        operations().check(request.method, request.url.path, answer.status_code, media_type, answer.content)
    except Undocumented as error:
        found.append(str(error))
        raise


def taken() -> Iterator[str]:
    """What was found since the last call."""
    while found:
        yield found.pop()
