"""Signed messages after the Standard Webhooks specification (github.com/standard-webhooks/standard-webhooks).

webhook-id         the message's number: the same whenever it is sent again
webhook-timestamp  when it is sent, in seconds since 1970
webhook-signature  `v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`, with the shared secret as its key
"""

from __future__ import annotations

import base64
import binascii
import hmac

SECRET_PREFIX = "whsec_"
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64
"""The lengths that the specification allows."""


def secret_bytes(text: str) -> bytes:
    """The key in a secret of the form `whsec_` and base64. Raises ValueError with the reason, which holds nothing of it."""
    if not text.startswith(SECRET_PREFIX):
        raise ValueError(f"it does not begin with {SECRET_PREFIX}")
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"it has no base64 after {SECRET_PREFIX}") from None
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise ValueError(f"it has {len(key)} bytes, and {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} are allowed")
    return key


def signed_headers(key: bytes, message_id: str, time_s: int, body: bytes) -> dict[str, str]:
    """The headers of a message that is sent at time_s, seconds since 1970."""
    content = f"{message_id}.{time_s}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(time_s),
        "webhook-signature": f"v1,{signature}",
    }
