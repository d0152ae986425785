"""One account's balances, limits and kill switch over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field

from services.gateway.http.caller import AccountQuery, Caller, needs, one_account
from services.gateway.problems import ProblemError
from services.gateway.replies.fills import cash_json, holding_json
from services.gateway.schemas import Reply
from services.values.decimals import rate_text, yuan_text
from services.venue_state.accounts import VenueAccount
from services.venue_state.state import FeeRates, VenueState


class Holding(Reply):
    """Lots of one instrument in an account. `available` = `quantity` − `reserved`."""

    symbol: str
    quantity: int
    reserved: int = Field(description="Lots reserved for open sell orders.")
    available: int


class AccountLimits(Reply):
    """Limits of an account. Null: no limit."""

    max_order_quantity: int | None = Field(description="Lots of one order.")
    max_order_value: str | None = Field(description="Value of one order in yuan.")
    max_open_orders: int | None
    max_day_turnover: str | None = Field(description="Yuan bought and sold in one trading day.")


class Account(Reply):
    """An account's balances, limits and switches. `available` = `cash` − `reserved`."""

    account: int
    name: str
    cash: str = Field(description="Yuan.")
    reserved: str = Field(description="Yuan reserved for open buy orders and their highest possible fees.")
    available: str = Field(description="Yuan.")
    holdings: list[Holding]
    seq: int
    owner: int = Field(
        description="Owner group: accounts of the same owner never trade with each other. The account's own number: no group."
    )
    account_class: int = Field(description="The account class, which determines the fee rates.")
    maker_rate: str = Field(description="Fee rate of the account class as a fraction: 0.0005 is 0.05 %.")
    taker_rate: str = Field(description="Fee rate of the account class as a fraction: 0.0005 is 0.05 %.")
    limits: AccountLimits
    open_orders: int
    day_turnover: str = Field(description="Yuan bought and sold on this trading day, without busted trades.")
    kill_switch: bool = Field(description="True: the account's orders and amends are refused; cancels are accepted.")


def routes(state: VenueState) -> APIRouter:
    """/v1/account"""
    router = APIRouter(tags=["account"], dependencies=[needs("read")])

    @router.get("/v1/account", response_model=Account, summary="Read an account: cash, holdings, limits")
    async def read_account(key: Caller, account: AccountQuery = None) -> JSONResponse:
        return JSONResponse(account_json(known_account(state, one_account(key, account)), state))

    return router


def known_account(state: VenueState, number: int) -> VenueAccount:
    """The account with this number; raises a 404 problem where there is none."""
    account = state.accounts.get(number)
    if account is None:
        raise ProblemError(404, "unknown_account", f"No account has the number {number}.")
    return account


def account_json(account: VenueAccount, state: VenueState) -> dict[str, Any]:
    """`Account` as a dict: holdings in the order of the instruments, without empty ones."""
    holdings = [
        holding_json(state.instruments[instrument], held.lots, held.reserved_lots)
        for instrument, held in sorted(account.holdings.items())
        if held.lots
    ]
    fees = state.fees.get(account.account_class, FeeRates())
    return {
        "account": account.account,
        "name": account.name,
        **cash_json(account.cash_fen, account.reserved_fen),
        "holdings": holdings,
        "seq": state.last_seq,
        "owner": account.owner,
        "account_class": account.account_class,
        "maker_rate": rate_text(fees.maker_rate_ppm),
        "taker_rate": rate_text(fees.taker_rate_ppm),
        "limits": {
            "max_order_quantity": account.max_order_lots or None,
            "max_order_value": yuan_text(account.max_order_fen) if account.max_order_fen else None,
            "max_open_orders": account.max_open_orders or None,
            "max_day_turnover": yuan_text(account.max_day_fen) if account.max_day_fen else None,
        },
        "open_orders": account.open_orders,
        "day_turnover": yuan_text(account.day_fen),
        "kill_switch": account.kill_switch,
    }
