"""One REST call: from arguments to the JSON of the reply, or the exception of a problem."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from ssl import SSLContext
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from rex_client.errors import OutcomeUnknown, Proposed, RexError, Unreachable, error_of
from rex_client.rate_limit import RateLimits
from rex_client.retries import Reply, patiently

Json = dict[str, Any]
Fields = Mapping[str, Any]
"""The fields of a request's body."""
Time = datetime | str
"""An aware datetime, or RFC 3339 with a zone."""

Amount = str | Decimal
"""Money, a price or a rate. Never a float."""

PROPOSED = 202
"""The status of an answer to an act that waits for a second person."""

TIMEOUT_SECONDS = 15.0
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
"""What httpx raises before a request is on its way."""


_encode = msgspec.json.Encoder().encode


@cache
def _certificates() -> SSLContext:
    """Whom every client of the process trusts. To load it takes 5 ms, and 0.8 MB that stay until a garbage collection."""
    return httpx.create_ssl_context(trust_env=False)


class Calls:
    """Sends REST calls with an API key, or without one, again for `patience_s` seconds where that is safe (retries.py)."""

    timeout_s = TIMEOUT_SECONDS
    """How long one attempt waits for its reply."""

    def __init__(self, url: str, key: str | None, *, patience_s: float = 0.0) -> None:
        self.rate_limits = RateLimits()
        """What is left of the key's rate limits by class, after the last reply that told it."""
        self._patience_s = patience_s
        self._http = httpx.AsyncClient(
            base_url=url,
            headers=key_headers(key),
            timeout=self.timeout_s,
            trust_env=False,
            verify=_certificates(),
        )

    async def _object(
        self,
        method: str,
        path: str,
        *,
        query: Json | None = None,
        body: Any = None,
        timeout_s: float | None = None,
        is_repeatable: bool = False,
        idempotency_key: str | None = None,
    ) -> Json:
        """`is_repeatable`: the request may be sent again after an unknown outcome, as every GET."""
        headers = {} if idempotency_key is None else {"idempotency-key": idempotency_key}
        is_repeatable = is_repeatable or method == "GET"
        call = partial(self._call, method, path, query, body, timeout_s, headers)
        answer: Json = await self._patiently(call, is_repeatable=is_repeatable)
        return answer

    async def _change(self, method: str, path: str, body: Any = None, idempotency_key: str | None = None) -> Json:
        """An administrative call. If the client may have to send it again, it has an Idempotency-Key, so that the venue carries
        it out once, also if it adds up, and answers the repeat as the first."""
        key = idempotency_key or (uuid4().hex if self._patience_s > 0 else None)
        return await self._object(method, path, body=body, is_repeatable=True, idempotency_key=key)

    async def _list(self, path: str, *, query: Json | None = None) -> list[Json]:
        call = partial(self._call, "GET", path, query, None, None, {})
        answer: list[Json] = await self._patiently(call, is_repeatable=True)
        return answer

    async def _patiently(self, attempt: Callable[[], Awaitable[Reply]], *, is_repeatable: bool) -> Reply:
        return await patiently(attempt, self._patience_s, is_repeatable=is_repeatable)

    async def _call(
        self, method: str, path: str, query: Json | None, body: Any, timeout_s: float | None, headers: dict[str, str]
    ) -> Any:
        params = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        content = None if body is None else encode_body(body)
        if body is not None:
            headers = headers | {"content-type": "application/json"}
        try:
            answer = await self._http.request(
                method, path, params=params, content=content, headers=headers, timeout=timeout_s or self.timeout_s
            )
        except NOT_SENT as error:
            raise Unreachable(f"{self._http.base_url} does not answer: {error}") from error
        except httpx.TransportError as error:
            raise OutcomeUnknown(f"{method} {path}: no reply ({type(error).__name__})") from error
        if "ratelimit" in answer.headers:
            self.rate_limits.take_header(answer.headers["ratelimit"])
        if answer.is_success:
            try:
                read = msgspec.json.decode(answer.content)
            except msgspec.DecodeError as error:
                raise OutcomeUnknown(f"{method} {path}: an unreadable reply ({error})") from error
            if answer.status_code == PROPOSED:
                raise Proposed(read)
            return read
        raise _error(answer)


def key_headers(key: str | None) -> dict[str, str]:
    """The header with the API key, if there is one."""
    return {} if key is None else {"authorization": f"Bearer {key}"}


def encode_body(body: Any) -> bytes:
    """The JSON of a body or of a WebSocket message. A Decimal becomes a string without an exponent, which the venue refuses."""
    return _encode(_without_exponents(body))


def _without_exponents(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return {name: _without_exponents(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_exponents(each) for each in value]
    return value


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value  # A datetime is a date.


def _error(answer: httpx.Response) -> RexError | OutcomeUnknown:
    problem = read_problem(answer.status_code, answer.content)
    wait = answer.headers.get("retry-after", "")
    return error_of({"retry_after_ms": int(wait) * 1000} | problem if wait.isdecimal() else problem)


def read_problem(status: int, content: bytes) -> Json:
    """The problem document of an answer; one with the code `unreadable_answer` if it has none."""
    try:
        problem = msgspec.json.decode(content)
    except msgspec.DecodeError:
        problem = None
    if isinstance(problem, dict) and "code" in problem:
        return problem
    return {"status": status, "code": "unreadable_answer", "detail": content[:200].decode("utf-8", "replace")}
