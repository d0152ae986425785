"""A receiver of the webhook: a real HTTP server on a free port, which answers as its test says and checks every signature."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.patience import PATIENCE_S

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


@dataclass
class Message:
    """A message with a right signature."""

    message_id: str
    timestamp: str
    body: bytes
    answered: int

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """What came in. `answers` are the statuses of the next messages, 0: no answer at all; afterwards 204."""

    answers: list[int] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    port: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=in-the-address"

    @property
    def taken(self) -> list[Message]:
        return [message for message in self.messages if 200 <= message.answered < 300]

    async def until(self, taken: int) -> list[Message]:
        await self.has(lambda: len(self.taken) >= taken)
        return self.taken

    async def has(self, condition: Callable[[], bool]) -> None:
        """Returns when the condition holds for what came in."""
        async with asyncio.timeout(PATIENCE_S), self.came:
            await self.came.wait_for(condition)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = {
                    name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)
                }
                body = await reader.readexactly(int(headers["content-length"]))
                status = self.answers.pop(0) if self.answers else 204
                await self._add(headers, body, status)
                if status:
                    writer.write(f"HTTP/1.1 {status} .\r\ncontent-length: 0\r\n\r\n".encode())
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def _add(self, headers: dict[str, str], body: bytes, status: int) -> None:
        message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
        content = f"{message_id}.{timestamp}.".encode() + body
        right = base64.b64encode(hmac.new(KEY, content, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{right}"
        assert headers["content-type"] == "application/json"
        async with self.came:
            self.messages.append(Message(message_id, timestamp, body, status))
            self.came.notify_all()


@asynccontextmanager
async def receiving(*answers: int, port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver while the block runs."""
    receiver = Receiver(list(answers))
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", port)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield receiver
        finally:
            server.close()
            for writer in list(receiver.open):
                writer.close()
