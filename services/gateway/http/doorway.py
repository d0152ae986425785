"""The doorway: an ASGI middleware that every request and every WebSocket handshake passes. It checks, in this order:

    1. Host allow-list       against DNS rebinding
    2. Origin allow-list     against requests of other web sites (CSRF)
    3. API key               for paths below /v1; health, metrics, documentation and pages need none
    4. body limit            64 KiB; 256 KiB for a batch of orders, and for a decision

The doorway serves the hot routes itself, without FastAPI.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from time import perf_counter

import structlog
from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.http.metrics import GatewayMetrics
from services.gateway.problems import ProblemError, problem_of, refuse_unknown_query
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

BODY_LIMIT = 64 * 1024
BATCH_BODY_LIMIT = 256 * 1024
BATCH_PATH = "/v1/orders/batch"
DECISIONS_PATH = "/v1/admin/decisions"

KEY = "rex.key"
"""The ASGI scope's entry for the caller's ApiKey; None if the path needs no key, or the WebSocket has not authenticated yet."""

CLIENT_CLOSED_REQUEST = 499
"""The status in log and metrics if the client disconnected before its body was complete; never sent."""

DirectRoute = Callable[[ApiKey, bytes], Awaitable[tuple[int, bytes]]]
"""A hot route: takes the caller's key and the body, returns the status and the JSON; raises ProblemError."""

log = structlog.get_logger("rex.request")

_JSON = (b"content-type", b"application/json")


class Doorway:
    """The middleware. `direct` maps method and path to a hot route."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        state: VenueState,
        allowed_hosts: Collection[str],
        allowed_origins: Collection[str],
        direct: Mapping[tuple[str, str], DirectRoute],
        metrics: GatewayMetrics,
        request_log: bool,
    ) -> None:
        self._app = app
        self._state = state
        self._hosts = frozenset(host.lower().encode("latin-1") for host in allowed_hosts)
        self._origins = frozenset(origin.lower().encode("latin-1") for origin in allowed_origins)
        self._direct = direct
        self._metrics = metrics
        self._request_log = request_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request or one WebSocket handshake; passes other scopes (lifespan) to the application."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = perf_counter(), 0

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._answer(scope, receive, send_noting_status)
        except _ClientGone:
            status = CLIENT_CLOSED_REQUEST
        except Exception as error:
            if status:
                raise  # The response has begun: the server can only close the connection.
            await problem_of(error).response()(scope, receive, send_noting_status)
        seconds = perf_counter() - started
        self._metrics.request(scope["method"], status, seconds)
        if self._request_log:
            key = scope.get(KEY)
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round(seconds * 1000, 3),
                key_id=key.key_id if key else None,
            )

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        headers = dict(scope["headers"])
        self._check_host_and_origin(headers)
        key = scope[KEY] = self._known_key(headers) if path.startswith("/v1/") else None
        limit = BATCH_BODY_LIMIT if path in (BATCH_PATH, DECISIONS_PATH) else BODY_LIMIT
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > limit:
            raise _too_large(limit)
        direct = self._direct.get((method, path))
        if direct is not None and key is not None:
            if scope["query_string"]:
                refuse_unknown_query(QueryParams(scope["query_string"]), ())
            status, answer = await direct(key, await _read_body(receive, limit))
            await send({"type": "http.response.start", "status": status, "headers": _json_headers(answer)})
            await send({"type": "http.response.body", "body": answer})
            return
        if not length.isdigit() and method not in ("GET", "HEAD", "OPTIONS"):
            # No Content-Length (a chunked body): read the body here, up to the limit, then pass it on as one message.
            receive = _replay(await _read_body(receive, limit), receive)
        await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = dict(scope["headers"])
            self._check_host_and_origin(headers)
            scope[KEY] = self._known_key(headers) if b"authorization" in headers else None
        except ProblemError as problem:
            await refuse_handshake(problem, scope, send)
        else:
            await self._app(scope, receive, send)

    def _check_host_and_origin(self, headers: dict[bytes, bytes]) -> None:
        host = headers.get(b"host", b"").lower()
        name = host if host.endswith(b"]") else host.rsplit(b":", 1)[0]
        if name not in self._hosts:
            raise ProblemError(400, "host_not_allowed", "The header Host is not one of this venue's names.")
        origin = headers.get(b"origin")
        if origin is None:
            return
        # The Host is allowed, so an Origin that equals it is the venue's own page. Other origins must be listed.
        if origin.lower().split(b"://")[-1] != host and origin.lower() not in self._origins:
            raise ProblemError(
                403, "origin_not_allowed", "Web pages of this origin are not allowed to use the venue (header Origin)."
            )

    def _known_key(self, headers: dict[bytes, bytes]) -> ApiKey:
        scheme, _, secret = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not secret:
            raise ProblemError(401, "missing_key", "This path needs an API key: `Authorization: Bearer rex_…`.")
        key = self._state.find_key(secret.strip().decode("latin-1"))
        if key is None:
            raise ProblemError(401, "unknown_key", "The venue does not know this key, or it was revoked.")
        return key


class _ClientGone(Exception):
    """The client disconnected before its body was complete."""


def _too_large(limit: int) -> ProblemError:
    return ProblemError(413, "body_too_large", f"The body is larger than {limit} bytes.")


def _json_headers(body: bytes) -> list[tuple[bytes, bytes]]:
    return [_JSON, (b"content-length", str(len(body)).encode())]


async def _read_body(receive: Receive, limit: int) -> bytes:
    """The whole body; raises a 413 problem as soon as the body exceeds the limit, _ClientGone after a disconnect."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False) and len(body) <= limit:
        message = await receive()
        body += message.get("body", b"")
    if message["type"] == "http.disconnect":
        raise _ClientGone
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that first returns the body that was already read, then calls the real `receive`."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


async def refuse_handshake(problem: ProblemError, scope: Scope, send: Send) -> None:
    """Answers a WebSocket handshake with a problem: with an HTTP response if the server can send one, else a close (1008)."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": problem.code})
        return
    response = problem.response()
    await send({"type": "websocket.http.response.start", "status": problem.status, "headers": response.raw_headers})
    await send({"type": "websocket.http.response.body", "body": response.body})
