"""An account's balances over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.gateway.caller import AccountQuery, Caller, one_account
from services.gateway.instruments import yuan_text
from services.gateway.problems import ProblemError
from services.gateway.schemas import Account
from services.gateway.state import VenueState
from services.gateway.venue_accounts import VenueAccount


def routes(state: VenueState) -> APIRouter:
    """/v1/account"""
    router = APIRouter(tags=["account"])

    @router.get("/v1/account", response_model=Account, summary="Cash and inventory, what is reserved and what is left")
    async def read_account(key: Caller, account: AccountQuery = None) -> JSONResponse:
        return JSONResponse(account_json(known_account(state, one_account(key, account)), state))

    return router


def known_account(state: VenueState, number: int) -> VenueAccount:
    """An account that is open; a 404 problem for any other number."""
    account = state.accounts.get(number)
    if account is None:
        raise ProblemError(404, "unknown_account", f"No account has the number {number}.")
    return account


def account_json(account: VenueAccount, state: VenueState) -> dict[str, Any]:
    """`schemas.Account` as a dict: instruments in their order, empty holdings left out."""
    holdings = [
        {
            "symbol": state.instruments[instrument].symbol,
            "quantity": held.lots,
            "reserved": held.reserved_lots,
            "available": held.lots - held.reserved_lots,
        }
        for instrument, held in sorted(account.holdings.items())
        if held.lots
    ]
    return {
        "account": account.account,
        "name": account.name,
        "cash": yuan_text(account.cash_fen),
        "reserved": yuan_text(account.reserved_fen),
        "available": yuan_text(account.cash_fen - account.reserved_fen),
        "holdings": holdings,
        "seq": state.last_seq,
    }
