"""The verdict on a replay: do the venue's replies, records and turnover report agree with each other and with the messages
sent?

This module does no I/O: it compares the messages sent with the answers of the venue's public API afterwards. Each check has a
name, the expected and the actual; the verdict is green only when all checks hold. Money is in whole fen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

OPEN_STATES = frozenset({"new", "partially_filled"})
FINAL_STATES = frozenset({"filled", "canceled", "rejected", "expired"})
_EXAMPLES = 3


class SentOrder(NamedTuple):
    """An order as it was sent."""

    client_order_id: str
    symbol: str
    side: str
    quantity: int


class Terms(NamedTuple):
    """Price (yuan; empty: none) and quantity (lots) that an order was sent or amended with."""

    price: str
    quantity: int


class Check(NamedTuple):
    """One condition of the verdict, with the expected and the actual in words."""

    name: str
    holds: bool
    expected: str
    actual: str


@dataclass
class AccountRecord:
    """One account of the replay: the messages sent, and the venue's records. Orders and fills are JSON as in docs/api.md."""

    account: int
    sent: list[SentOrder] = field(default_factory=list)
    refused: Collection[str] = ()
    """client_order_ids of the orders refused with a 4xx: the venue has no such orders."""
    acknowledged: Mapping[str, str] = field(default_factory=dict)
    """client_order_id → order_id in the reply."""
    amends: dict[str, list[Terms]] = field(default_factory=dict)
    """client_order_id → all terms that the order was sent or amended with, carried out or not."""
    amended: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """client_order_id → price and quantity after the last amend that was carried out, if known."""
    unexpected: Sequence[str] = ()
    """Descriptions of replies that a correct venue never gives."""
    orders: list[Mapping[str, Any]] = field(default_factory=list)
    fills: list[Mapping[str, Any]] = field(default_factory=list)
    before: Mapping[str, Any] = field(default_factory=dict)
    """The answer of `GET /v1/account` after funding."""
    after: Mapping[str, Any] = field(default_factory=dict)
    """The answer of `GET /v1/account` after the replay."""


class TurnoverMove(NamedTuple):
    """The turnover report's net turnover at two sequence numbers, in fen."""

    first_seq: int
    last_seq: int
    before_fen: int
    after_fen: int
    range_fen: int
    """The sum in the report on the range between them."""
    range_trades: int


def fen(yuan: str) -> int:
    """Converts a decimal string in yuan to fen. Raises ValueError for a fraction of a fen."""
    scaled = Decimal(yuan) * 100
    if scaled != int(scaled):
        raise ValueError(f"{yuan} yuan is not a whole number of fen")
    return int(scaled)


def replay_checks(
    accounts: Sequence[AccountRecord], turnover: TurnoverMove, lot_sizes: Mapping[str, int]
) -> list[Check]:
    """All checks, in the order in which to read them. `lot_sizes`: units in a lot, by symbol."""
    return [
        _no_faults(
            "orders_as_sent", "every order sent stands once in the venue, as it was sent", _not_as_sent(accounts)
        ),
        _no_faults(
            "replies",
            "every message got its reply; orders have the ids they were acknowledged with and the terms they were amended to",
            _replies_off(accounts),
        ),
        _no_faults("one_state", "every order is either open or final", _without_state(accounts)),
        _no_faults("quantities", "quantity = filled + open + canceled, in every order", _quantities_off(accounts)),
        _no_faults("fills_of_orders", "every order's filled quantity and fees are its fills'", _fills_off(accounts)),
        _no_faults("prices", "no fill is worse than its order's limit", _beyond_limit(accounts)),
        _no_faults("amounts", "amount = price × lot size × quantity, in every fill", _amounts_off(accounts, lot_sizes)),
        _traded_on_both_sides(accounts),
        _sides_agree(accounts),
        _no_faults("trades", "every trade has one buyer and one seller, at one price", _trades_off(accounts)),
        _no_faults("cash", "cash = funding + sales − purchases − fees, in every account", _cash_off(accounts)),
        _no_faults("inventory", "lots = funding + bought − sold, in every account and instrument", _lots_off(accounts)),
        _no_faults("reserves", "only open orders hold reserves", _reserves_off(accounts)),
        *_turnover_moved(accounts, turnover),
    ]


def is_green(checks: Sequence[Check]) -> bool:
    """Whether all checks hold."""
    return all(check.holds for check in checks)


def _no_faults(name: str, expected: str, faults: Iterator[str]) -> Check:
    found = list(faults)
    if not found:
        return Check(name, True, expected, "so it is")
    more = f" … and {len(found) - _EXAMPLES} more" if len(found) > _EXAMPLES else ""
    return Check(name, False, expected, "; ".join(found[:_EXAMPLES]) + more)


