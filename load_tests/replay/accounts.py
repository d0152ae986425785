"""Accounts of a load test: opened, funded and given keys through the admin API; and how orders are spread over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple
from zlib import crc32

from load_tests.flows.flow_message import FlowInstrument, FlowMessage
from load_tests.replay.verdict import fen
from services.client import RexClient

EITHER_SIDE_ONE_IN = 32
FEE_MARGIN_PERCENT = 1
"""Far above any fee of ours: a buy reserves its fee, too."""


@dataclass
class Funding:
    """What an account gets before the flow begins."""

    cash_fen: int = 0
    lots: Counter[str] = field(default_factory=Counter)


class TradingAccount(NamedTuple):
    """An account that is ready to trade, and its key."""

    account: int
    key_id: str
    key: str


def place_of(message: FlowMessage, accounts: int) -> int:
    """Which account an order belongs to; its cancel goes to the same one.

    Buyers and sellers are mostly different accounts, so that an account seldom meets itself; one order in 32 goes to any, so
    that it does happen.
    """
    number = crc32(message.client_order_id.encode())
    if number % EITHER_SIDE_ONE_IN == 0:
        return number // EITHER_SIDE_ONE_IN % accounts
    buyers = accounts // 2
    place = number // EITHER_SIDE_ONE_IN
    return place % buyers if message.side == "buy" else buyers + place % (accounts - buyers)


def funding_of(
    messages: Sequence[FlowMessage], instruments: Mapping[str, FlowInstrument], accounts: int
) -> list[Funding]:
    """Enough for each account to have all its orders and amends open at once: none is declined for want of funds."""
    fundings = [Funding() for _ in range(accounts)]
    for message in messages:
        if message.action == "cancel":
            continue
        funding, instrument = fundings[place_of(message, accounts)], instruments[message.symbol]
        if message.side == "sell":
            funding.lots[message.symbol] += message.quantity
        else:
            price = Decimal(message.price) if message.price else instrument.upper_limit
            value_fen = fen(str(instrument.lot_value(price)))
            funding.cash_fen += message.quantity * (value_fen + value_fen * FEE_MARGIN_PERCENT // 100 + 1)
    return fundings


async def read_instruments(operator: RexClient) -> dict[str, FlowInstrument]:
    """What the venue lists, by symbol."""
    return {entry["symbol"]: FlowInstrument.from_api(entry) for entry in await operator.instruments()}


async def open_accounts(operator: RexClient, wanted: Mapping[str, Funding]) -> list[TradingAccount]:
    """The accounts of these names, funded and with a key each.

    An account of a name that is there already is used again and gets what it lacks, so a call whose reply was lost can be
    repeated. Needs a key with `admin`.
    """
    present = {account["name"]: account for account in await operator.accounts()}
    opened = []
    for name, funding in wanted.items():
        known = present.get(name)
        account = known["account"] if known else (await operator.open_account(name))["account"]
        held = Counter({held["symbol"]: held["quantity"] for held in known["holdings"]} if known else {})
        missing_fen = funding.cash_fen - (fen(known["cash"]) if known else 0)
        if missing_fen > 0:
            await operator.change_cash(account, f"{missing_fen // 100}.{missing_fen % 100:02d}")
        for symbol, lots in (funding.lots - held).items():
            await operator.change_inventory(account, symbol, lots)
        issued = await operator.issue_key(name, ["read", "trade"], account=account)
        opened.append(TradingAccount(account, issued["key_id"], issued["key"]))
    return opened


async def revoke_keys(operator: RexClient, accounts: Sequence[TradingAccount]) -> None:
    """Their keys are refused from now on; the accounts and what they hold remain."""
    for account in accounts:
        await operator.revoke_key(account.key_id)
