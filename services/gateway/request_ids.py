"""The id of a request: in the header X-Request-Id of its answer, in the log, and in the problem document.

A caller may choose it, so that its own log and the venue's name a request alike. The venue does not check that it is unique.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from itertools import count
from typing import Any

HEADER = b"x-request-id"

REQUEST_ID = "rex.request_id"
"""The ASGI scope's entry for the id, as bytes."""

# Safe in a header, in a line of a log and in a shell.
_is_safe = re.compile(rb"[0-9A-Za-z][0-9A-Za-z._:-]{0,63}").fullmatch
_process = os.urandom(5).hex().encode()
_numbers = count(1)


def new_request_id() -> bytes:
    """An id that no other request has: of this process, and its number there."""
    return b"%b-%x" % (_process, next(_numbers))


def request_id_of(headers: Mapping[bytes, bytes]) -> bytes:
    """The caller's id if it is 1 to 64 letters, digits, `.`, `_`, `:` and `-`, the first a letter or digit; else a new one."""
    given = headers.get(HEADER)
    return given if given is not None and _is_safe(given) else new_request_id()


def text_of(scope: Mapping[str, Any]) -> str | None:
    """The id of the request with this ASGI scope; None where no access middleware has given one."""
    request_id: bytes | None = scope.get(REQUEST_ID)
    return None if request_id is None else request_id.decode()
