"""Headers that tell a browser what it may do with an answer, and the one by which it asks for a page.

The server adds EVERY_ANSWER, whoever answers; a policy is chosen where the kind of answer is known: the access middleware's for
the API, documentation's and pages' for their own.

Sources: Content Security Policy Level 3 (W3C), Fetch Standard (`nosniff`), Referrer Policy (W3C), RFC 6797 (HSTS).
"""

from __future__ import annotations

from collections.abc import Mapping

Header = tuple[bytes, bytes]

POLICY = b"content-security-policy"

EVERY_ANSWER = (("x-content-type-options", "nosniff"), ("referrer-policy", "same-origin"))
"""Not `no-referrer`: with it browsers send `Origin: null` with a form of the venue's own pages."""

BEHIND_TLS = ("strict-transport-security", "max-age=31536000")
"""One year, for this host name only: other names of its domain may have no TLS."""

API_POLICY: Header = (POLICY, b"default-src 'none'; frame-ancestors 'none'")
"""An answer of the API is data: nothing in it is carried out, and no page frames it."""

PAGES_POLICY: Header = (
    POLICY,
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
)
"""Everything that a page loads or connects to is the venue's own; nothing is inline, and no text becomes code."""


def asks_for_html(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the client names HTML among what it accepts: browsers do where a person opens an address, programs do not."""
    return b"text/html" in headers.get(b"accept", b"")


def documentation_policy(script_hash: str) -> Header:
    """The policy of /docs. `script_hash` (`sha256-…`) is that of its one inline script; Swagger UI sets styles inline."""
    return (
        POLICY,
        f"default-src 'none'; script-src 'self' '{script_hash}'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'".encode(),
    )