def _not_as_sent(accounts: Sequence[AccountRecord]) -> Iterator[str]:
    for record in accounts:
        found: dict[str, list[SentOrder]] = {}
        for order in record.orders:
            as_found = SentOrder(order["client_order_id"] or "", order["symbol"], order["side"], order["quantity"])
            found.setdefault(as_found.client_order_id, []).append(as_found)
        for sent in record.sent:
            same_id = found.pop(sent.client_order_id, [])
            quantities = {terms.quantity for terms in record.amends.get(sent.client_order_id, ())} | {sent.quantity}
            expected = [] if sent.client_order_id in record.refused else [sent]
            if [order._replace(quantity=sent.quantity) for order in same_id] != expected or any(
                order.quantity not in quantities for order in same_id
            ):
                yield f"account {record.account}: sent {sent}, found {same_id}"
        for client_order_id in found:
            yield f"account {record.account}: order {client_order_id!r} was never sent"


def _replies_off(accounts: Sequence[AccountRecord]) -> Iterator[str]:
    for record in accounts:
        yield from (f"account {record.account}: {text}" for text in record.unexpected)
        ids = {order["client_order_id"]: order["order_id"] for order in record.orders}
        for sent in record.sent:
            acknowledged = record.acknowledged.get(sent.client_order_id)
            if acknowledged is None and sent.client_order_id not in record.refused:
                yield f"account {record.account}: order {sent.client_order_id!r} was never answered"
            elif acknowledged is not None and acknowledged != ids.get(sent.client_order_id):
                yield f"account {record.account}: order {acknowledged} was acknowledged and is not there"
        for order in record.orders:
            amended = record.amended.get(order["client_order_id"])
            if amended is not None and amended != (order["price"], order["quantity"]):
                yield f"order {order['order_id']} was amended to {amended}, found {order['price']} × {order['quantity']}"


def _without_state(accounts: Sequence[AccountRecord]) -> Iterator[str]:
    for record in accounts:
        for order in record.orders:
            is_open = order["leaves_qty"] > 0
            if order["state"] not in (OPEN_STATES if is_open else FINAL_STATES):
                yield f"order {order['order_id']} is {order['state']} with {order['leaves_qty']} lots open"


def _quantities_off(accounts: Sequence[AccountRecord]) -> Iterator[str]:
    for record in accounts:
        for order in record.orders:
            quantity, leaves, filled = order["quantity"], order["leaves_qty"], order["cum_qty"]
            holds = {
                "new": filled == 0 and leaves == quantity,
                "partially_filled": filled > 0 and leaves > 0 and filled + leaves == quantity,
                "filled": filled == quantity and leaves == 0,
                "rejected": filled == 0 and leaves == 0,
            }.get(order["state"], 0 <= filled < quantity and leaves == 0)
            if not holds:
                yield f"order {order['order_id']} is {order['state']}: {quantity} ordered, {filled} filled, {leaves} open"


def _fills_by_order(record: AccountRecord) -> dict[str, list[Mapping[str, Any]]]:
    fills: dict[str, list[Mapping[str, Any]]] = {}
    for fill in record.fills:
        fills.setdefault(fill["order_id"], []).append(fill)
    return fills


def _fills_off(accounts: Sequence[AccountRecord]) -> Iterator[str]:
    for record in accounts:
        fills_of = _fills_by_order(record)
        known = {order["order_id"]: order for order in record.orders}
        for order_id in fills_of.keys() - known.keys():
            yield f"account {record.account}: fills of an order {order_id} it does not have"
        for order_id, order in known.items():
            fills = fills_of.get(order_id, [])
            lots = sum(fill["quantity"] for fill in fills)
            if lots != order["cum_qty"]:
                yield f"order {order_id}: {order['cum_qty']} filled, its fills have {lots}"
            fees_fen = sum(fen(fill["fee"]) for fill in fills)
            if fees_fen != fen(order["fees"]):
                yield f"order {order_id}: fees {order['fees']}, its fills have {fees_fen} fen"
            if any((fill["symbol"], fill["side"]) != (order["symbol"], order["side"]) for fill in fills):
                yield f"order {order_id}: a fill of another instrument or side"


def _beyond_limit(accounts: Sequence[AccountRecord]) -> Iterator[str]:
    for record in accounts:
        limits = {order["order_id"]: _limit(record, order) for order in record.orders if order["price"] is not None}
        for fill in record.fills:
            limit, price = limits.get(fill["order_id"]), Decimal(fill["price"])
            if limit is not None and (price > limit if fill["side"] == "buy" else price < limit):
                yield f"trade {fill['trade_id']}: {fill['side']} at {price}, the limit is {limit}"


def _limit(record: AccountRecord, order: Mapping[str, Any]) -> Decimal:
    """The order's limit price; of an amended order the widest limit that it ever had."""
    amends = record.amends.get(order["client_order_id"], ())
    prices = [Decimal(order["price"]), *(Decimal(terms.price) for terms in amends if terms.price)]
    return max(prices) if order["side"] == "buy" else min(prices)


def _amounts_off(accounts: Sequence[AccountRecord], lot_sizes: Mapping[str, int]) -> Iterator[str]:
    for record in accounts:
        for fill in record.fills:
            amount = Decimal(fill["price"]) * lot_sizes[fill["symbol"]] * fill["quantity"]
            if Decimal(fill["amount"]) != amount:
                yield f"trade {fill['trade_id']}: {fill['amount']} yuan, computed {amount}"


