"""The access middleware: an ASGI middleware that every request and every WebSocket handshake passes. It checks, in this order:

    1. Host allow-list       against DNS rebinding
    2. Origin allow-list     against requests of other web sites (CSRF)
    3. API key or session    for paths below /v1; log-in, health, metrics, documentation, pages and public data need none
    4. rate limit            of the key, for the class of the request; of the address, for public data without a key
    5. body                  64 KiB; 256 KiB for a batch, and for a decision; below /v1: JSON without a repeated key

The access middleware serves the hot routes and the open answers (documentation, metrics) itself, without FastAPI. It gives each
request an id, and each answer a content security policy. What it answers to who shows no valid key, a refusal too, waits for
the turn of the address, a second at most: who asks again when the answer has come is slowed to the rate of turns. Who opens a
new connection for each request is not: that takes a proxy's limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from time import perf_counter

import structlog
from fastapi import FastAPI
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.browser_headers import API_POLICY, POLICY, Header, asks_for_html
from services.gateway.freshness import AsOf
from services.gateway.http.cached_answer import Answer, OpenAnswer
from services.gateway.http.documentation import first_names
from services.gateway.http.known_keys import PUBLIC, KnownKeys, address_of, is_public
from services.gateway.http.metrics import GatewayMetrics
from services.gateway.http.report_reads import REPORTS, ClientLeft, ReportReads, while_connected
from services.gateway.http.session_cookie import OPEN, session_of
from services.gateway.limits.bucket import Bucket
from services.gateway.limits.rate_class import BATCH_PATHS, class_of
from services.gateway.limits.rate_limits import RateLimits
from services.gateway.problems import ProblemError, check_query, problem_of
from services.gateway.request_ids import HEADER, REQUEST_ID, request_id_of, text_of
from services.gateway.strict_json import JSON, check_json, check_media_type
from services.people.people import People
from services.venue_state.keys import ApiKey

BODY_LIMIT = 64 * 1024
BATCH_BODY_LIMIT = 256 * 1024
DECISIONS_PATH = "/v1/admin/decisions"

KEY = "rex.key"
"""The ASGI scope's entry for the caller's ApiKey; None if the path needs no key, or the WebSocket has not authenticated yet."""

BUCKET = "rex.bucket"
"""The ASGI scope's entry for the bucket from which the request takes; None: no limit holds."""

UNROUTED = "rex.unrouted"
"""The ASGI scope's entry of a request that no route can have: the pages answer it."""

_WAITED = "rex.waited"
"""The ASGI scope's entry for the seconds that the request has waited for its turn; without it, it has not had one."""

CLIENT_CLOSED_REQUEST = 499
"""The status in log and metrics if the client disconnected before its body was complete; never sent."""

DirectRoute = Callable[[ApiKey, bytes], Awaitable[tuple[int, bytes]]]
"""A hot route: takes the caller's key and the body, returns the status and the JSON; raises ProblemError."""

log = structlog.get_logger("rex.request")

_JSON_HEADER = (b"content-type", JSON)
_NO_BODY = ("GET", "HEAD", "OPTIONS")


