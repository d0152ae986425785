"""Generated WebSocket messages and frames: each message gets one reply that fits docs/asyncapi.json, each broken frame a close
with its own code; never 1011, never silence.

Four clients at once: two members, an operator, and one that shows its key late or never. A client sends some messages without
waiting, in text or binary frames, whole or in fragments with pings between them, and then reads as many replies. Every
push and reply is held to the document. Now and then it breaks the protocol, and must be closed with the code that says how.
"""

from __future__ import annotations

import asyncio
import base64
import json
from random import Random
from typing import NamedTuple
from urllib.parse import urlsplit

from websockets.frames import Frame, Opcode

from tests.faults.rig import Advance
from tests.fuzz.breaking_off import FuzzReport
from tests.fuzz.messages import LARGEST_BYTES, Messages
from tests.fuzz.stage import Stage
from tests.integration.documented import Conversation, Undocumented

AT_ONCE = 40
"""The most messages that a client sends before it reads their replies."""
ROUNDS_A_SOCKET = 8
WITHOUT_KEY = 12
"""How many messages a client without a key sends: after 16 the venue closes the connection."""
PATIENCE_S = 60.0
PROTOCOL_ERROR, NOT_UTF8, TOO_LARGE = 1002, 1007, 1009


class Outgoing(NamedTuple):
    """What a client sends at once: a message or some frames."""

    frames: bytes
    text: bytes | None
    """The message; None: none is complete."""
    closes: int = 0
    """The code with which the venue must close; 0: it must reply."""


def run(stage: Stage, frames: int, seed: int, advance: Advance, report: FuzzReport) -> None:
    """Sends `frames` messages or broken frames."""
    report.counts |= {"frames": 0, "replies": 0, "results": 0, "errors": 0, "pushes": 0, "sockets": 0}
    asyncio.run(_run(stage, frames, seed, advance, report))