def _traded_on_both_sides(accounts: Sequence[AccountRecord]) -> Check:
    counts = Counter(fill["side"] for record in accounts for fill in record.fills)
    actual = f"{counts['buy']} fills of buyers, {counts['sell']} of sellers"
    return Check("both_sides", min(counts["buy"], counts["sell"]) > 0, "fills on both sides", actual)


def _sides_agree(accounts: Sequence[AccountRecord]) -> Check:
    lots: Counter[str] = Counter()
    amounts: Counter[str] = Counter()
    for record in accounts:
        for fill in record.fills:
            lots[fill["side"]] += fill["quantity"]
            amounts[fill["side"]] += fen(fill["amount"])
    return Check(
        "sides_agree",
        lots["buy"] == lots["sell"] and amounts["buy"] == amounts["sell"],
        f"sold: {lots['sell']} lots for {amounts['sell']} fen",
        f"bought: {lots['buy']} lots for {amounts['buy']} fen",
    )


def _trades_off(accounts: Sequence[AccountRecord]) -> Iterator[str]:
    halves: dict[str, list[Mapping[str, Any]]] = {}
    for record in accounts:
        for fill in record.fills:
            halves.setdefault(fill["trade_id"], []).append(fill)
    for trade_id, fills in halves.items():
        terms = {(fill["symbol"], fill["price"], fill["quantity"], fill["amount"]) for fill in fills}
        parts = sorted((fill["side"], fill["liquidity"]) for fill in fills)
        if len(fills) == 1:
            yield f"trade {trade_id}: its other side is no account of this run"
        elif len(terms) != 1 or parts not in (
            [("buy", "maker"), ("sell", "taker")],
            [("buy", "taker"), ("sell", "maker")],
            [("buy", "auction"), ("sell", "auction")],
        ):
            yield f"trade {trade_id}: {parts} with terms {sorted(terms)}"


def _cash_off(accounts: Sequence[AccountRecord]) -> Iterator[str]:
    for record in accounts:
        expected = fen(record.before["cash"])
        for fill in record.fills:
            amount = fen(fill["amount"])
            expected += (amount if fill["side"] == "sell" else -amount) - fen(fill["fee"])
        if expected != fen(record.after["cash"]):
            yield f"account {record.account}: {expected} fen expected, {record.after['cash']} yuan found"


def _held(account: Mapping[str, Any]) -> Counter[str]:
    return Counter({holding["symbol"]: holding["quantity"] for holding in account["holdings"]})


def _lots_off(accounts: Sequence[AccountRecord]) -> Iterator[str]:
    for record in accounts:
        expected, found = _held(record.before), _held(record.after)
        for fill in record.fills:
            expected[fill["symbol"]] += fill["quantity"] if fill["side"] == "buy" else -fill["quantity"]
        for symbol in sorted(expected.keys() | found.keys()):
            if expected[symbol] != found[symbol]:
                yield f"account {record.account}: {expected[symbol]} lots of {symbol} expected, {found[symbol]} found"


def _reserves_off(accounts: Sequence[AccountRecord]) -> Iterator[str]:
    for record in accounts:
        offered: Counter[str] = Counter()
        bidding = False
        for order in record.orders:
            if order["side"] == "sell":
                offered[order["symbol"]] += order["leaves_qty"]
            else:
                bidding = bidding or order["leaves_qty"] > 0
        reserved = Counter({holding["symbol"]: holding["reserved"] for holding in record.after["holdings"]})
        for symbol in sorted(offered.keys() | reserved.keys()):
            if offered[symbol] != reserved[symbol]:
                yield f"account {record.account}: {offered[symbol]} lots of {symbol} offered, {reserved[symbol]} reserved"
        reserved_fen = fen(record.after["reserved"])
        if (reserved_fen > 0) != bidding or reserved_fen > fen(record.after["cash"]):
            open_buys = "with" if bidding else "without"
            yield f"account {record.account}: {record.after['reserved']} yuan reserved {open_buys} open buys"


def _turnover_moved(accounts: Sequence[AccountRecord], turnover: TurnoverMove) -> Iterator[Check]:
    # Turnover is single-sided, so a trade counts once: with the amount its buyer paid.
    bought = [fill for record in accounts for fill in record.fills if fill["side"] == "buy"]
    inside = [fill for fill in bought if turnover.first_seq < fill["seq"] <= turnover.last_seq]
    inside_fen = sum(fen(fill["amount"]) for fill in inside)
    moved_fen = turnover.after_fen - turnover.before_fen
    outside = f", and {len(bought) - len(inside)} trades outside of it" if len(inside) < len(bought) else ""
    where = f"in seq {turnover.first_seq + 1} to {turnover.last_seq}"
    yield Check(
        "turnover",
        moved_fen == inside_fen and len(inside) == len(bought),
        f"trades worth {inside_fen} fen {where}{outside}",
        f"the report moved by {moved_fen} fen {where}",
    )
    yield Check(
        "turnover_of_range",
        (turnover.range_fen, turnover.range_trades) == (inside_fen, len(inside)),
        f"{len(inside)} trades worth {inside_fen} fen {where}",
        f"the report on the range: {turnover.range_trades} trades worth {turnover.range_fen} fen",
    )
