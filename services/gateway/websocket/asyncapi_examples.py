"""An example of each message of /asyncapi.json. A test holds them to the document's own schemas."""

from __future__ import annotations

from typing import Any

import msgspec

from matching_engine.records import Reason
from services.gateway import order_schemas, schemas
from services.gateway.replies.execution_report import OrderReport, OutcomeOfOne, OutcomesOfBatch
from services.gateway.websocket import market_models as market
from services.gateway.websocket import private_models, reply_models
from services.gateway.websocket.protocol import PushType
from services.market_data import depth_checksum
from services.venue_state.reasons import REASONS

Json = dict[str, Any]

_TIME = "2023-12-01T02:00:00.000123Z"
_SYMBOL = "PRND-OX"
_ORDER: Json = {
    "order_id": "118",
    "client_order_id": "my-order-0001",
    "account": 2,
    "symbol": _SYMBOL,
    "side": "buy",
    "order_type": "limit",
    "time_in_force": "day",
    "price": "473000.00",
    "quantity": 3,
    "leaves_qty": 2,
    "cum_qty": 1,
    "avg_px": "473000.00",
    "fees": "236.50",
    "state": "partially_filled",
    "reason": None,
    "trading_date": "2023-12-01",
    "created_at": _TIME,
    "updated_at": _TIME,
    "seq": 118,
    "stop_price": None,
    "triggered": None,
    "protection_price": None,
    "display_quantity": None,
    "expire_time": None,
    "post_only": False,
    "self_trade_prevention": "cancel_newest",
    "reason_text": None,
}
_FILL: Json = {
    "trade_id": "17",
    "order_id": "118",
    "client_order_id": "my-order-0001",
    "symbol": _SYMBOL,
    "side": "buy",
    "liquidity": "taker",
    "price": "473000.00",
    "quantity": 1,
    "amount": "473000.00",
    "fee": "236.50",
    "trading_date": "2023-12-01",
    "time": _TIME,
    "seq": 118,
    "busted": False,
}
_TRADE: Json = {
    "trade_id": "17",
    "symbol": _SYMBOL,
    "price": "473000.00",
    "quantity": 1,
    "amount": "473000.00",
    "taker_side": "buy",
    "time": _TIME,
    "seq": 118,
    "auction": False,
    "busted": False,
}
_TICKER: Json = {
    "symbol": _SYMBOL,
    "seq": 118,
    "trading_date": "2023-12-01",
    "last": "473000.00",
    "open": "472500.00",
    "high": "473500.00",
    "low": "472000.00",
    "best_bid": "473000.00",
    "best_ask": "473500.00",
    "volume": 12,
    "turnover": "5676000.00",
    "trades": 7,
    "reference_price": "472000.00",
    "lower_limit": "424800.00",
    "upper_limit": "519200.00",
    "phase": "continuous",
    "indicative_price": None,
    "indicative_volume": None,
    "indicative_imbalance": None,
    "auction_ends_at": None,
}
_ALERT: Json = {
    "alert_id": "40211",
    "kind": "projector_lag",
    "subject": "projector",
    "severity": "warning",
    "state": "open",
    "sentence": "The read database is 12 s behind the journal.",
    "sentence_zh": "读库比日志落后 12 秒。",
    "raised_at": _TIME,
    "cleared_at": None,
    "acknowledged": None,
    "seq": 40211,
}
_BUST = private_models.BustedFill("16", _SYMBOL, "buy", "473000.00", 1, "473000.00", "236.50", 118)


def _of(model: type[Any]) -> Json:
    """The example that a model has for REST."""
    example: Json = model.model_config["json_schema_extra"]["example"]
    return example


def _built(value: Any) -> Json:
    built: Json = msgspec.to_builtins(value)
    return built


PROBLEM = _of(schemas.Problem)
"""Of the message `error`."""

_OUTCOMES = _built(
    OutcomesOfBatch(
        [OutcomeOfOne(msgspec.convert(_ORDER, OrderReport)), OutcomeOfOne(error=PROBLEM | {"request_id": None})]
    )
)
_DEPTH_AND_TRADES: Json = {"channels": ["depth", "trades"], "symbols": [_SYMBOL]}

PARAMS: dict[str, Json] = {
    "authenticate": {"key": "rex_…"},
    "place_order": _of(order_schemas.OrderRequest),
    "amend_order": {"order_id": "118", "price": "473100.00"},
    "cancel_order": {"client_order_id": "my-order-0001"},
    "mass_cancel": {"symbol": _SYMBOL, "side": "buy"},
    "batch": _of(order_schemas.MixedBatchRequest),
    "cancel_orders": _of(order_schemas.CancelOrdersRequest),
    "test_order": _of(order_schemas.OrderRequest),
    "cancel_on_disconnect": {"enabled": True, "after_close": False},
    "cancel_all_after": _of(order_schemas.CancelAllAfterRequest),
    "subscribe": {"channels": ["fills"], "resume": {"incarnation": "9f0c", "seq": 118}},
    "unsubscribe": _DEPTH_AND_TRADES,
    "subscriptions": {},
    "options": {"heartbeat": True, "times": True},
    "ping": {},
}
"""Of each method."""

