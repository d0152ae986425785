"""The log of what operators and administrators did, from the read database. Scopes: `operate` or `admin`."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy import ColumnElement, Select, func, or_, select

from matching_engine.records import ALL_INSTRUMENTS, BOTH_SIDES, Phase, Side
from services.gateway.http.caller import needs
from services.gateway.order_entry.history import Past
from services.gateway.order_entry.order_command import time_s
from services.gateway.schemas import Reply, TimeText
from services.read_model.page_size import fitting
from services.read_model.proposals import Proposal, read_confirmed
from services.read_model.tables import actions, api_keys
from services.read_model.targets import amount_text
from services.values.cursors import Cursors
from services.values.decimals import rate_text, yuan_text
from services.values.page_parameters import Cursor, Limit
from services.values.times import date_text, time_text
from services.venue_state.state import VenueState
from services.venue_state.users import login_name

OF_A_PERSON = frozenset(
    {
        "trades_decided", "alert_acknowledged", "control_declared", "control_ended", "measure_imposed", "measure_lifted",
        "context_stated", "halt", "list_instrument", "change_instrument", "delist_instrument",
    }
)  # fmt: skip
"""Kinds whose field `name` is that of the person."""

_CURSORS = Cursors("admin log")
_REASONS = ("reason", "why", "note")
"""Fields that say why, by kind."""

_NAMES = {
    "max_order_lots": "max_order_quantity",
    "max_order_fen": "max_order_value",
    "max_day_fen": "max_day_turnover",
    "band_ppm": "band_rate",
    "collar_ppm": "collar_rate",
    "auction_s": "auction_seconds",
    "instrument": "symbol",
    "alert": "alert_id",
    "imposed_seq": "measure_id",
    "declared_seq": "control_group",
    "date": "trading_date",
}
"""Fields whose name in a request is not the command's without the unit."""
_NO_LIMIT_IS_ZERO = frozenset({"max_order_lots", "max_order_fen", "max_open_orders", "max_day_fen"})
_IDS = frozenset({"trade_id", "order_id", "key_id", "user_id", "alert_id", "measure_id", "control_group"})
_UNITS = ("_fen", "_lots", "_ppm", "_ns")

Who = Annotated[str | None, Query(max_length=80, description="Only of this key or user: the id or the name.")]
Kind = Annotated[str | None, Query(max_length=32, description="Only of this kind, such as `deposit` or `key_issued`.")]
Start = Annotated[TimeText | None, Query(description="Not before this time (RFC 3339 with a zone, whole seconds).")]
End = Annotated[TimeText | None, Query(description="Before this time.")]
Order = Annotated[Literal["newest", "oldest"], Query(description="Which comes first.")]


class Action(Reply):
    """A command of an operator or administrator that the venue carried out."""

    seq: int
    time: str
    key_id: str = Field(description="The key, or the user who was logged in.")
    key_name: str | None = Field(description="null: it was a user.")
    person: str | None = Field(description="The user; with a key who decided, where the command names a person.")
    kind: str
    fields: dict[str, Any] = Field(
        description="The fields of the command, named as its request names them, and the `reason` of the header Rex-Why: no "
        "secret, and no hash of one. A limit that is null is none."
    )
    why: str | None = Field(
        description="The reason that the act itself has, else that of the header Rex-Why, else that of its proposal."
    )
    proposal: int | None = Field(
        description="The proposal that it carries out; null: one person acted (docs/operators.md)."
    )
    proposed_by: str | None = Field(description="Who proposed it: the name of the user or key.")


class Log(Reply):
    """A page of the log."""

    actions: list[Action]
    next_cursor: str | None


