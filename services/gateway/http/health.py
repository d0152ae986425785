"""Liveness and readiness, for supervisors and load balancers. They need no key: the access middleware answers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Literal

import msgspec
from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from pydantic import Field
from starlette.types import Scope

from services.gateway.browser_headers import API_POLICY
from services.gateway.http.cached_answer import Answer, OpenAnswer
from services.gateway.http.metrics import Facts
from services.gateway.problems import ProblemError, cut_off
from services.gateway.schemas import Reply
from services.venue_state.state import VenueState

Sentences = Callable[[], list[str]]
"""Returns one sentence for each condition: what keeps the venue from being ready, or what needs an operator's attention."""


class Health(Reply):
    """The state of the process."""

    status: Literal["ok", "ready"]
    seq: int = Field(description="Last journal sequence number that the gateway has applied.")
    kill_switch: bool = Field(description="The venue's: orders and amends are refused, cancels are accepted.")
    warnings: list[str] = Field(
        default=[],
        description="Conditions that need an operator's attention, one sentence each; of more than 20 open critical alerts a "
        "sentence says how many more there are. Empty: none.",
    )
    acts_of_two: list[str] = Field(
        default=[],
        description="The acts that need a second person at this gateway (`REX_FOUR_EYES`): the same at all of them.",
    )
    epoch: int | None = Field(
        default=None, description="Scaled mode: the epoch of the sequencer at the link's other end."
    )
    link_age_s: float | None = Field(
        default=None, description="Scaled mode: seconds since the last message of the sequencer; null without a link."
    )
    oldest_command_age_s: float | None = Field(
        default=None, description="Scaled mode: how long the oldest command has waited for its commit; 0: none waits."
    )
    replicated: bool | None = Field(
        default=None, description="Scaled mode: whether a synchronous standby of PostgreSQL confirms each commit."
    )
    journal_lag: int | None = Field(
        default=None,
        description="Scaled mode: commands in the journal that the gateway has not applied, at the last look.",
    )
    journal_lag_s: float | None = Field(
        default=None,
        description="Scaled mode: seconds since the first of these commands was seen in the journal; 0: none.",
    )
    redis: bool | None = Field(default=None, description="Scaled mode: whether Redis answers; only readers use it.")
    limits_shared: bool | None = Field(
        default=None,
        description="Scaled mode: whether gateways share the rate limit of a key; false: Redis is away; null: there is none.",
    )
    command_age_s: float | None = Field(
        default=None, description="A venue in one process: seconds since the time of the last command."
    )
    read_database_lag: int | None = Field(
        default=None, description="A venue in one process: commands that the read database has not applied."
    )
    read_database_silent_s: float | None = Field(
        default=None,
        description="A venue in one process: seconds for which its projector has not gone on although there is more; 0: none.",
    )
    proven_seq: int | None = Field(
        default=None,
        description="A venue in one process: the last command at which a proof of the figure agreed; null: none did since the "
        "start.",
    )
    proven_age_s: float | None = Field(default=None, description="Seconds since that proof ended.")
    proof_agrees: bool | None = Field(
        default=None,
        description="A venue in one process: whether the latest proof of each year agrees; null before the first proof.",
    )
    proof_age_s: float | None = Field(
        default=None, description="Seconds since the latest proof ended, also one that failed."
    )
    proof_reached_seq: int | None = Field(
        default=None, description="The command that the proof under way has reached; null: none runs at this process."
    )
    proof_to_seq: int | None = Field(default=None, description="The last command of the proof under way.")
    snapshot_seq: int | None = Field(
        default=None,
        description="A venue in one process: the last command in its newest snapshot; null: there is none.",
    )
    snapshot_age_s: float | None = Field(default=None, description="Seconds since the newest snapshot was taken.")
    start_snapshot_seq: int | None = Field(
        default=None,
        description="A venue in one process: the last start re-executed the commands after this one, from a snapshot; 0: all.",
    )
    websockets: int | None = Field(default=None, description="WebSockets that are open at this process.")
    sessions: int | None = Field(default=None, description="Sessions of people who are logged in at this process.")


def health_answers(
    state: VenueState,
    not_ready: Sentences,
    warnings: Sentences,
    details: Callable[[], Facts],
    acts_of_two: Collection[str],
    is_cut_off: Callable[[], bool],
) -> dict[str, OpenAnswer]:
    """What /healthz and /readyz answer. `details`: what a process of the scaled mode adds."""

    def answer(status: str) -> Answer:
        sentences = [*dict.fromkeys([*warnings(), *state.alerts.critical()])]
        venue = {
            "seq": state.last_seq,
            "kill_switch": state.kill_switch,
            "warnings": sentences,
            "acts_of_two": sorted(acts_of_two),
        }
        body = msgspec.json.encode({"status": status, **venue, **details()})
        kind = (b"content-type", b"application/json")
        return 200, [kind, (b"content-length", str(len(body)).encode()), API_POLICY], body

    async def healthz(_scope: Scope) -> Answer:
        return answer("ok")

    async def readyz(_scope: Scope) -> Answer:
        missing = not_ready()
        if is_cut_off():
            raise cut_off(" ".join(missing))
        if not state.instruments:
            missing.append("No instrument is listed.")
        if not state.trading_date:
            missing.append("No trading day has begun.")
        if missing:
            raise ProblemError(503, "not_ready", " ".join(missing))
        return answer("ready")

    return {"/healthz": healthz, "/readyz": readyz}


def routes() -> APIRouter:
    """The paths for /openapi.json and for the 405 of their other methods. The access middleware answers them, never these."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", response_model=Health, summary="Liveness: the process answers")
    @router.get(
        "/readyz", response_model=Health, summary="Readiness: the venue takes commands; otherwise 503 with the cause"
    )
    @router.get("/metrics", response_class=PlainTextResponse, summary="Prometheus metrics")
    async def answered() -> None:
        raise NotImplementedError("the access middleware answers this route")

    return router
