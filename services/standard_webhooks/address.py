"""Which addresses a webhook may have: https, and http to this machine."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def check_address(url: str) -> None:
    """Raises ValueError with the reason, which holds nothing of the address: it may hold a secret."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("it is no address: write https://host/path") from None
    if not re.fullmatch(r"[!-~]+", url) or not host:
        raise ValueError("it is no address: write https://host/path")
    if parts.fragment:
        raise ValueError("it has a fragment (#), which is never sent")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise ValueError(f"it must begin with https://; http:// only to {', '.join(LOOPBACK)}")
