"""Administrative requests that may be sent again: the header Idempotency-Key.

The key travels with its command into the journal batch, as a RECORD behind it, so the request and the knowledge of it are
durable together: after a kill a retry either finds both or neither. What has no reply is not sent a second time while it may
still be executed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import NamedTuple

from matching_engine.records import COMMAND, Command, CommandKind, Event, pack_commands, unpack_commands
from services.commands.attachments import Recordable, RequestKeyed
from services.gateway.problems import ProblemError, field_problem, outcome_unknown
from services.messaging import Submission
from services.venue_state.keyed_requests import REMEMBERED, KeyedRequest
from services.venue_state.state import VenueState

HEADER = "Idempotency-Key"
KEYED_PATHS = ("/v1/admin/", "/v1/alerts/")
_PEOPLE_PATH = "/v1/admin/users"


def takes_key(path: str) -> bool:
    """Whether a request to this path may have an idempotency key. One about users may not: the journal would hold a digest of
    the password in its body."""
    return path.startswith(KEYED_PATHS) and not path.startswith(_PEOPLE_PATH)


class RequestKey(NamedTuple):
    """The idempotency key of an HTTP request, and the digest of what it asks for."""

    text: str
    digest: str
    """SHA-256 of method, path and body, in hex."""
    actor: int
    """The key or user whose idempotency keys these are; 0: it is the key of a thing that may happen once, whoever asks."""


REQUEST_KEY: ContextVar[RequestKey | None] = ContextVar("idempotency key", default=None)
"""That of the HTTP request which this task answers; `http/caller.py` sets it for every route that changes something."""


class Idempotency:
    """Carries out each request with a key once."""

    def __init__(self, state: VenueState, may_be_executed: Callable[[int], bool]) -> None:
        """`may_be_executed` is of the pending requests."""
        self._state = state
        self._may_be_executed = may_be_executed
        self._under_way: dict[tuple[int, str], asyncio.Event] = {}
        self._unknown: dict[tuple[int, str], tuple[str, int]] = {}
        """Requests that were handed over and got no reply: the digest and the request id of each. They stay while they may be
        executed: until their journal batch arrives, or a take-over shows that none will."""

    async def once(
        self, request: RequestKey, submission: Submission, send: Callable[[Submission], Awaitable[Event]]
    ) -> tuple[Event, bool]:
        """Sends the submission together with its key; returns its first event, and False. If the request was carried out
        before, returns the seq and account of then, and True.

        Raises 422 `idempotency_key_reused` if the key belongs to another request, 503 `outcome_unknown` while it is not known
        whether the first one was carried out, and what `send` raises.
        """
        name = request.actor, request.text
        while (other := self._under_way.get(name)) is not None:
            await other.wait()
        known = self._known(request)
        if known is not None:
            return Event(seq=known.seq, account=known.account), True
        ended = self._under_way[name] = asyncio.Event()
        try:
            event = await self._send(name, request, with_key(submission, request), send)
        finally:
            del self._under_way[name]
            ended.set()
        return self._of_another_gateway(request, event) or (event, False)

    def knows(self, request: RequestKey) -> bool:
        """Whether this person has sent a request with this key before, of whatever content: `once` says what follows."""
        name = request.actor, request.text
        return self._state.keyed_requests.find(*name) is not None or self._digest_of_unknown(name) is not None

    def _of_another_gateway(self, request: RequestKey, event: Event) -> tuple[Event, bool] | None:
        """The first one's seq and account, where the leader has noted this request as a repeat (services/sequencer/repeats.py).
        Raises 503 `not_ready` where the first one was refused: this one may be sent again."""
        known = self._known(request)
        if known is None:
            detail = "The same request came through another gateway and was refused; this one changed nothing. Send it again."
            raise ProblemError(503, "not_ready", detail)
        if known.seq == event.seq:
            return None
        return Event(seq=known.seq, account=known.account), True

    async def _send(
        self,
        name: tuple[int, str],
        request: RequestKey,
        submission: Submission,
        send: Callable[[Submission], Awaitable[Event]],
    ) -> Event:
        try:
            return await send(submission)
        except BaseException as error:
            # Of every other problem, and of the engine's refusal, nothing was carried out.
            if not isinstance(error, ProblemError) or error.code == "outcome_unknown":
                self._unknown[name] = request.digest, _first_of(submission).request_id
                if len(self._unknown) > REMEMBERED:
                    del self._unknown[next(iter(self._unknown))]
            raise

    def _known(self, request: RequestKey) -> KeyedRequest | None:
        name = request.actor, request.text
        known = self._state.keyed_requests.find(*name)
        digest = self._digest_of_unknown(name) if known is None else known.digest
        if digest is not None and digest != request.digest:
            message = "was used for another request; the same key may only repeat the same request"
            raise field_problem("idempotency_key_reused", HEADER, message)
        if known is None and digest is not None:
            raise outcome_unknown()
        return known

    def _digest_of_unknown(self, name: tuple[int, str]) -> str | None:
        """The digest of a request that may be carried out yet; None if there is none, or if it was refused meanwhile."""
        digest, request_id = self._unknown.get(name, (None, 0))
        if digest is None or self._may_be_executed(request_id):
            return digest
        del self._unknown[name]
        return None


def with_key(submission: Submission, request: RequestKey) -> Submission:
    """The submission, and behind it a RECORD of its key."""
    commands = commands_of(submission)
    keyed = RequestKeyed(actor=request.actor, key=request.text, digest=request.digest, commands=commands)
    return with_record(submission, keyed)


def with_record(submission: Submission, decision: Recordable) -> Submission:
    """The submission, and behind it a RECORD of the same sender. It has no actor: it is no action of its own."""
    first = _first_of(submission)
    attachments = (*submission.attachments, decision.to_bytes())
    record = Command(
        kind=CommandKind.RECORD,
        request_id=first.request_id,
        incarnation=first.incarnation,
        gateway_id=first.gateway_id,
        attachment=len(attachments),
    )
    return submission._replace(commands=submission.commands + pack_commands([record]), attachments=attachments)


def commands_of(submission: Submission) -> int:
    """How many commands it has."""
    return len(submission.commands) // COMMAND.itemsize


def _first_of(submission: Submission) -> Command:
    return next(iter(unpack_commands(submission.commands[: COMMAND.itemsize])))
