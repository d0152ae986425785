"""Answers that are the same for everybody, kept as bytes: a request for one of them costs no rendering and no routing.

The access middleware sends them without FastAPI. Each is made at its first request, in a thread, so that no order waits.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from starlette.types import Scope

from services.gateway.browser_headers import API_POLICY, Header

MIN_GZIP_BYTES = 1_000
"""A smaller body is sent as it is."""

REVALIDATE = b"no-cache"
"""Cache-Control of what another version of the venue may answer otherwise: browsers ask each time, and mostly get a 304."""

Answer = tuple[int, list[Header], bytes]
"""Status, headers and body."""

OpenAnswer = Callable[[Scope], Awaitable[Answer]]
"""Answers GET and HEAD of one path without a key, from the ASGI scope; raises ProblemError."""


class Content(NamedTuple):
    """A body, and what a browser is told about it."""

    media_type: str
    body: bytes
    policy: Header = API_POLICY
    cache_control: bytes = REVALIDATE


class CachedAnswer:
    """One content, plain and gzipped, with its ETag. An `OpenAnswer`."""

    def __init__(self, make: Callable[[], Content]) -> None:
        """`make` is called in a thread: once, and again after a failure."""
        self._make = make
        self._made: asyncio.Future[_Variants] | None = None

    async def __call__(self, scope: Scope) -> Answer:
        """200 with the variant that the client takes, or 304 without a body."""
        if self._made is None:
            self._made = asyncio.ensure_future(asyncio.to_thread(lambda: _Variants(self._make())))
        made = self._made
        try:
            variants = await asyncio.shield(made)  # A client that leaves ends its own wait only.
        except Exception:
            if self._made is made:
                self._made = None  # The next request tries again.
            raise
        return variants.answer(dict(scope["headers"]))


class _Variants:
    def __init__(self, content: Content) -> None:
        body, tag = content.body, hashlib.sha256(content.body).hexdigest()[:24]
        packed = gzip.compress(body, mtime=0) if len(body) >= MIN_GZIP_BYTES else body
        kind = (b"content-type", content.media_type.encode())
        common = [(b"cache-control", content.cache_control), (b"vary", b"accept-encoding"), content.policy]
        self._etags = (b'"%b"' % tag.encode(), b'"%b-gzip"' % tag.encode())
        self._plain = (200, [kind, *common, (b"etag", self._etags[0]), _length(body)], body)
        gzipped = [kind, *common, (b"etag", self._etags[1]), (b"content-encoding", b"gzip"), _length(packed)]
        self._gzipped = (200, gzipped, packed) if len(packed) < len(body) else self._plain
        self._unchanged = [(304, [*common, (b"etag", etag)], b"") for etag in self._etags]

    def answer(self, headers: Mapping[bytes, bytes]) -> Answer:
        known = headers.get(b"if-none-match")
        if known is not None:
            for etag, unchanged in zip(self._etags, self._unchanged, strict=True):
                if etag in known:
                    return unchanged
        return self._gzipped if takes_gzip(headers) else self._plain


def takes_gzip(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the client names gzip, and does not refuse it (`gzip;q=0`)."""
    accepted = headers.get(b"accept-encoding", b"")
    return b"gzip" in accepted and b"gzip;q=0" not in accepted.replace(b" ", b"").replace(b"q=0.", b"")


def _length(body: bytes) -> Header:
    return b"content-length", str(len(body)).encode()
