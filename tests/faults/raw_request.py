"""A request as bytes on a plain socket, right or wrong, and what comes back."""

from __future__ import annotations

import socket
from contextlib import suppress


def status_of(connection: socket.socket, request: bytes, patience_s: float) -> int:
    """The status of the answer, read when all was sent or the venue took no more; 0: closed without one, -1: no answer."""
    connection.settimeout(patience_s)
    with suppress(OSError):  # Not taken in time, or closed meanwhile: the answer may have come before.
        connection.sendall(request)
    try:
        answer = connection.recv(64)
    except TimeoutError:
        return -1
    except OSError:
        return 0
    return int(answer.split()[1]) if answer else 0


def is_closed(connection: socket.socket, patience_s: float) -> bool:
    """Whether the venue closes the connection, once all it sent is read."""
    connection.settimeout(patience_s)
    try:
        while connection.recv(65_536):
            continue
    except TimeoutError:
        return False
    except OSError:
        return True
    return True
