"""Prometheus metrics of a process, for monitoring. They need no key: the access middleware answers.

Each application has a registry of its own: two venues in a process do not mix. /metrics is rendered at most once in
RENDERED_FOR_S seconds, and kept to an address list.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import Scope

from services.gateway.browser_headers import API_POLICY
from services.gateway.http.cached_answer import Answer
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError
from services.messaging import Inbox
from services.venue_state.state import VenueState

Facts = Mapping[str, str | int | float | bool | None]
"""Role, epoch, sequence numbers, seconds, whether a store is well. None: not known."""


class FactGauges(Collector):
    """The numbers among the facts, as gauges `rex_<name>`."""

    def __init__(self, facts: Callable[[], Facts]) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        """The current numbers."""
        for name, value in self._facts().items():
            if isinstance(value, int | float):
                yield GaugeMetricFamily(f"rex_{name}", f"The process's {name.replace('_', ' ')}", value=value)


RENDERED_FOR_S = 1.0
"""How long a rendering answers further scrapes. Prometheus scrapes every 15 s, at the fastest every second."""

_HEADERS = [(b"content-type", CONTENT_TYPE_LATEST.encode()), (b"cache-control", b"no-store"), API_POLICY]


class MetricsAnswer:
    """The `OpenAnswer` of /metrics."""

    def __init__(
        self, metrics: GatewayMetrics, addresses: Collection[str] = (), clock: Callable[[], float] = monotonic
    ) -> None:
        """`addresses`: IP addresses and networks (CIDR) that may ask; empty: all. Raises ValueError for another text."""
        self._metrics = metrics
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(address) for address in addresses]
        self._clock = clock
        self._text = b""
        self._stale_at = float("-inf")

    async def __call__(self, scope: Scope) -> Answer:
        """The metrics, at most RENDERED_FOR_S old."""
        if self._networks and not self._may_ask(scope):
            detail = "The metrics of this venue are for certain addresses only (REX_METRICS_ADDRESSES)."
            raise ProblemError(403, "address_not_allowed", detail)
        now = self._clock()
        if now >= self._stale_at:
            self._text, self._stale_at = self._metrics.text(), now + RENDERED_FOR_S
        return 200, [*_HEADERS, (b"content-length", str(len(self._text)).encode())], self._text

    def _may_ask(self, scope: Scope) -> bool:
        client = scope.get("client")
        try:
            address = ip_address(client[0]) if client else None
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return address is not None and any((mapped or address) in network for network in self._networks)


SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0)


class _Refused(Collector):
    """Counts of refused requests by problem code, read from order entry."""

    def __init__(self, order_entry: OrderEntry) -> None:
        self._refused = order_entry.pending.refused

    def collect(self) -> Iterator[Metric]:
        """The current counts."""
        refused = CounterMetricFamily(
            "rex_refused_requests", "Requests refused before the inbox took them, by problem code", labels=["code"]
        )
        for code, count in self._refused.items():
            refused.add_metric([code], count)
        yield refused


class GatewayMetrics:
    """Counters that the access middleware and the order routes increment, and gauges evaluated at each scrape."""

    def __init__(self, state: VenueState, order_entry: OrderEntry, inbox: Inbox) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("rex_requests", "HTTP requests", ["method", "status"], registry=self._registry)
        self._seconds = Histogram(
            "rex_request_seconds", "Time to answer a request", buckets=SECONDS, registry=self._registry
        )
        self._orders = Counter("rex_orders", "Orders in REST replies, by state", ["state"], registry=self._registry)
        self._rejects = Counter(
            "rex_order_rejects", "Orders the engine declined, by reason", ["reason"], registry=self._registry
        )
        self._children: dict[tuple[str, int], Counter] = {}
        self._order_children: dict[str, Counter] = {}
        pending = order_entry.pending
        gauges: dict[str, tuple[str, Callable[[], float]]] = {
            "rex_last_seq": ("Last journal sequence number that the gateway has applied", lambda: state.last_seq),
            "rex_open_orders": ("Open orders", lambda: len(state.orders.open)),
            "rex_requests_waiting": ("Commands sent to the inbox that have no reply yet", lambda: pending.waiting),
            "rex_inbox_commands": ("Commands that wait for the sequencer", lambda: inbox.depth),
            "rex_inbox_largest_share": (
                "Commands in the inbox of the account that has most",
                lambda: inbox.largest_share,
            ),
            "rex_keys_at_bound": (
                "Keys whose WebSockets are not read until replies have been sent",
                lambda: pending.in_flight.keys_waiting,
            ),
        }
        for name, (description, value) in gauges.items():
            Gauge(name, description, registry=self._registry).set_function(value)
        self._registry.register(_Refused(order_entry))

    def add(self, facts: Callable[[], Facts]) -> None:
        """Adds a gauge for each number among the facts."""
        self._registry.register(FactGauges(facts))

    def request(self, method: str, status: int, seconds: float) -> None:
        """Counts one answered request. `seconds`: from its arrival to the end of its answer."""
        child = self._children.get((method, status))
        if child is None:
            child = self._children[method, status] = self._requests.labels(method, status)
        child.inc()
        self._seconds.observe(seconds)

    def order(self, state: str, reason: str | None) -> None:
        """Counts one order in a reply, by its state, and a rejected one also by its reason."""
        child = self._order_children.get(state)
        if child is None:
            child = self._order_children[state] = self._orders.labels(state)
        child.inc()
        if state == "rejected":
            self._rejects.labels(reason).inc()

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
