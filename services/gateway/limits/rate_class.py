"""The class of each request: `orders`, `cancels` or `reads`; `public` without a key. Known before a body is read.

`keyless` is the class of answers, not of requests: of all that go to who shows no valid key.
"""

from __future__ import annotations

from typing import Literal

RateClass = Literal["orders", "cancels", "reads", "log_in", "public", "keyless"]
KEY_CLASSES: tuple[RateClass, ...] = ("orders", "cancels", "reads")
"""The classes of requests with a key, in the order of a key's buckets."""
ORDERS, CANCELS, READS = range(3)
"""Their indexes."""

METHOD_CLASSES = {
    "place_order": ORDERS,
    "amend_order": ORDERS,
    "cancel_order": CANCELS,
    "mass_cancel": CANCELS,
    "batch": ORDERS,
    "cancel_orders": CANCELS,
    "test_order": ORDERS,
    "cancel_on_disconnect": CANCELS,
    "cancel_all_after": CANCELS,
    "subscribe": READS,
    "unsubscribe": READS,
    "subscriptions": READS,
    "options": READS,
    "ping": READS,
}
"""By WebSocket method. A batch takes what its places and amends, and its cancels, cost. `authenticate`
has no key yet: it counts for the address, as a log-in."""

ORDERS_PATH = "/v1/orders"
BATCH_PATH = "/v1/orders/batch"
MIXED_BATCH_PATH = "/v1/orders/mixed_batch"
CANCEL_PATH = "/v1/orders/cancel"
CANCEL_ALL_AFTER_PATH = "/v1/orders/cancel_all_after"
BATCH_PATHS = (BATCH_PATH, MIXED_BATCH_PATH, CANCEL_PATH)
"""Each must be decoded before it is known what it costs: it takes its tokens itself, one for each entry."""
BATCH_METHODS = ("batch", "cancel_orders")
"""The same over WebSocket."""


def class_of(method: str, path: str) -> int:
    """The index of the class of an HTTP request: what changes something counts as an order, but for cancels.

    A mass cancel is one command and costs one cancel, however many orders it ends.
    """
    if method == "POST":
        return CANCELS if path == CANCEL_PATH else ORDERS
    if method in ("GET", "HEAD", "OPTIONS"):
        return READS
    is_cancel = method == "DELETE" and path.startswith(ORDERS_PATH)
    return CANCELS if is_cancel or path == CANCEL_ALL_AFTER_PATH else ORDERS