class AccessMiddleware:
    """The middleware. `direct` maps method and path to a hot route, `open_answers` a path to what it answers without a key."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        known_keys: KnownKeys,
        limits: RateLimits,
        people: People,
        allowed_hosts: Collection[str],
        direct: Mapping[tuple[str, str], DirectRoute],
        open_answers: Mapping[str, OpenAnswer],
        metrics: GatewayMetrics,
        as_of: AsOf,
        request_log: bool,
        public_market_data: bool,
    ) -> None:
        self._app = app
        self._as_of = as_of
        self._public = public_market_data
        self._known_keys = known_keys
        self._limits = limits
        self._people = people
        self._hosts = frozenset(host.lower().encode("latin-1") for host in allowed_hosts)
        self._direct = direct
        self._open = open_answers
        self._first_names: frozenset[str] = frozenset()
        self._reports = ReportReads()
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
        headers = dict(scope["headers"])
        request_id = scope[REQUEST_ID] = request_id_of(headers)

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if scope.get(KEY) in (None, PUBLIC):
                    await self._turn(scope)
                own = message["headers"] = list(message.get("headers", ()))
                _complete(own, request_id)
                own += self._as_of.headers(scope["method"], scope["path"])
                bucket: Bucket | None = scope.get(BUCKET)
                if bucket is not None:
                    own += bucket.headers(self._limits.now())
            await send(message)

        try:
            await self._answer(scope, headers, receive, send_noting_status)
        except (_ClientGone, ClientLeft):
            status = CLIENT_CLOSED_REQUEST
        except Exception as error:
            if status:
                raise  # The response has begun: the server can only close the connection.
            text = request_id.decode()
            await problem_of(error, text).response(text)(scope, receive, send_noting_status)
        seconds = perf_counter() - started - scope.get(_WAITED, 0.0)  # The time of the wait is no time of the venue's.
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
                request_id=request_id.decode(),
            )

    async def _turn(self, scope: Scope) -> None:
        """Waits for the turn of the address, once a request."""
        if _WAITED in scope:
            return
        scope[_WAITED] = 0.0
        if wait_s := self._limits.turn_s(address_of(scope), scope["path"]):
            began = perf_counter()
            await asyncio.sleep(wait_s)
            scope[_WAITED] = perf_counter() - began

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        self._check_host_and_origin(headers)
        open_answer = self._open.get(path)
        if open_answer is not None and method in ("GET", "HEAD"):
            await _send(await open_answer(scope), method, send)
            return
        key = scope[KEY] = self._caller(scope, headers) if path.startswith("/v1/") else None
        if key is not None:
            self._limit(scope, key, method, path)
        limit = BATCH_BODY_LIMIT if path in BATCH_PATHS or path == DECISIONS_PATH else BODY_LIMIT
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > limit:
            raise _too_large(limit)
        direct = self._direct.get((method, path))
        if direct is not None and key is not None:
            if scope["query_string"]:
                check_query(QueryParams(scope["query_string"]), ())
            body = await _read_body(receive, limit)
            if body and (headers.get(b"content-type") != JSON or b"content-encoding" in headers):
                check_media_type(headers)
            status, answer = await direct(key, body)
            await send({"type": "http.response.start", "status": status, "headers": _json_headers(answer)})
            await send({"type": "http.response.body", "body": answer})
            return
        if key is None and not self._is_known(path, scope["app"]):
            if not asks_for_html(headers):
                raise HTTPException(404)
            scope[UNROUTED] = True
        if method not in _NO_BODY and length != b"0":
            # The body is read here, up to the limit, checked, and passed on as one message.
            body = await _read_body(receive, limit)
            if body and path.startswith("/v1/"):
                check_media_type(headers)
                check_json(body)
            receive = _replay(body, receive)
        if key is not None and path.startswith(REPORTS) and method in _NO_BODY:
            if key is PUBLIC:
                await self._turn(scope)  # Not with the answer: who waits for a turn must hold no report.
            with self._reports.one(key):
                await while_connected(self._app, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_known(self, path: str, app: FastAPI) -> bool:
        """Whether a route may have this path: routing a path without one would cost half a millisecond."""
        if not self._first_names:
            self._first_names = first_names(app)
        return path.lstrip("/").partition("/")[0] in self._first_names

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        scope[REQUEST_ID] = request_id_of(headers)
        try:
            self._check_host_and_origin(headers)
            with_proof = b"authorization" in headers or b"cookie" in headers
            key = self._caller(scope, headers) if with_proof and scope["path"].startswith("/v1/") else None
            scope[KEY] = key
            if key is not None:
                self._limit(scope, key, "GET", scope["path"])
        except ProblemError as problem:
            await self._turn(scope)
            await refuse_handshake(problem, scope, send)
        else:
            await self._app(scope, receive, send)

    def _check_host_and_origin(self, headers: dict[bytes, bytes]) -> None:
        host = headers.get(b"host", b"").lower()
        name = host if host.endswith(b"]") else host.rsplit(b":", 1)[0]
        if name not in self._hosts:
            raise ProblemError(
                400, "host_not_allowed", "The header Host is not one of this venue's names (REX_ALLOWED_HOSTS)."
            )
        origin = headers.get(b"origin")
        if origin is None:
            return
        # The Host is allowed, so an Origin that equals it is the venue's own page.
        if origin.lower().split(b"://")[-1] != host:
            raise ProblemError(
                403, "origin_not_allowed", "Web pages of this origin are not allowed to use the venue (header Origin)."
            )

    def _caller(self, scope: Scope, headers: dict[bytes, bytes]) -> ApiKey | None:
        """Who sends the request: a key, or a user by a session. None: nobody, where nobody has to be known."""
        is_open = is_open_to_all = False
        if b"authorization" not in headers:
            is_open = scope["path"] in OPEN or scope["type"] == "websocket"
            is_open_to_all = (
                not is_open and self._public and is_public(scope["method"], scope["path"], scope["query_string"])
            )
        session = session_of(scope, headers, self._people, is_open=is_open or is_open_to_all)
        if session is not None:
            return session.caller
        if is_open:
            return None
        return PUBLIC if is_open_to_all else self._known_key(scope, headers)

    def _limit(self, scope: Scope, key: ApiKey, method: str, path: str) -> None:
        """Takes a token of the key; raises RateLimited. A batch must be decoded before its requests can be counted: it takes
        its tokens itself, and until then needs only that there is one."""
        limits = self._limits
        bucket = limits.public(address_of(scope)) if key is PUBLIC else limits.bucket(key, class_of(method, path))
        scope[BUCKET] = bucket
        if bucket is not None:
            self._limits.check(bucket) if path in BATCH_PATHS else self._limits.take_from(bucket)

    def _known_key(self, scope: Scope, headers: dict[bytes, bytes]) -> ApiKey:
        scheme, _, secret = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not secret:
            raise ProblemError(401, "missing_key", "This path needs an API key: `Authorization: Bearer rex_…`.")
        return self._known_keys.find(secret.strip().decode("latin-1"), address_of(scope))


class _ClientGone(Exception):
    """The client disconnected before its body was complete."""


def _too_large(limit: int) -> ProblemError:
    return ProblemError(413, "body_too_large", f"The body is larger than {limit} bytes.")


def _json_headers(body: bytes) -> list[Header]:
    return [_JSON_HEADER, (b"content-length", str(len(body)).encode()), API_POLICY]


def _complete(headers: list[Header], request_id: bytes) -> None:
    """Adds what every answer has: the id of its request, and a policy for browsers where it has none of its own."""
    if API_POLICY not in headers and all(name != POLICY for name, _ in headers):
        headers.append(API_POLICY)
    headers.append((HEADER, request_id))


async def _send(answer: Answer, method: str, send: Send) -> None:
    status, headers, body = answer
    await send({"type": "http.response.start", "status": status, "headers": [*headers]})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


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
    response = problem.response(text_of(scope))
    headers = list(response.raw_headers)
    _complete(headers, scope[REQUEST_ID])
    await send({"type": "websocket.http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": response.body})
