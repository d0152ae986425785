"""A request that was kept is sent again inside the application, by who confirms it: the route checks and carries it out as
always."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.responses import Response
from starlette.types import Message

from services.gateway.http.access_middleware import KEY
from services.gateway.http.media_types import JSON
from services.gateway.request_ids import REQUEST_ID

_OF_THE_CONNECTION = (
    "type", "asgi", "http_version", "scheme", "server", "client", "root_path", "state", "app",
    "starlette.exception_handlers", "fastapi_middleware_astack", REQUEST_ID, KEY,
)  # fmt: skip
"""What the inner request has of the outer one: not its route, its path and its headers."""


async def send_again(outer: Request, method: str, path: str, body: bytes) -> Response:
    """The answer of the route at this path. The caller is that of the outer request; the access middleware has counted it."""
    scope: dict[str, Any] = {name: outer.scope[name] for name in _OF_THE_CONNECTION if name in outer.scope}
    headers = [(b"content-type", JSON), (b"content-length", str(len(body)).encode())] if body else []
    scope |= {"method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await outer.app.router(scope, receive, send)
    answer = Response(b"".join(message.get("body", b"") for message in sent[1:]), sent[0]["status"])
    answer.raw_headers = [*sent[0]["headers"]]
    return answer
