"""Administration over HTTP: accounts, keys, cash, inventory, fees. Each change is a journaled command. Scope: `admin`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from matching_engine.records import MAX_AMOUNT_FEN, MAX_QUANTITY_LOTS, VENUE
from services.commands.administrative import change_cash, change_inventory, open_account, record, set_fees
from services.commands.attachments import AccountText, KeyIssued, KeyRevoked
from services.decimals import rate_text
from services.gateway.http.account import account_json, known_account
from services.gateway.http.admin_schemas import (
    AccountOpened,
    AccountRequest,
    Applied,
    CashRequest,
    Fees,
    FeesRequest,
    InventoryRequest,
    KeyIssuedReply,
    KeyRequest,
)
from services.gateway.http.caller import Caller, needs
from services.gateway.ids import key_id_of, unknown_key_id
from services.gateway.order_entry.amounts import amount_fen, rate_ppm
from services.gateway.order_entry.order_command import instrument_of
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import field_problem
from services.gateway.schemas import Account
from services.venue_state.keys import key_hash, new_secret
from services.venue_state.state import VenueState


def routes(state: VenueState, order_entry: OrderEntry) -> APIRouter:
    """/v1/admin/… of administrators."""
    router = APIRouter(prefix="/v1/admin", dependencies=[needs("admin")])
    _account_routes(router, state, order_entry)
    _key_routes(router, state, order_entry)
    _fee_routes(router, state, order_entry)
    return router


def _account_routes(router: APIRouter, state: VenueState, order_entry: OrderEntry) -> None:
    tags: list[Any] = ["admin: accounts"]

    @router.post("/accounts", response_model=AccountOpened, status_code=201, tags=tags, summary="Open an account")
    async def open_new(key: Caller, body: AccountRequest) -> AccountOpened:
        if body.owner and body.owner not in state.accounts:
            raise field_problem("unknown_account", "owner", f"no account has the number {body.owner}")
        text = AccountText(name=body.name)
        event = await order_entry.execute(
            key, lambda sender: open_account(sender, text, body.owner, body.account_class)
        )
        return AccountOpened(account=event.account, name=body.name, seq=event.seq)

    @router.get("/accounts", response_model=list[Account], tags=tags, summary="List all accounts with their balances")
    async def list_accounts() -> JSONResponse:
        return JSONResponse([account_json(account, state) for _, account in sorted(state.accounts.items())])

    @router.post("/accounts/{account}/cash", response_model=Applied, tags=tags, summary="Deposit or withdraw cash")
    async def move_cash(key: Caller, account: int, body: CashRequest) -> Applied:
        number = known_account(state, account).account
        fen = amount_fen(body.amount, "amount", MAX_AMOUNT_FEN)
        event = await order_entry.execute(key, lambda sender: change_cash(sender, number, fen))
        return Applied(seq=event.seq)

    @router.post(
        "/accounts/{account}/inventory",
        response_model=Applied,
        tags=tags,
        summary="Receive or release lots",
    )
    async def move_inventory(key: Caller, account: int, body: InventoryRequest) -> Applied:
        number = known_account(state, account).account
        instrument = instrument_of(state, body.symbol)
        if not 0 < abs(body.quantity) <= MAX_QUANTITY_LOTS:
            raise field_problem("invalid_quantity", "quantity", f"must not be 0, and at most {MAX_QUANTITY_LOTS} lots")
        event = await order_entry.execute(
            key, lambda sender: change_inventory(sender, number, instrument.number, body.quantity)
        )
        return Applied(seq=event.seq)


def _key_routes(router: APIRouter, state: VenueState, order_entry: OrderEntry) -> None:
    tags: list[Any] = ["admin: keys"]

    @router.post("/keys", response_model=KeyIssuedReply, status_code=201, tags=tags, summary="Issue an API key")
    async def issue_key(key: Caller, body: KeyRequest) -> KeyIssuedReply:
        _check_binding(body, state)
        secret, scopes = new_secret(), tuple(dict.fromkeys(body.scopes))
        issued = KeyIssued(key_hash=key_hash(secret).hex(), account=body.account, name=body.name, scopes=scopes)
        event = await order_entry.execute(key, lambda sender: record(sender, issued))
        return KeyIssuedReply(
            key_id=str(event.seq),
            key=secret,
            account=body.account,
            name=body.name,
            scopes=list(scopes),
            seq=event.seq,
        )

    @router.delete("/keys/{key_id}", response_model=Applied, tags=tags, summary="Revoke an API key")
    async def revoke_key(key: Caller, key_id: str) -> Applied:
        number = key_id_of(key_id)
        if number not in state.key_hashes:
            raise unknown_key_id()
        event = await order_entry.execute(key, lambda sender: record(sender, KeyRevoked(key_id=number)))
        return Applied(seq=event.seq)


def _check_binding(body: KeyRequest, state: VenueState) -> None:
    if body.account and body.account not in state.accounts:
        raise field_problem("unknown_account", "account", f"no account has the number {body.account}")
    if "trade" in body.scopes and not body.account:
        raise field_problem("validation_failed", "account", "must not be 0: a key with `trade` is bound to an account")
    if "trade" in body.scopes and body.account == VENUE:
        raise field_problem("validation_failed", "account", "must not be the venue's own account, which does not trade")
    if body.account and ({"operate", "admin"} & set(body.scopes)):
        message = "must be 0: a key with `operate` or `admin` is bound to no account"
        raise field_problem("validation_failed", "account", message)


def _fee_routes(router: APIRouter, state: VenueState, order_entry: OrderEntry) -> None:
    tags: list[Any] = ["admin: fees"]

    @router.get("/fees", response_model=list[Fees], tags=tags, summary="List the fee rates of the account classes")
    async def list_fees() -> JSONResponse:
        return JSONResponse(
            [
                {"account_class": number, "maker_rate": rate_text(maker), "taker_rate": rate_text(taker)}
                for number, (maker, taker) in sorted(state.fees.items())
            ]
        )

    @router.put("/fees/{account_class}", response_model=Applied, tags=tags, summary="Set an account class's fee rates")
    async def change_fees(key: Caller, account_class: Annotated[int, Path(ge=0, le=255)], body: FeesRequest) -> Applied:
        maker_ppm, taker_ppm = rate_ppm(body.maker_rate, "maker_rate"), rate_ppm(body.taker_rate, "taker_rate")
        event = await order_entry.execute(
            key,
            lambda sender: set_fees(
                sender, maker_rate_ppm=maker_ppm, taker_rate_ppm=taker_ppm, account_class=account_class
            ),
        )
        return Applied(seq=event.seq)