async def _run(stage: Stage, frames: int, seed: int, advance: Advance, report: FuzzReport) -> None:
    keys = [*stage.members, stage.operator, None]
    async with asyncio.TaskGroup() as clients:
        for number, key in enumerate(keys):
            url = stage.urls[number % len(stage.urls)]
            client = Client(url, key, Random(f"{seed} {number}"), report, advance)
            clients.create_task(client.send_all(frames // len(keys)))


class Client:
    """Opens one connection after the other with a key, or without."""

    def __init__(self, url: str, key: str | None, random: Random, report: FuzzReport, advance: Advance) -> None:
        self._url, self._key, self._random = urlsplit(url), key, random
        self._report, self._advance = report, advance
        self._messages = Messages(random)

    async def send_all(self, frames: int) -> None:
        """Ends after so many messages or broken frames, with the first broken promise, or when the run is broken off."""
        left = frames
        while left > 0 and not self._report.ends:
            self._report.add("sockets")
            reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    left -= await self._converse(reader, writer)
            except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
                self._report.broken.append(f"{self._name}: the venue says nothing: {error!r}")
            finally:
                writer.transport.abort()

    @property
    def _name(self) -> str:
        return "a client without a key" if self._key is None else "a client"

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        """One connection; returns how many frames it took."""
        await self._open(reader, writer)
        talk, count = Conversation(), 0
        for _ in range(ROUNDS_A_SOCKET if self._key else 1):
            messages, breaking = self._round()
            await self._send(writer, talk, messages)
            await self._read(reader, talk, messages, expected=len(messages))
            count += len(messages)
            if breaking is not None and not self._report.broken:
                await self._send(writer, talk, [breaking])
                await self._read(reader, talk, [breaking], closes=breaking.closes)
                count += 1
            if breaking is not None or self._report.ends:
                break
        return count

    async def _send(self, writer: asyncio.StreamWriter, talk: Conversation, sent: list[Outgoing]) -> None:
        for out in sent:
            if out.text is not None:
                talk.sent(out.text)
            writer.write(out.frames)
            self._report.add("frames")
            self._advance()
        await writer.drain()

    async def _open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        key = f"authorization: Bearer {self._key}\r\n" if self._key else ""
        secret = base64.b64encode(self._random.randbytes(16)).decode()
        writer.write(
            f"GET /v1/ws HTTP/1.1\r\nhost: {self._url.netloc}\r\n{key}upgrade: websocket\r\nconnection: upgrade\r\n"
            f"sec-websocket-version: 13\r\nsec-websocket-key: {secret}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            self._report.broken.append(f"{self._name}: the handshake is answered {head[:200]!r}")

    def _round(self) -> tuple[list[Outgoing], Outgoing | None]:
        """Messages, and what breaks the protocol after their replies. (At once with them, the replies may be lost.)"""
        messages: list[Outgoing] = []
        for _ in range(self._random.randint(1, AT_ONCE if self._key else WITHOUT_KEY)):
            out = _framed(self._random, self._messages.next())
            if out.closes:
                return messages, out
            messages.append(out)
        return messages, _broken(self._random) if self._random.random() < 0.2 else None

    async def _read(
        self,
        reader: asyncio.StreamReader,
        talk: Conversation,
        sent: list[Outgoing],
        *,
        expected: int = 0,
        closes: int = 0,
    ) -> None:
        """Reads so many replies, or up to the close with this code."""
        replies = 0
        while replies < expected or closes:
            opcode, payload = await _frame(reader)
            if opcode is Opcode.CLOSE:
                code = int.from_bytes(payload[:2], "big")
                self._report.add(f"closed_{code}")
                if code != closes:
                    what = f"closed with {code} {payload[2:]!r} instead of {closes or 'a reply'}, {expected - replies} missing"
                    self._report.broken.append(f"{self._name}: {what}: after {_shown(sent)}")
                return
            if opcode is Opcode.TEXT:
                replies += self._received(talk, payload, sent)
            if self._report.broken:
                return

    def _received(self, talk: Conversation, payload: bytes, sent: list[Outgoing]) -> bool:
        """Checks a message of the venue; returns whether it is a reply."""
        try:
            talk.received(payload)
        except (Undocumented, ValueError) as found:
            self._report.broken.append(f"{self._name}: {found} after {_shown(sent)}")
        message = json.loads(payload)
        if "channel" in message:
            self._report.add("pushes")
            return False
        self._report.add("replies")
        self._report.add("errors" if "error" in message else "results")
        if message.get("error", {}).get("status", 0) >= 500:
            self._report.broken.append(f"{self._name}: {message} after {_shown(sent)}")
        return True


def _shown(sent: list[Outgoing]) -> str:
    return repr([out.text[:200] if out.text is not None else out.frames[:60] for out in sent])[:2_000]


def _framed(random: Random, text: bytes) -> Outgoing:
    """The message in one frame or in fragments, mostly as text."""
    opcode = Opcode.BINARY if random.random() < 0.1 else Opcode.TEXT
    closes = 0
    if opcode is Opcode.TEXT:
        try:
            text.decode()
        except UnicodeDecodeError:
            closes = NOT_UTF8
    if random.random() < 0.8:
        return Outgoing(Frame(opcode, text).serialize(mask=True), text, closes)
    cuts = sorted(random.choices(range(len(text) + 1), k=random.choice((1, 2, 10))))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    frames = b""
    for number, piece in enumerate(pieces):
        kind = opcode if number == 0 else Opcode.CONT
        frames += Frame(kind, piece, fin=number == len(pieces) - 1).serialize(mask=True)
        if random.random() < 0.2:
            frames += Frame(random.choice((Opcode.PING, Opcode.PONG)), random.randbytes(5)).serialize(mask=True)
    return Outgoing(frames, text, closes)


def _masked(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin=fin).serialize(mask=True)


def _broken(random: Random) -> Outgoing:
    """Frames that break the protocol, and the code that they must be closed with."""
    large = random.choice((1, 2, 1_000, 200_000))
    frames, closes = random.choice(
        (
            (_masked(Opcode.TEXT, b"\xff" + random.randbytes(20)), NOT_UTF8),
            (_masked(Opcode.TEXT, b'{"method":"ping","req_id":"\xc3\x28"}'), NOT_UTF8),
            (_masked(Opcode.TEXT, b" " * (LARGEST_BYTES + large)), TOO_LARGE),
            (b"\x81\xff" + random.randrange(2**20, 2**62).to_bytes(8, "big") + bytes(4), TOO_LARGE),
            (bytes([0x80 | random.choice((3, 4, 5, 6, 7, 11, 12, 15)), 0x80]) + bytes(4), PROTOCOL_ERROR),
            (bytes([0x81 | random.choice((0x10, 0x20, 0x40, 0x70)), 0x80]) + bytes(4), PROTOCOL_ERROR),
            (Frame(Opcode.TEXT, b"{}").serialize(mask=False), PROTOCOL_ERROR),
            (_masked(Opcode.CONT, b"x"), PROTOCOL_ERROR),
            (_masked(Opcode.TEXT, b"{", fin=False) + _masked(Opcode.TEXT, b"{}"), PROTOCOL_ERROR),
            (b"\x89\xfe\x00\x7e" + bytes(4) + bytes(126), PROTOCOL_ERROR),
            (_masked(Opcode.CLOSE, random.choice((0, 5, 999, 1005, 1006, 65_535)).to_bytes(2, "big")), PROTOCOL_ERROR),
            (_masked(Opcode.CLOSE, (1000).to_bytes(2, "big") + b"bye"), 1000),
        )
    )
    return Outgoing(frames, None, closes)


async def _frame(reader: asyncio.StreamReader) -> tuple[Opcode, bytes]:
    """The next frame of the venue: unmasked, and never in fragments."""
    first, size = await reader.readexactly(2)
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    elif size == 127:
        size = int.from_bytes(await reader.readexactly(8), "big")
    return Opcode(first & 15), await reader.readexactly(size)
