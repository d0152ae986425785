"""The proof of a year, and its route: GET /v1/reports/turnover/{year}/proof."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.reporting.proven import Prove
from services.reporting.requests import Year
from services.values.times import time_text


class Proof(BaseModel):
    """A year's turnover by four computations at one sequence number."""

    year: int
    seq: int
    proven_at: str = Field(description="When the proof ended: RFC 3339, UTC.")
    agree: bool = Field(
        description="Whether all computations are equal to the fen, and the read database has no differences."
    )
    trouble: str | None = Field(description="Why the proof could not be made; null where it was.")
    figure: dict[str, Any] | None = Field(
        description="`engine_counter`, `sql_sum`, `journal_replay`, `independent_decoder` in yuan, and the differences."
    )


def router(prove: Prove) -> APIRouter:
    """The route of operators."""
    routes = APIRouter(prefix="/v1/reports", tags=["reports"])

    @routes.get(
        "/turnover/{year}/proof",
        response_model=Proof,
        summary="Proves the year's turnover by four computations, now",
        description="The answer comes when the proof is done: a second for each 400,000 commands. One proof runs at a time; "
        "all who ask for a year meanwhile get the outcome of its next one.",
    )
    async def proof(year: Year) -> Proof:
        found = await prove(year)
        return Proof(
            year=found.year,
            seq=found.seq,
            proven_at=time_text(found.time_ns),
            agree=found.agree,
            trouble=found.trouble,
            figure=found.figure,
        )

    return routes
