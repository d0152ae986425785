"""Figures about the world outside, entered by operators. Each is a journaled command. Scope: `operate`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import ConfigDict, Field, StringConstraints

from services.commands.attachments import ContextStated
from services.gateway.http.admin_schemas import Applied, Name, Reason
from services.gateway.http.caller import Caller, needs
from services.gateway.http.proposal_schemas import PROPOSED
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.schemas import Request, WithoutControl


class ContextRequest(Request):
    """A figure about the world outside. It is shown beside the report and counted in nothing."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "year": 2024,
                "figure": "output value of the city's rare-earth industry",
                "value": "75000000000",
                "unit": "yuan",
                "source": "the city's statistical bulletin",
                "name": "Li Na, statistics",
            }
        }
    )

    year: int = Field(ge=2000, le=2099, description="The calendar year that it is about.")
    figure: Name = Field(description="What it says. The newest value of a year and figure holds.")
    value: Annotated[str, StringConstraints(pattern=r"^(-?[0-9]{1,20}(\.[0-9]{1,6})?)?$", max_length=28)] = Field(
        description="An exact decimal. Empty: the figure is withdrawn."
    )
    unit: Annotated[str, StringConstraints(max_length=30), WithoutControl] = Field(description="`yuan`, `t`, `%` …")
    source: Reason = Field(description="Where it was published. Recorded in the journal.")
    name: Name = Field(description="Who enters it. Recorded in the journal beside the key.")


def routes(order_entry: OrderEntry) -> APIRouter:
    """/v1/admin/context."""
    router = APIRouter(prefix="/v1/admin", tags=["operate"], dependencies=[needs("operate")])

    @router.post(
        "/context",
        status_code=201,
        summary="Enter a figure about the world outside, with its source",
        responses=PROPOSED,
    )
    async def state_context(key: Caller, body: ContextRequest) -> Applied:
        stated = ContextStated(**body.model_dump())
        return Applied.by(await order_entry.record(key, stated))

    return router
