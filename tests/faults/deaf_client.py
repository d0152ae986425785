"""A WebSocket client that subscribes to everything and never reads: a plain socket with a small window."""

from __future__ import annotations

import base64
import json
import os
import socket
from urllib.parse import urlsplit

from tests.patience import PATIENCE_S

WINDOW_BYTES = 4_096


class DeafClient:
    """A client that is connected, authenticated and subscribed when it is made; it reads nothing after the handshake."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW_BYTES)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect((parts.hostname, parts.port))
        self.socket.sendall(upgrade_request(parts.netloc, key))
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(1)
        self.is_refused = b" 101 " not in answer.split(b"\r\n", 1)[0]
        if not self.is_refused:
            self.send({"method": "subscribe", "params": {"channels": ["depth", "trades", "ticker"], "symbols": ["*"]}})
            self.send({"method": "subscribe", "params": {"channels": ["orders"]}})

    def send(self, message: object) -> None:
        self.socket.sendall(text_frame(json.dumps(message).encode()))

    def close(self) -> None:
        self.socket.close()


def upgrade_request(host: str, key: str) -> bytes:
    """The HTTP request of a WebSocket handshake."""
    return (
        f"GET /v1/ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {key}\r\n\r\n"
    ).encode()


def text_frame(payload: bytes) -> bytes:
    """A client's text message (shorter than 64 KiB) as a WebSocket frame, masked with zeros."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return b"\x81" + length + bytes(4) + payload
