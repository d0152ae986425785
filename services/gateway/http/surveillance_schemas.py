"""Models of the requests about declared control and measures below /v1/admin."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema

from services.commands.attachments import Measure
from services.gateway.http.admin_schemas import AccountNumber, Name, Reason
from services.gateway.schemas import Request
from services.values.times import DATE_FORM

MAX_ACCOUNTS = 100
"""The most accounts of one control group or measure."""

Accounts = Annotated[list[AccountNumber], Field(max_length=MAX_ACCOUNTS)]


class ControlRequest(Request):
    """Accounts that are under one control, though their owners differ."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "accounts": [4, 7],
                "reason": "the same person signs for both, by the trade register of 3 March",
                "name": "Li Na, surveillance",
            }
        }
    )

    accounts: Accounts = Field(min_length=2, description="None of them may be in another control group.")
    reason: Reason = Field(description="Why. Recorded in the journal.")
    name: Name = Field(description="Who declares it. Recorded in the journal beside the key.")


class MeasureRequest(Request):
    """A measure against abnormal trading."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "accounts": [4],
                "measure": "warning",
                "trading_date": "2024-03-05",
                "reason": "612 cancels in PRND-OX",
                "name": "Li Na, surveillance",
            }
        }
    )

    accounts: Accounts = Field(min_length=1)
    measure: Measure = Field(
        description="The ladder: the first time `warning`, then `watch_list`, then `opening_ban`: only cancels are taken."
    )
    trading_date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$"), WithJsonSchema(DATE_FORM)] = Field(
        description="The trading day of what it answers."
    )
    reason: Reason = Field(description="Why. Recorded in the journal.")
    name: Name = Field(description="Who imposes it. Recorded in the journal beside the key.")


class EndRequest(Request):
    """Why a declared control or a measure ends."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "the register was wrong", "name": "Li Na"}})

    reason: Reason = Field(description="Why. Recorded in the journal.")
    name: Name = Field(description="Who ends it. Recorded in the journal beside the key.")
