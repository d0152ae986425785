"""Sends the messages of the alerts to one receiver, in order. A message is sent again until the receiver has taken it.

It is a task of its own and waits for nobody else's: a receiver that is away, or hangs, delays only the messages after it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NoReturn
from urllib.parse import urlsplit

import httpx
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.webhook.notices import Notice, read_beginning, read_notices
from services.alerts.webhook.position import PositionFile
from services.standard_webhooks.address import LOOPBACK
from services.standard_webhooks.signature import signed_headers
from services.times import time_text
from services.venue_state.alerts import VenueAlert

WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""The waits before a message is sent again; the last one repeats."""

ANSWER_S = 10.0
"""How long the receiver may take to answer."""

LOOK_S = 60.0
"""The longest time between two looks for new messages; an alert that changes ends the wait."""

WARN_AFTER_NS = 600 * 10**9
"""From this time on, a receiver that takes nothing is a warning of the venue's health."""

log = structlog.get_logger("rex.alerts")


class NotTaken(Exception):
    """The receiver did not take a message. The sentence does not hold its address."""


class WebhookSender:
    """The messages to one receiver."""

    def __init__(
        self,
        url: str,
        key: bytes,
        read_database: AsyncEngine,
        position: PositionFile,
        clock: Callable[[], int],
        projected: Callable[[int], Awaitable[None]],
        *,
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
        answer_s: float = ANSWER_S,
    ) -> None:
        """`key`: of the signature. `clock`: nanoseconds since 1970. `projected` waits until the read database has reached a
        sequence number. `wait` waits so many seconds before a message is sent again."""
        self._url = url
        self._key = key
        self._read_database = read_database
        self._position = position
        self._clock = clock
        self._projected = projected
        self._wait = wait
        self._answer_s = answer_s
        self._changed = asyncio.Event()
        self._changed_seq = 0
        self._failing_since_ns: int | None = None
        self._reason = ""

    def on_change(self, _alert: VenueAlert, seq: int) -> None:
        """Listens to the venue's alerts: the command `seq` has changed one, so there is a message to send."""
        self._changed_seq = seq
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
        is_local = urlsplit(self._url).hostname in LOOPBACK  # A proxy cannot reach it.
        async with httpx.AsyncClient(timeout=None, trust_env=not is_local, follow_redirects=False) as client:
            while True:
                self._changed.clear()
                await self._repeated(lambda: self._send_new(client))
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._changed.wait()

    async def _send_new(self, client: httpx.AsyncClient) -> None:
        """Sends what is after the position. Raises NotTaken, and the errors of read database and file."""
        await self._projected(self._changed_seq)
        async with self._read_database.connect() as connection:
            beginning = await read_beginning(connection)
            if beginning is None:
                return
            journal_id = beginning.journal_id
            seq = self._position.read(journal_id, beginning.last_seq)
            if seq is None:
                seq = beginning.after_seq
                self._position.write(journal_id, seq)
            notices = await read_notices(connection, journal_id, seq)
        for notice in notices:
            await self._send(client, notice)
            self._position.write(journal_id, notice.seq)
            self._failing_since_ns = None

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
                # Only the status is read: a body may be of any length.
                async with client.stream("POST", self._url, content=notice.body, headers=headers) as answer:
                    status = answer.status_code
        except TimeoutError:
            raise NotTaken(f"the receiver did not answer within {self._answer_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise NotTaken(f"the receiver cannot be reached ({type(error).__name__})") from None
        if not 200 <= status < 300:
            raise NotTaken(f"the receiver answered {status}")
