"""The proof of a year, and its route: GET /v1/reports/turnover/{year}/proof."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.reporting.requests import Year
from services.times import time_text

_ERROR = re.compile(r"(?:\w+\.)*([A-Z]\w*)(?:: |$)", re.ASCII)
"""The type of an error at the beginning of a traceback's last line."""


@dataclass(frozen=True)
class Proven:
    """The outcome of one proof."""

    year: int
    seq: int
    time_ns: int
    """When it ended."""
    figure: dict[str, Any] | None
    """As `Figure.to_json`; None where the proof could not be made."""
    trouble: str | None
    """Why it could not be made."""

    @property
    def agree(self) -> bool:
        """Whether the computations agree to the fen, and the read database has no differences."""
        return self.figure is not None and bool(self.figure["agree"])

    @property
    def alarm(self) -> str | None:
        """A sentence for whoever watches the venue's health; None where all agrees. Health is public: of a trouble it has the
        type alone."""
        if self.agree:
            return None
        why = "the computations of the turnover disagree, or the read database differs"
        if self.trouble is not None:
            named = _ERROR.match(self.trouble)
            why = f"it could not be made ({named[1] if named else 'the log has the reason'})"
        return f"The proof of {self.year} at seq {self.seq:,} failed: {why}."


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


def router(prove: Callable[[int], Awaitable[Proven]]) -> APIRouter:
    """The route of operators. `prove` makes the proof of a year."""
    routes = APIRouter(prefix="/v1/reports", tags=["reports"])

    @routes.get(
        "/turnover/{year}/proof",
        response_model=Proof,
        summary="Proves the year's turnover by four computations, now",
        description="The answer comes when the proof is done: a second for each 400,000 commands. One proof runs at a time.",
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