class ActionLog:
    """The table `actions` as the API shows it."""

    def __init__(self, state: VenueState, past: Past) -> None:
        self._state = state
        self._past = past

    async def page(
        self, conditions: list[ColumnElement[bool]], *, newest: bool, limit: int
    ) -> tuple[list[dict[str, Any]], bool]:
        """Up to `limit` actions, and whether there may be more. It includes all that this gateway has answered.

        A page has texts of MOST_CHARACTERS together, or one action: that of a proposal has the body of its request.
        """
        key = api_keys.c
        of_operators = or_(actions.c.kind != "mass_cancel", key.account == 0)

        def chosen(*columns: Any) -> Select[Any]:
            by_key = select(*columns).join(api_keys, key.key_id == actions.c.actor, isouter=True)
            order = actions.c.seq.desc() if newest else actions.c.seq
            return by_key.where(of_operators, *conditions).order_by(order)

        async with self._past.connection() as connection:
            sizes = (await connection.scalars(chosen(func.length(actions.c.text)).limit(limit))).all()
            fit = fitting(sizes)
            query = chosen(actions, key.name.label("key_name")).limit(fit)
            rows = (await connection.execute(query)).mappings().all()
            confirmed = await read_confirmed(connection, {row["seq"] for row in rows})
        page = [self._json(row, confirmed.get(row["seq"])) for row in rows]
        return page, fit < len(sizes) or len(sizes) == limit

    def user_ids(self, name: str) -> list[int]:
        """The ids of the users with this name, also of those who were removed and had it before."""
        sought = login_name(name)
        return [user_id for user_id, known in self._state.users.names.items() if login_name(known) == sought]

    def _json(self, row: Any, proposal: Proposal | None) -> dict[str, Any]:
        fields = json.loads(row["text"])
        # Of a proposal the name is what the proposer typed, not who has confirmed it.
        said = fields.get("name") if row["kind"] in OF_A_PERSON and proposal is None else None
        own = next((fields[name] for name in _REASONS if fields.get(name)), None)
        if row["kind"] == "target_set":
            fields["amount"] = amount_text(fields["metric"], fields["amount"])
        if "reference_ticks" in fields:
            listed = self._state.instruments[fields["instrument"]]
            fields["reference_price"] = listed.price_text(fields.pop("reference_ticks"))
        return {
            "seq": row["seq"],
            "time": time_text(row["time_ns"]),
            "key_id": str(row["actor"]),
            "key_name": row["key_name"],
            "person": self._state.users.names.get(row["actor"], said),
            "kind": row["kind"],
            "fields": dict(self._field(name, value) for name, value in fields.items()),
            "why": own or (proposal and proposal.row["why"]) or None,
            "proposal": proposal and proposal.row["seq"],
            "proposed_by": proposal and self._state.name_of(proposal.row["actor"], proposal.key_name),
        }

    def _field(self, name: str, value: Any) -> tuple[str, Any]:
        """A field of a command as the API writes it: symbols, yuan, lots and rates, names instead of numbers."""
        called = field_name(name)
        match called:
            case _ if name in _NO_LIMIT_IS_ZERO and not value:
                return called, None
            case "symbol" if name == "instrument":
                return called, "*" if value == ALL_INSTRUMENTS else self._state.instruments[value].symbol
            case "side":
                return called, None if value == BOTH_SIDES else Side(value).name.lower()
            case "phase":
                return called, Phase(value).name.lower()
            case "trading_date":
                return called, date_text(value)
            case "expires":
                return called, time_text(value) if value else None
            case "trade_ids":
                return called, [str(trade_id) for trade_id in value]
            case _ if called in _IDS:
                return called, str(value)
            case _ if name.endswith("_fen"):
                return called, yuan_text(value)
            case _ if name.endswith("_ppm"):
                return called, rate_text(value)
            case _:
                return called, value


def field_name(name: str) -> str:
    """What the API calls a field of a command."""
    unit = next((unit for unit in _UNITS if name.endswith(unit)), "")
    return _NAMES.get(name, name.removesuffix(unit))


def routes(log: ActionLog) -> APIRouter:
    """/v1/admin/log."""
    router = APIRouter(prefix="/v1/admin", tags=["operate"], dependencies=[needs("operate", "admin")])

    @router.get("/log", response_model=Log, summary="List what operators and administrators did")
    async def read_log(
        who: Who = None,
        kind: Kind = None,
        start: Start = None,
        end: End = None,
        order: Order = "newest",
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        newest, table = order == "newest", actions.c
        conditions: list[ColumnElement[bool]] = []
        if cursor is not None:
            last_seq = _CURSORS.id_of(cursor)
            conditions.append(table.seq < last_seq if newest else table.seq > last_seq)
        if who is not None:
            name = or_(api_keys.c.name == who, table.actor.in_(log.user_ids(who)))
            conditions.append(or_(table.actor == int(who), name) if _is_id(who) else name)
        if kind is not None:
            conditions.append(table.kind == kind)
        if start is not None:
            conditions.append(table.time_ns >= time_s(start, "start") * 10**9)
        if end is not None:
            conditions.append(table.time_ns < time_s(end, "end") * 10**9)
        page, is_more = await log.page(conditions, newest=newest, limit=limit)
        following = _CURSORS.text(page[-1]["seq"]) if is_more else None
        return JSONResponse({"actions": page, "next_cursor": following})

    return router


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
