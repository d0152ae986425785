"""Sends a request, valid or not, as bytes over a plain socket and reads the reply."""

from __future__ import annotations

import socket
from contextlib import suppress


def status_of(connection: socket.socket, request: bytes, patience_s: float) -> int:
    """The status of the reply, read after everything was sent or the venue stopped reading. 0: the connection was closed
    without a reply; -1: no reply."""
    connection.settimeout(patience_s)
    with suppress(OSError):  # Not read in time, or closed meanwhile: the reply may have arrived before.
        connection.sendall(request)
    try:
        answer = connection.recv(64)
    except TimeoutError:
        return -1
    except OSError:
        return 0
    return int(answer.split()[1]) if answer else 0


def is_closed(connection: socket.socket, patience_s: float) -> bool:
    """Whether the venue closes the connection after everything that it sent is read."""
    connection.settimeout(patience_s)
    try:
        while connection.recv(65_536):
            continue
    except TimeoutError:
        return False
    except OSError:
        return True
    return True
