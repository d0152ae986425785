"""Administration over HTTP: accounts, keys, cash, inventory, fees. Each change is a journaled command. Scope: `admin`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from pydantic import Field

from matching_engine.records import MAX_AMOUNT_FEN, MAX_QUANTITY_LOTS
from services.commands.administrative import change_cash, change_inventory, open_account, set_fees
from services.commands.attachments import AccountText
from services.data.instruments import Symbol
from services.gateway.http.account import Account, account_json, known_account
from services.gateway.http.act_schemas import PROPOSED, AccountNumber, Applied, Name
from services.gateway.http.admin_keys import add_key_routes
from services.gateway.http.caller import AccountPath, Caller, needs
from services.gateway.limits.rate_limits import RateLimits
from services.gateway.order_entry.order_command import amount_fen, instrument_of, rate_ppm
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import field_problem
from services.gateway.schemas import NextCursor, RateText, Reply, Request, SignedAmountText, SignedQuantity, example
from services.values.cursors import Cursors
from services.values.decimals import rate_text
from services.values.page_parameters import Cursor, Limit
from services.venue_state.state import VenueState


class AccountsPage(Reply):
    """A page of accounts, oldest first."""

    accounts: list[Account]
    next_cursor: NextCursor


class AccountRequest(Request):
    """A new account."""

    model_config = example(name="Baotou Magnet Works", owner=0)

    name: Name
    owner: AccountNumber = Field(
        default=0,
        description="An account of the same owner: accounts of one owner never trade with each other. 0: no group.",
    )
    account_class: int = Field(
        default=0, ge=0, le=255, description="The account class, which determines the fee rates."
    )


class AccountOpened(Reply):
    """The new account's number."""

    account: int
    name: str
    seq: int


class CashRequest(Request):
    """A deposit, or a withdrawal where the amount is negative."""

    model_config = example(amount="2500000.00")

    amount: SignedAmountText = Field(
        description="Yuan, in whole fen (0.01). Not 0; at most 100000000000000.00 in or out."
    )


class InventoryRequest(Request):
    """A receipt of lots, or a release where the quantity is negative."""

    model_config = example(symbol="PRND-OX", quantity=120)

    symbol: Symbol = Field(description="Symbol of a listed instrument.")
    quantity: SignedQuantity = Field(description="Whole lots. Not 0.")


class FeesRequest(Request):
    """Fee rates of an account class, as fractions of a trade's value: 0.0005 is 0.05 %. They hold from now on."""

    model_config = example(maker_rate="0.0003", taker_rate="0.0005")

    maker_rate: RateText = Field(description="From 0 to 0.999999, at most six decimals.")
    taker_rate: RateText = Field(description="From 0 to 0.999999, at most six decimals.")


class Fees(Reply):
    """Fee rates of an account class, as fractions of a trade's value."""

    account_class: int
    maker_rate: str
    taker_rate: str


_CURSORS = Cursors("accounts")


def routes(
    state: VenueState, order_entry: OrderEntry, limits: RateLimits, clock: Callable[[], int]
) -> Iterator[APIRouter]:
    """/v1/admin/… of administrators."""
    router = APIRouter(prefix="/v1/admin", dependencies=[needs("admin")])
    _account_routes(router, state, order_entry)
    add_key_routes(router, state, order_entry, limits, clock)
    _fee_routes(router, state, order_entry)
    yield router
    yield _list_of_accounts(state)


def _list_of_accounts(state: VenueState) -> APIRouter:
    """Operators list the accounts, too: they may read each."""
    router = APIRouter(prefix="/v1/admin", tags=["admin: accounts"], dependencies=[needs("operate", "admin")])

    @router.get("/accounts", response_model=AccountsPage, summary="List the accounts with their balances, oldest first")
    async def list_accounts(limit: Limit = 100, cursor: Cursor = None) -> JSONResponse:
        numbers, following = _CURSORS.page(state.accounts, limit, cursor)
        page = [account_json(state.accounts[number], state) for number in numbers]
        return JSONResponse({"accounts": page, "next_cursor": following})

    return router


def _account_routes(router: APIRouter, state: VenueState, order_entry: OrderEntry) -> None:
    tags: list[Any] = ["admin: accounts"]

    @router.post("/accounts", status_code=201, tags=tags, summary="Open an account", responses=PROPOSED)
    async def open_new(key: Caller, body: AccountRequest) -> AccountOpened:
        if body.owner and body.owner not in state.accounts:
            raise field_problem("unknown_account", "owner", f"no account has the number {body.owner}")
        text = AccountText(name=body.name)
        event = await order_entry.execute(key, open_account, text, body.owner, body.account_class)
        return AccountOpened(account=event.account, name=body.name, seq=event.seq)

    @router.post("/accounts/{account}/cash", tags=tags, summary="Deposit or withdraw cash", responses=PROPOSED)
    async def move_cash(key: Caller, account: AccountPath, body: CashRequest) -> Applied:
        number = known_account(state, account).account
        fen = amount_fen(body.amount, "amount", MAX_AMOUNT_FEN)
        return Applied.by(await order_entry.execute(key, change_cash, number, fen))

    @router.post("/accounts/{account}/inventory", tags=tags, summary="Receive or release lots", responses=PROPOSED)
    async def move_inventory(key: Caller, account: AccountPath, body: InventoryRequest) -> Applied:
        number = known_account(state, account).account
        instrument = instrument_of(state, body.symbol)
        if not 0 < abs(body.quantity) <= MAX_QUANTITY_LOTS:
            raise field_problem("invalid_quantity", "quantity", f"must not be 0, and at most {MAX_QUANTITY_LOTS} lots")
        return Applied.by(await order_entry.execute(key, change_inventory, number, instrument.number, body.quantity))


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

    @router.put("/fees/{account_class}", tags=tags, summary="Set an account class's fee rates", responses=PROPOSED)
    async def change_fees(key: Caller, account_class: Annotated[int, Path(ge=0, le=255)], body: FeesRequest) -> Applied:
        maker_ppm, taker_ppm = rate_ppm(body.maker_rate, "maker_rate"), rate_ppm(body.taker_rate, "taker_rate")
        return Applied.by(
            await order_entry.execute(
                key, set_fees, maker_rate_ppm=maker_ppm, taker_rate_ppm=taker_ppm, account_class=account_class
            )
        )
