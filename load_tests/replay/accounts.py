"""The accounts of a load test: opened, funded and given keys through the admin API; and the distribution of orders over
them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple
from zlib import crc32

from rex_client import RexClient, pages

from load_tests.flows.flow_message import Flow, FlowInstrument, FlowMessage
from load_tests.replay.verdict import fen

EITHER_SIDE_ONE_IN = 32
FEE_MARGIN_PERCENT = 1
"""Added to the funding of a buy, which reserves its fee, too; far above the venue's fees."""


FAR_LIMITS = {name: {"per_s": 1_000_000, "burst": 1_000_000} for name in ("orders", "cancels", "reads")}
"""Rate limits that a load test never reaches: the venue counts as for a member, and refuses nothing."""


@dataclass
class Funding:
    """The cash and the lots, by symbol, that an account gets before the flow begins."""

    cash_fen: int = 0
    lots: Counter[str] = field(default_factory=Counter)


class TradingAccount(NamedTuple):
    """The number of an account that is ready to trade, and its key."""

    account: int
    key_id: str
    key: str


def account_index(message: FlowMessage, accounts: int) -> int:
    """The index, from 0, of the account that sends this message; an order's amends and cancels have the same index.

    Most buyers and sellers are different accounts, so that self-trades are rare; one order in EITHER_SIDE_ONE_IN goes to any
    account, so that they occur.
    """
    number = crc32(message.client_order_id.encode())
    if number % EITHER_SIDE_ONE_IN == 0:
        return number // EITHER_SIDE_ONE_IN % accounts
    buyers = accounts // 2
    index = number // EITHER_SIDE_ONE_IN
    return index % buyers if message.side == "buy" else buyers + index % (accounts - buyers)


@dataclass(frozen=True)
class Senders:
    """Who sends a flow: `names`, and the index among them of a message's sender."""

    names: tuple[str, ...]
    index: Callable[[FlowMessage], int]

    @classmethod
    def of(cls, flow: Flow, accounts: int) -> Senders:
        """The members of the flow that send an order of it; so many accounts if it has no members."""
        if not flow.members:
            return cls(
                tuple(f"account {number}" for number in range(1, accounts + 1)),
                lambda message: account_index(message, accounts),
            )
        sending = {flow.members[message.client_order_id] for message in flow.messages}
        names = tuple(sorted(sending))
        numbers = {name: number for number, name in enumerate(names)}
        return cls(names, lambda message: numbers[flow.members[message.client_order_id]])


def funding_of(
    messages: Sequence[FlowMessage], instruments: Mapping[str, FlowInstrument], senders: Senders
) -> list[Funding]:
    """The funding with which each account can have all its orders and amends open at once, so that none lacks funds."""
    fundings = [Funding() for _ in senders.names]
    for message in messages:
        if message.action == "cancel":
            continue
        funding, instrument = fundings[senders.index(message)], instruments[message.symbol]
        if message.side == "sell":
            funding.lots[message.symbol] += message.quantity
        else:
            price = Decimal(message.price) if message.price else instrument.upper_limit
            value_fen = fen(str(instrument.lot_value(price)))
            funding.cash_fen += message.quantity * (value_fen + value_fen * FEE_MARGIN_PERCENT // 100 + 1)
    return fundings


async def read_instruments(operator: RexClient) -> dict[str, FlowInstrument]:
    """The venue's instruments, by symbol."""
    return {entry["symbol"]: FlowInstrument.from_api(entry) for entry in await operator.instruments()}


async def open_accounts(operator: RexClient, wanted: Mapping[str, Funding]) -> list[TradingAccount]:
    """Opens an account for each name in `wanted`, funds it and issues a key. `operator` needs a key with `admin`.

    An account that exists under the name is used again and gets only the missing funds, so the call can be repeated after a
    lost reply.
    """
    present = {
        account["name"]: account async for page in pages(operator.accounts, limit=500) for account in page["accounts"]
    }
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
        issued = await operator.issue_key(name, ["read", "trade"], account=account, limits=FAR_LIMITS)
        opened.append(TradingAccount(account, issued["key_id"], issued["key"]))
    return opened


async def revoke_keys(operator: RexClient, accounts: Sequence[TradingAccount]) -> None:
    """Revokes the keys of these accounts. The accounts and their holdings remain."""
    for account in accounts:
        await operator.revoke_key(account.key_id)
