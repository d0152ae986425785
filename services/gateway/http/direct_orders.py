"""The hot routes of orders: the access middleware serves them without FastAPI. `http/orders.py` documents them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from services.gateway.http.access_middleware import DirectRoute
from services.gateway.http.metrics import GatewayMetrics
from services.gateway.limits.bucket import Bucket
from services.gateway.limits.rate_class import BATCH_PATH, CANCEL_PATH, CANCELS, MIXED_BATCH_PATH, ORDERS, ORDERS_PATH
from services.gateway.limits.rate_limits import RateLimits
from services.gateway.order_entry.mixed_batch import Outcome
from services.gateway.order_entry.order_body import (
    BatchEntry,
    CancelParams,
    decode_batch,
    decode_cancels,
    decode_mixed_batch,
    decode_order,
)
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.replies.execution_report import OrderReport, OutcomeOfOne, OutcomesOfBatch, order_report
from services.venue_state.keys import ApiKey
from services.venue_state.orders import VenueOrder
from services.venue_state.state import VenueState

TEST_PATH = "/v1/orders/test"

_encode = msgspec.json.Encoder().encode


def direct_routes(
    state: VenueState, order_entry: OrderEntry, limits: RateLimits, metrics: GatewayMetrics, clock: Callable[[], int]
) -> dict[tuple[str, str], DirectRoute]:
    """The hot routes, by method and path."""

    def report(order: VenueOrder) -> OrderReport:
        answer = order_report(order, state.instruments)
        metrics.order(answer.state, answer.reason)
        return answer

    async def place_order(key: ApiKey, body: bytes) -> tuple[int, bytes]:
        key.trading_account()
        order, repeated = await order_entry.place(key, decode_order(body))
        return 200 if repeated else 201, _encode(report(order))

    async def test_order(key: ApiKey, body: bytes) -> tuple[int, bytes]:
        key.trading_account()
        tested = await order_entry.tests.test(key, decode_order(body), clock())
        return 200, tested.model_dump_json().encode()

    def result(outcome: Outcome) -> OutcomeOfOne:
        if outcome.order is None:
            return OutcomeOfOne(error=outcome.problem.document() if outcome.problem else None)
        return OutcomeOfOne(report(outcome.order))

    def batch(decode: Callable[[bytes], Sequence[BatchEntry]]) -> DirectRoute:
        async def carry_out(key: ApiKey, body: bytes) -> tuple[int, bytes]:
            if decode is not decode_cancels or "operate" not in key.scopes:
                key.trading_account()
            entries = decode(body)
            take_tokens(limits, key, entries)
            outcomes = await order_entry.batch(key, entries)
            return 200, _encode(OutcomesOfBatch([result(outcome) for outcome in outcomes]))

        return carry_out

    return {
        ("POST", ORDERS_PATH): place_order,
        ("POST", TEST_PATH): test_order,
        ("POST", BATCH_PATH): batch(decode_batch),
        ("POST", MIXED_BATCH_PATH): batch(decode_mixed_batch),
        ("POST", CANCEL_PATH): batch(decode_cancels),
    }


def take_tokens(limits: RateLimits, key: ApiKey, entries: Sequence[BatchEntry]) -> Bucket | None:
    """Takes what the requests of a batch cost: a token of `cancels` for each cancel, of `orders` for each other; returns the
    bucket of the latter, if there are any. Raises as `RateLimits.take` does, and then takes none."""
    cancels = sum([type(entry) is CancelParams for entry in entries])
    if not cancels:
        return limits.take(key, ORDERS, len(entries))
    bucket = limits.bucket(key, CANCELS)
    if bucket is not None:
        limits.check(bucket, cancels)  # Before a token of `orders` is taken.
    of_orders = limits.take(key, ORDERS, len(entries) - cancels) if cancels < len(entries) else None
    taken = limits.take(key, CANCELS, cancels)
    return of_orders or taken
