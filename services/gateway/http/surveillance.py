"""Operators' measures over HTTP: declared control groups, and the ladder of measures. Each is journaled. Scope: `operate`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field, StringConstraints, WithJsonSchema

from matching_engine.records import VENUE
from services.commands.attachments import ControlDeclared, ControlEnded, Measure, MeasureImposed, MeasureLifted
from services.gateway.http.act_schemas import PROPOSED, AccountNumber, Applied, Name, Reason
from services.gateway.http.caller import Caller, needs
from services.gateway.ids import MAX_ID
from services.gateway.order_entry.decisions import Bans, DecisionChecks
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError, field_problem
from services.gateway.schemas import Request, example
from services.read_model.records import read_records
from services.surveillance.measures import CONTROL_TYPES, control_groups
from services.values.times import DATE_FORM
from services.venue_state.state import VenueState

MAX_ACCOUNTS = 100
"""The most accounts of one control group or measure."""

Accounts = Annotated[list[AccountNumber], Field(max_length=MAX_ACCOUNTS)]


class ControlRequest(Request):
    """Accounts that are under one control, though their owners differ."""

    model_config = example(
        accounts=[4, 7],
        reason="the same person signs for both, by the trade register of 3 March",
        name="Li Na, surveillance",
    )

    accounts: Accounts = Field(min_length=2, description="None of them may be in another control group.")
    reason: Reason = Field(description="Why. Recorded in the journal.")
    name: Name = Field(description="Who declares it. Recorded in the journal beside the key.")


class MeasureRequest(Request):
    """A measure against abnormal trading."""

    model_config = example(
        accounts=[4],
        measure="warning",
        trading_date="2024-03-05",
        reason="612 cancels in PRND-OX",
        name="Li Na, surveillance",
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

    model_config = example(reason="the register was wrong", name="Li Na")

    reason: Reason = Field(description="Why. Recorded in the journal.")
    name: Name = Field(description="Who ends it. Recorded in the journal beside the key.")


_Seq = Annotated[int, Path(ge=1, le=MAX_ID)]


def routes(state: VenueState, order_entry: OrderEntry, checks: DecisionChecks, bans: Bans) -> APIRouter:
    """/v1/admin/control_groups and /v1/admin/measures."""
    router = APIRouter(prefix="/v1/admin", tags=["operate"], dependencies=[needs("operate")])
    _control_routes(router, state, order_entry, checks)
    _measure_routes(router, state, bans)
    return router


def _control_routes(router: APIRouter, state: VenueState, order_entry: OrderEntry, checks: DecisionChecks) -> None:
    @router.post(
        "/control_groups", status_code=201, summary="Declare that accounts are under one control", responses=PROPOSED
    )
    async def declare(key: Caller, body: ControlRequest) -> Applied:
        accounts = _known(state, body.accounts)
        async with checks.checked() as connection:
            for seq, group in control_groups(await read_records(connection, CONTROL_TYPES)).items():
                shared = sorted({*accounts} & {*group.text.accounts})
                if shared and group.ended is None and not order_entry.is_repeat():
                    message = f"account {shared[0]} is in the control group {seq}: end that one first"
                    raise field_problem("already_decided", "accounts", message, status=409)
            declared = ControlDeclared(accounts=accounts, reason=body.reason, name=body.name)
            return Applied.by(await order_entry.record(key, declared))

    @router.post("/control_groups/{seq}/end", summary="End a declared control", responses=PROPOSED)
    async def end(key: Caller, seq: _Seq, body: EndRequest) -> Applied:
        async with checks.checked() as connection:
            group = control_groups(await read_records(connection, CONTROL_TYPES)).get(seq)
            if group is None:
                raise ProblemError(404, "not_found", f"No control group has the number {seq}.")
            if group.ended is not None and not order_entry.is_repeat():
                ended_by = f"The control group {seq} was ended by command {group.ended.seq}."
                raise ProblemError(409, "already_decided", ended_by)
            ended = ControlEnded(declared_seq=seq, reason=body.reason, name=body.name)
            return Applied.by(await order_entry.record(key, ended))


def _measure_routes(router: APIRouter, state: VenueState, bans: Bans) -> None:
    @router.post(
        "/measures",
        status_code=201,
        summary="Impose a measure on accounts; an opening ban turns their kill switches on",
    )
    async def impose(key: Caller, body: MeasureRequest) -> Applied:
        accounts = _known(state, body.accounts)
        imposed = MeasureImposed(
            accounts=accounts,
            measure=body.measure,
            trading_date=_trading_date(state, body.trading_date),
            reason=body.reason,
            name=body.name,
        )
        return Applied.by(await bans.impose(key, imposed))

    @router.post(
        "/measures/{seq}/lift",
        summary="Lift a measure; the kill switches that an opening ban turned on go off, where no other ban holds them",
        responses=PROPOSED,
    )
    async def lift(key: Caller, seq: _Seq, body: EndRequest) -> Applied:
        lifted = MeasureLifted(imposed_seq=seq, reason=body.reason, name=body.name)
        return Applied.by(await bans.lift(key, lifted))


def _known(state: VenueState, accounts: Sequence[int]) -> tuple[int, ...]:
    """The accounts, ascending. Raises a 422 problem that names the first that is none, is the venue's own, or is repeated."""
    for place, account in enumerate(accounts):
        if account not in state.accounts or account == VENUE:
            raise field_problem("unknown_account", f"accounts.{place}", f"no member has the account {account}")
        if account in accounts[:place]:
            raise field_problem("validation_failed", f"accounts.{place}", f"names the account {account} a second time")
    return tuple(sorted(accounts))


def _trading_date(state: VenueState, text: str) -> int:
    try:
        found = int(f"{date.fromisoformat(text):%Y%m%d}")
    except ValueError as error:
        raise field_problem("validation_failed", "trading_date", f"{text} is no date") from error
    if found > state.trading_date:
        raise field_problem("validation_failed", "trading_date", "must not be after the venue's trading day")
    return found
