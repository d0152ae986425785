"""The media type of a request's body: JSON, declared as such.

A web page of another site can send a body only as a form, as plain text or undeclared, unless the venue allows its origin.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.gateway.problems import ProblemError

JSON = b"application/json"
_FORM = b"application/x-www-form-urlencoded"


def check_media_type(headers: Mapping[bytes, bytes]) -> None:
    """Raises a 415 problem unless the body is declared as JSON, in UTF-8 (RFC 8259 knows no other), and not as compressed: the
    venue decompresses none, and a proxy that does would read another body than the venue."""
    if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b""):
        detail = (
            f"The venue decompresses no body; this one has Content-Encoding {_shown(headers[b'content-encoding'])}."
        )
        raise ProblemError(415, "unsupported_media_type", detail)
    media_type, _, parameter = headers.get(b"content-type", b"").lower().partition(b";")
    media_type, charset = media_type.strip(), parameter.strip().replace(b'"', b"")
    if media_type == JSON and charset in (b"", b"charset=utf-8"):
        return
    if not media_type:
        found = "This one has no Content-Type."
    elif media_type == _FORM:
        found = "This one is declared as a form, as `curl -d` does: use curl's --json, or -H 'Content-Type: application/json'."
    else:
        found = f"This one is {_shown(headers[b'content-type'])}."
    detail = f"A body must be JSON, with the header Content-Type: application/json. {found}"
    raise ProblemError(415, "unsupported_media_type", detail)


def _shown(value: bytes) -> str:
    return repr(value[:80].decode("latin-1"))
