"""Sends the messages of the alerts to one receiver, in order. A message is sent again until the receiver has taken it.

It is a task of its own and waits for nobody else's: a receiver that is away, or hangs, delays only the messages after it. The
read database is read once, for what a start has missed: an alert that it is behind must not wait for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NoReturn
from urllib.parse import urlsplit

import httpcore
import httpx
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.webhook.connection import ANSWER_BYTES, AnswerTooLong, ReceiverTransport
from services.alerts.webhook.notices import Notice, notice_of, read_beginning, read_notices
from services.alerts.webhook.position import PositionFile
from services.standard_webhooks.address import LOOPBACK
from services.standard_webhooks.signature import signed_headers
from services.values.times import time_text
from services.venue_state.alerts import VenueAlert

WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""The waits before a message is sent again; the last one repeats."""

ANSWER_S = 10.0
"""How long the receiver may take to answer; connection.py bounds how much it may send."""

LOOK_S = 60.0
"""The longest time between two looks for new messages; an alert that changes ends the wait."""

WARN_AFTER_NS = 600 * 10**9
"""From this time on, a receiver that takes nothing is a warning of the venue's health."""

log = structlog.get_logger("rex.alerts")


class NotTaken(Exception):
    """The receiver did not take a message. The sentence does not hold its address."""


@dataclass(frozen=True)
class Start:
    """What a start knows, to find what the receiver lacks."""

    read_database: AsyncEngine
    projected: Callable[[int], Awaitable[None]]
    """Waits until the read database has reached a sequence number."""
    followed_seq: int
    """The sender hears every change of an alert after this command."""
    last_seq: int
    """The venue's last command: no receiver has more."""


class WebhookSender:
    """The messages to one receiver."""

    def __init__(
        self,
        url: str,
        key: bytes,
        start: Start,
        position: PositionFile,
        clock: Callable[[], int],
        *,
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
        answer_s: float = ANSWER_S,
    ) -> None:
        """`key`: of the signature. `clock`: nanoseconds since 1970. `wait` waits so many seconds before a message is sent
        again."""
        self._url = url
        self._key = key
        self._start = start
        self._position = position
        self._clock = clock
        self._wait = wait
        self._answer_s = answer_s
        self._client: httpx.AsyncClient | None = None
        self._changed = asyncio.Event()
        self._heard: deque[tuple[VenueAlert, int]] = deque()
        self._journal_id: bytes | None = None
        self._unsent: deque[Notice] = deque()
        self._known_seq = 0
        self._failing_since_ns: int | None = None
        self._reason = ""

    def on_change(self, alert: VenueAlert, seq: int) -> None:
        """Listens to the venue's alerts: the command `seq` has changed one, so there is a message to send."""
        self._heard.append((replace(alert), seq))
        self._changed.set()

    def warnings(self) -> list[str]:
        """A sentence if the receiver has taken nothing for long."""
        since_ns = self._failing_since_ns
        if since_ns is None or self._clock() - since_ns < WARN_AFTER_NS:
            return []
        return [f"The alert webhook has failed since {time_text(since_ns)} and is tried again: {self._reason}."]

    async def run(self) -> NoReturn:
        """Sends until it is canceled."""
        for name in ("httpx", "httpcore"):  # They log each request with its address, which may hold a secret.
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            while True:
                self._changed.clear()
                await self._repeated(self._send_new)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._changed.wait()
        finally:
            if self._client is not None:
                await self._client.aclose()

    async def _send_new(self) -> None:
        """Sends what is after the position. Raises NotTaken, and the errors of read database and file."""
        client = self._connected()
        journal_id = self._journal_id
        if journal_id is None and (journal_id := await self._begin()) is None:
            return
        self._journal_id = journal_id
        while (notice := self._next(journal_id)) is not None:
            await self._send(client, notice)
            await self._keep(journal_id, notice.seq)
            self._unsent.popleft()
            self._failing_since_ns = None

    def _connected(self) -> httpx.AsyncClient:
        """The client, made once. Raises NotTaken where the environment names proxies or certificates that cannot be used."""
        if self._client is None:
            is_local = urlsplit(self._url).hostname in LOOPBACK  # A proxy cannot reach it.
            try:
                transport = ReceiverTransport(httpx.URL(self._url), is_local=is_local)
                self._client = httpx.AsyncClient(transport=transport, timeout=None, follow_redirects=False)
            except Exception as error:
                raise NotTaken(f"no connection can be made ({type(error).__name__})") from None
        return self._client

    async def _begin(self) -> bytes | None:
        """Reads what a start has missed; the journal's id. None before the read database's first transaction."""
        start = self._start
        await start.projected(start.followed_seq)
        async with start.read_database.connect() as connection:
            beginning = await read_beginning(connection)
            if beginning is None:
                return None
            journal_id = beginning.journal_id
            last_seq = max(beginning.last_seq, start.last_seq)
            seq = await asyncio.to_thread(self._position.read, journal_id, last_seq)
            if seq is None:
                seq = min(beginning.after_seq, start.followed_seq)  # What has changed since the start is sent.
                await self._keep(journal_id, seq)
            self._unsent = deque(await read_notices(connection, journal_id, seq))
        self._known_seq = max(seq, beginning.last_seq)
        return journal_id

    async def _keep(self, journal_id: bytes, seq: int) -> None:
        """Writes the position in a thread. Canceled, it ends after the write: the next sender writes the same file."""
        writing = asyncio.create_task(asyncio.to_thread(self._position.write, journal_id, seq))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])
            writing.exception()  # marks it as retrieved: the next start reads what the file holds
            raise

    def _next(self, journal_id: bytes) -> Notice | None:
        """The oldest message that is not taken. What was heard is a message, unless the start had it already."""
        while self._heard:
            alert, seq = self._heard.popleft()
            if seq > self._known_seq:
                self._known_seq = seq
                self._unsent.append(notice_of(alert, seq, journal_id))
        return self._unsent[0] if self._unsent else None

    async def _repeated(self, send: Callable[[], Awaitable[None]]) -> None:
        """Calls `send` until it raises nothing, with growing waits; the waits begin anew after each message taken."""
        failures = 0
        while True:
            try:
                await send()
            except Exception as error:
                failures = 0 if self._failing_since_ns is None else failures
                self._failed(error)
                await self._wait(WAITS_S[min(failures, len(WAITS_S) - 1)])
                failures += 1
            else:
                self._failing_since_ns = None
                return

    def _failed(self, error: Exception) -> None:
        read = f"the alerts cannot be read, or the position not be written ({type(error).__name__})"
        self._reason = str(error) if isinstance(error, NotTaken) else read
        if self._failing_since_ns is None:
            self._failing_since_ns = self._clock()
        log.warning("the alert webhook failed", reason=self._reason)

    async def _send(self, client: httpx.AsyncClient, notice: Notice) -> None:
        headers = signed_headers(self._key, notice.message_id, self._clock() // 10**9, notice.body)
        try:
            async with asyncio.timeout(self._answer_s):
                answer = await client.post(self._url, content=notice.body, headers=headers)
        except AnswerTooLong:
            raise NotTaken(f"the receiver's answer has no status in its first {ANSWER_BYTES:,} bytes") from None
        except TimeoutError:
            raise NotTaken(f"the receiver did not answer within {self._answer_s:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError, httpx.InvalidURL, OSError) as error:
            raise NotTaken(f"the receiver cannot be reached ({type(error).__name__})") from None
        if not answer.is_success:
            raise NotTaken(f"the receiver answered {answer.status_code}")
