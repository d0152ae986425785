"""The cookie of a session: how it is set, and which requests it counts for."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Scope

from services.gateway.problems import ProblemError
from services.people.people import People
from services.people.sessions import SESSION_PREFIX, Session

SESSION = "rex.session"
"""The ASGI scope's entry for the Session by which the caller is known; absent for an API key."""

OPEN = frozenset({"/v1/session", "/v1/session/link"})
"""Paths below /v1 that are also for a caller without key and session."""

_NAME = "rex_session"
_SAFE = ("GET", "HEAD", "OPTIONS")


def cookie_name(*, behind_tls: bool) -> str:
    """The cookie's name. Behind TLS it has the prefix by which browsers take it from https only, and for this host only (RFC
    6265bis, 4.1.3.2)."""
    return f"__Host-{_NAME}" if behind_tls else _NAME


def set_cookie(secret: str, *, behind_tls: bool) -> str:
    """The header Set-Cookie that gives a browser its session until it is closed. An empty secret takes it away."""
    ends = "" if secret else "; Max-Age=0"
    return f"{cookie_name(behind_tls=behind_tls)}={secret}; Path=/; HttpOnly; SameSite=Strict{'; Secure' * behind_tls}{ends}"


def session_secret(headers: Mapping[bytes, bytes], *, behind_tls: bool) -> str | None:
    """The secret in the request's cookie; None without one."""
    name = cookie_name(behind_tls=behind_tls).encode()
    for pair in headers.get(b"cookie", b"").split(b";"):
        found, _, value = pair.strip().partition(b"=")
        if found == name:
            return value.decode("latin-1")
    return None


def session_of(scope: Scope, headers: Mapping[bytes, bytes], people: People, *, is_open: bool) -> Session | None:
    """The session of a request or handshake: by its cookie, or as a program may send it, in Authorization.

    A cookie whose session is unknown or has ended is nobody's where `is_open` (the request needs no key): a browser keeps its
    cookie over a restart of the venue. Raises problems: elsewhere 401 `session_ended`; 403 or 415 where another page may have
    sent the cookie with a change.
    """
    if b"authorization" in headers:
        scheme, _, value = headers[b"authorization"].partition(b" ")
        secret = value.strip().decode("latin-1")
        if scheme.lower() != b"bearer" or not secret.startswith(SESSION_PREFIX):
            return None  # an API key
    else:
        secret = session_secret(headers, behind_tls=people.behind_tls) or ""
        if not secret:
            return None
    session = people.sessions.find(secret)
    if session is None:
        if is_open or scope["path"] in OPEN:
            return None
        raise ProblemError(401, "session_ended", "The session has ended: log in again.")
    if b"authorization" not in headers and scope.get("method") not in _SAFE:  # a handshake has no method here
        refuse_other_pages(headers)
    scope[SESSION] = session
    return session


def refuse_other_pages(headers: Mapping[bytes, bytes]) -> None:
    """Raises a problem unless a page of the venue itself sends the request (against CSRF), with JSON or without a body.

    Browsers send the header Origin with every request that is not a GET, and with handshakes; where it is missing, their
    Sec-Fetch-Site must say `same-origin`. SameSite alone would let another port of the same host in.
    """
    origin = headers.get(b"origin")
    if origin is None:
        own = headers.get(b"sec-fetch-site") == b"same-origin"
    else:
        own = origin.lower().split(b"://")[-1] == headers.get(b"host", b"").lower()
    if not own:
        raise ProblemError(
            403, "origin_not_allowed", "A session changes something only from the venue's own pages (header Origin)."
        )
    has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
    media_type = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if has_body and media_type != b"application/json":
        raise ProblemError(415, "unsupported_media_type", "The body of this request must be application/json.")
