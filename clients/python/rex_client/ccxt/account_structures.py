"""Orders, balances and money movements in ccxt's structures. Amounts are in the market's unit, not in lots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from rex_client.ccxt.market import CURRENCY, Market, symbol_of
from rex_client.ccxt.market_structures import decimal
from rex_client.ccxt.times import milliseconds, stamp

Json = dict[str, Any]
MarketOf = Callable[[str], Market]
"""The market of a REX symbol."""

STATUS = {
    "new": "open",
    "partially_filled": "open",
    "filled": "closed",
    "canceled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
}
TYPE = {"limit": "limit", "market": "market", "stop": "market", "stop_limit": "limit"}
"""A stop order is one of these with a triggerPrice."""

ORDER_KEYS = (
    "id", "clientOrderId", "timestamp", "datetime", "lastTradeTimestamp", "lastUpdateTimestamp", "status", "symbol", "type",
    "timeInForce", "side", "price", "average", "amount", "filled", "remaining", "cost", "fee", "fees", "trades", "triggerPrice",
    "stopPrice", "stopLossPrice", "takeProfitPrice", "postOnly", "reduceOnly", "info",
)  # fmt: skip


def order(market: Market, told: Json) -> Json:
    """An order structure. The trades are not in it: `fetch_order_trades`."""
    amount, filled = market.amount(told["quantity"]), market.amount(told["cum_qty"])
    fee = {"currency": CURRENCY, "cost": Decimal(told["fees"])}
    trigger = decimal(told["stop_price"])
    known = {
        "id": told["order_id"],
        "clientOrderId": told["client_order_id"],
        **stamp(told["created_at"]),
        "lastUpdateTimestamp": milliseconds(told["updated_at"]),
        "status": STATUS[told["state"]],
        "symbol": market.symbol,
        "type": TYPE[told["order_type"]],
        "timeInForce": told["time_in_force"].upper(),
        "side": told["side"],
        "price": decimal(told["price"]),
        "average": decimal(told["avg_px"]),
        "amount": amount,
        "filled": filled,
        "remaining": amount - filled,
        "cost": market.cost(told["avg_px"], told["cum_qty"]),
        "fee": fee,
        "fees": [fee],
        "triggerPrice": trigger,
        "stopPrice": trigger,
        "postOnly": told["post_only"],
    }
    return unknown_order(told) | known


def unknown_order(info: Any, **known: Any) -> Json:
    """An order structure of which only these keys are known: an answer that tells no order."""
    return dict.fromkeys(ORDER_KEYS) | {"fees": [], "trades": [], "info": info} | known


def balance(market_of: MarketOf, told: Json) -> Json:
    """A balance structure of `GET /v1/account`: money, and goods by their REX symbols."""
    rows = {CURRENCY: tuple(Decimal(told[name]) for name in ("available", "reserved", "cash"))}
    for holding in told["holdings"]:
        amount = market_of(holding["symbol"]).amount
        rows[holding["symbol"]] = tuple(amount(holding[name]) for name in ("available", "reserved", "quantity"))
    by_code = {code: {"free": free, "used": used, "total": total} for code, (free, used, total) in rows.items()}
    by_kind = {kind: {code: row[kind] for code, row in by_code.items()} for kind in ("free", "used", "total")}
    return {"info": told, **stamp(None), **by_code, **by_kind}


LEDGER_TYPE = {
    "trade": "trade",
    "bust": "trade",
    "fee": "fee",
    "deposit": "transaction",
    "withdrawal": "transaction",
    "receipt": "transaction",
    "goods_out": "transaction",
}


def ledger_entries(market_of: MarketOf, line: Json) -> Iterator[Json]:
    """The ledger entries of a line: one for money that moved, one for goods. Lines that only reserve have none."""
    cash, fee = Decimal(line["cash"]), Decimal(line["fee"])
    if line["cause"] == "fee":
        fee = Decimal(0)  # The venue's own account earns it: it is the amount.
    if cash:
        yield _ledger_entry(line, CURRENCY, cash + fee, fee, Decimal(line["balance"]["cash"]))
    if line["quantity"]:
        amount = market_of(line["symbol"]).amount
        after = amount(line["balance"]["quantity"])
        yield _ledger_entry(line, line["symbol"], amount(line["quantity"]), Decimal(0), after)


def _ledger_entry(line: Json, code: str, moved: Decimal, fee: Decimal, after: Decimal) -> Json:
    return {
        "info": line,
        "id": f"{line['seq']}-{line['trade_id'] or line['cause']}-{code}",
        **stamp(line["time"]),
        "direction": "in" if moved > 0 else "out",
        "account": None,
        "referenceId": line["trade_id"] or line["order_id"] or str(line["seq"]),
        "referenceAccount": None,
        "type": LEDGER_TYPE[line["cause"]],
        "currency": code,
        "amount": abs(moved),
        "before": after - moved + fee,
        "after": after,
        "status": "ok",
        "fee": {"currency": code, "cost": fee} if fee else None,
    }


TRANSACTION_UNKNOWN = (
    "txid", "network", "address", "addressFrom", "addressTo", "tag", "tagFrom", "tagTo", "updated", "internal", "comment",
    "fee",
)  # fmt: skip


def transaction(told: Json) -> Json:
    """A transaction structure of a deposit or a withdrawal."""
    return {
        "info": told,
        "id": str(told["seq"]),
        **stamp(told["time"]),
        "type": told["cause"],
        "amount": abs(Decimal(told["amount"])),
        "currency": CURRENCY,
        "status": "ok",
        **dict.fromkeys(TRANSACTION_UNKNOWN),
    }


def trading_fee(instrument_id: str, told: Json) -> Json:
    """A trading fee structure; the rates are fractions of a trade's value."""
    return {
        "info": told,
        "symbol": symbol_of(instrument_id),
        "maker": Decimal(told["maker_rate"]),
        "taker": Decimal(told["taker_rate"]),
        "percentage": True,
        "tierBased": False,
    }