RESULTS: dict[str, Json] = {
    "authenticate": _built(reply_models.Authenticated(2, "alice", ["read", "trade"])),
    "place_order": _ORDER,
    "amend_order": _ORDER,
    "cancel_order": _ORDER
    | {"state": "canceled", "leaves_qty": 0, "reason": "requested", "reason_text": REASONS[Reason.REQUESTED]},
    "mass_cancel": {"symbol": _SYMBOL, "side": "buy", "account": 2, "canceled": 12, "seq": 118},
    "batch": _OUTCOMES,
    "cancel_orders": _OUTCOMES,
    "test_order": {
        "verdict": "accepted",
        "reason": None,
        "reason_text": None,
        "repeats": None,
        "symbol": _SYMBOL,
        "price": "473000.00",
        "notional": "1419000.00",
        "reserve": "1419709.50",
        "reserve_quantity": 0,
        "fee_as_maker": "425.70",
        "fee_as_taker": "709.50",
        "available_after": "998580290.50",
        "available_quantity_after": 1000,
        "seq": 118,
    },
    "cancel_on_disconnect": _built(reply_models.DisconnectRule(True, False)),
    "cancel_all_after": {"seconds": 60, "cancels_at": _TIME},
    "subscribe": _built(reply_models.Subscribed(["fills"], [])),
    "unsubscribe": _DEPTH_AND_TRADES,
    "subscriptions": _built(
        reply_models.Subscriptions(
            [reply_models.Subscription(["depth"], ["*"], 10), reply_models.Subscription(["orders"])]
        )
    ),
    "options": _built(reply_models.ConnectionOptions(True, True)),
    "ping": _built(reply_models.Pong(_TIME, 118)),
}
"""Of each method."""

BESIDE: dict[str, Json] = {
    "place_order": {
        "rate_limit": _built(reply_models.RateLimitLeft("orders", 4999, 1)),
        "time_in": _TIME,
        "time_out": "2023-12-01T02:00:00.000345Z",
    }
}
"""What a reply has beside its result, of a key with a rate limit on a connection that asked for times: in one example."""

_BEST = market.LevelData("473000.00", 12, 3)
_MINUTE = market.CandleData(
    "2023-12-01T02:00:00Z", "472500.00", "473500.00", "472000.00", "473000.00", 12, "5676000.00", 7, False
)

DATA: dict[str, Json] = {
    name: _built(data)
    for name, data in {
        "depth": market.DepthData("continuous", [_BEST], [], depth_checksum([(_BEST.price, _BEST.quantity)], [])),
        "top": market.TopData("continuous", _BEST, None),
        "trades": market.TradesData([_TRADE], ["16"]),
        "ticker": _TICKER,
        "candles": market.CandlesData("1m", [_MINUTE], []),
        "auction": market.AuctionData("call_auction", "473000.00", 12, -3, _TIME),
        "status": market.StatusData(
            "2023-12-01",
            False,
            [market.InstrumentStatus(_SYMBOL, "continuous", None)],
            [market.ChangeData(_TIME, "closed", "2023-12-01")],
        ),
        "turnover": market.TurnoverData("2023-12-01", "5676000.00", "120450000.00"),
        "orders": private_models.OrdersData([_ORDER], [_FILL], [_BUST]),
        "fills": private_models.FillsData([_FILL], [_BUST]),
        "balances": private_models.BalancesData(
            2, "1000000.00", "473236.50", "526763.50", [private_models.HoldingData(_SYMBOL, 1000, 3, 997)]
        ),
        "drop_copy": private_models.DropCopyData([_ORDER], [_FILL | {"account": 2}], [_BUST]),
        "alerts": private_models.AlertsData([_ALERT]),
        "heartbeat": market.HeartbeatData(_TIME),
        "venue": market.ShutdownData(_TIME, "the venue is stopping"),
    }.items()
}
"""Of each channel."""


def push_of(channel: str, kind: PushType, data: Json, *, has_symbol: bool) -> Json:
    """A push with this data."""
    prev_seq = 117 if kind in ("update", "resumed") and channel != "heartbeat" else None
    return _built(market.Push(channel, kind, _SYMBOL if has_symbol else None, 118, prev_seq, "9f0c", data))
