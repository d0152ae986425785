"""/metrics for Prometheus: rendered at most once in RENDERED_FOR_S seconds, and kept to an address list where there is one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.types import Scope

from services.gateway.browser_headers import API_POLICY
from services.gateway.http.cached_answer import Answer
from services.gateway.http.metrics import GatewayMetrics
from services.gateway.problems import ProblemError

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
