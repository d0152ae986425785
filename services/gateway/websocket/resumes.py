"""Resuming streams: what a client missed since a seq, and then the live pushes, without a gap or a double.

The stream holds back the client's pushes from the moment of the request on. Up to the seq of that moment the client is told
what it missed, in `resumed` messages; then come the pushes that were held back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from services.gateway.problems import ProblemError, field_problem, problem_of
from services.gateway.resume.missed import MissedReader
from services.gateway.websocket.channels import Channels
from services.gateway.websocket.client_queue import Stream
from services.gateway.websocket.private_models import PrivateChannel, ResumePoint
from services.gateway.websocket.private_resumption import PrivateResumption
from services.gateway.websocket.status_resumption import StatusResumption
from services.gateway.websocket.subscriber import Subscriber
from services.gateway.websocket.trades_resumption import TradesResumption
from services.venue_state.state import VenueState

RESUME_COMMANDS = 1_000_000
"""How many commands of the venue a client may have missed."""
AHEAD_SECONDS = 5.0
"""How long this gateway may be behind the one that the client comes from."""
CLOSE_NOT_RESUMED = 4009
"""Close code: what was missed could not be read."""
LOOK_SECONDS = 0.02
"""The pause between two looks while a gateway is behind."""


log = structlog.get_logger("rex.websocket")


class Resumption(Protocol):
    """One stream that is resumed; its live pushes are held back."""

    @property
    def reads_database(self) -> bool:
        """Whether it tells out of the read database; else out of the journal alone."""

    @property
    def upto_seq(self) -> int:
        """The stream's seq when they began to be held back."""

    def drop(self) -> None:
        """Ends the subscription."""

    async def tell(self, after_seq: int) -> None:
        """Sends what was missed after this seq, then what was held back."""


class Resumes:
    """Resumes streams of clients: `check` refuses at once, `resume` is the work of a task."""

    def __init__(self, state: VenueState, channels: Channels, missed: MissedReader) -> None:
        self._state = state
        self._channels = channels
        self._missed = missed

    def check(self, point: ResumePoint) -> None:
        """Raises a 409 problem for another incarnation, and for a point that is too old."""
        incarnation, oldest = self._state.incarnation, self._state.last_seq - RESUME_COMMANDS
        if point.incarnation != incarnation:
            message = f"this venue's journal is {incarnation}"
            raise field_problem("other_incarnation", "resume.incarnation", message, status=409)
        if point.seq < oldest:
            message = f"the oldest is {oldest}, {RESUME_COMMANDS} commands before the present one"
            raise field_problem("resume_too_old", "resume.seq", message, status=409)

    async def resume(
        self,
        client: Subscriber,
        point: ResumePoint,
        private: Sequence[tuple[PrivateChannel, int]],
        trades: Sequence[Stream],
        reply: Callable[[ProblemError | None], None],
        *,
        status: bool = False,
    ) -> None:
        """Subscribes the client to private channels (each with its account), streams of trades and the venue's status,
        from the point on.

        `reply` is called before anything else is sent: with None, or with the problem: 409 `resume_ahead`, or 503.
        """
        try:
            await self._reached(point.seq)
            resumptions = self._begin(client, private, trades, status=status)
        except ProblemError as problem:
            reply(problem)
            return
        try:
            if any(one.reads_database and one.upto_seq > point.seq for one in resumptions):
                await self._missed.projected(self._state.last_seq)
        except Exception as error:
            for one in resumptions:
                one.drop()
            reply(problem_of(error))
            return
        reply(None)
        try:
            for one in resumptions:
                await one.tell(point.seq)
        except Exception as error:
            log.warning("a stream could not be resumed", exc_info=error)
            client.queue.close(CLOSE_NOT_RESUMED, "what was missed could not be read; connect again and resume")

    def _begin(
        self,
        client: Subscriber,
        private: Sequence[tuple[PrivateChannel, int]],
        trades: Sequence[Stream],
        *,
        status: bool,
    ) -> list[Resumption]:
        streams = self._channels.private
        return [
            *(PrivateResumption(client, streams, channel, account, self._missed) for channel, account in private),
            *(TradesResumption(client, self._channels, stream, self._state, self._missed) for stream in trades),
            *([StatusResumption(client, self._channels, self._state, self._missed)] if status else []),
        ]

    async def _reached(self, seq: int) -> None:
        """Waits until this gateway is where the client was: it may come from another one, which was ahead."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + AHEAD_SECONDS
        while self._state.last_seq < seq:
            if loop.time() > deadline:
                message = f"the venue stands at {self._state.last_seq}"
                raise field_problem("resume_ahead", "resume.seq", message, status=409)
            await asyncio.sleep(LOOK_SECONDS)
