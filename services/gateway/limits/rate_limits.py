"""The buckets of keys and of addresses that log in, and the refusal of a request that finds too few tokens."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from services.commands.attachments import KeyLimits, RateLimit
from services.gateway.limits.bucket import Bucket
from services.gateway.limits.rate_class import KEY_CLASSES, RateClass
from services.gateway.problems import ProblemError, field_problem
from services.people.attempts import network_of
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

NO_LIMIT = RateLimit(per_s=0, burst=1)
UNLIMITED = KeyLimits(orders=NO_LIMIT, cancels=NO_LIMIT, reads=NO_LIMIT)
"""Of the venue's own keys: pages, simulated traders, the operator's of the first start."""

DEFAULTS = KeyLimits(
    orders=RateLimit(per_s=1_000, burst=5_000),
    cancels=RateLimit(per_s=2_000, burst=10_000),
    reads=RateLimit(per_s=200, burst=2_000),
)
LOG_IN = RateLimit(per_s=1, burst=30)
PUBLIC = RateLimit(per_s=20, burst=200)
KEYLESS = RateLimit(per_s=500, burst=2_000)
"""A page that is opened cold asks for some 60 files."""
MOST_TURN_NS = 10**9
"""The longest that an answer waits for its turn."""
MOST_PROBE_NS = 250_000_000
"""The same where a load balancer or a monitor asks, which may have the address of all visitors: deploy/haproxy.cfg gives up
after 500 ms. These answers have turns of their own, so that only a flood of the same keeps them waiting."""
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
ADDRESSES = 10_000
"""So many addresses and names are remembered of each kind; of more, the one that was added first is forgotten."""


MakeBucket = Callable[[int, RateClass, RateLimit], Bucket]
"""Makes the bucket of a key's class."""


class RateLimited(ProblemError):
    """429: the class of the request has too few tokens. It says which class, and after what time they will be there."""

    def __init__(self, status: int, code: str, detail: str, *, bucket: Bucket, retry_after_ms: int) -> None:
        super().__init__(status, code, detail)
        self.bucket = bucket
        self.retry_after_ms = retry_after_ms

    def document(self, request_id: str | None = None) -> dict[str, Any]:
        """The problem document, with the class and the time to wait."""
        return {**super().document(request_id), "rate_class": self.bucket.name, "retry_after_ms": self.retry_after_ms}

    def headers(self) -> dict[str, str]:
        """Retry-After in whole seconds, rounded up."""
        return {"retry-after": str(-(-self.retry_after_ms // 1000))}


class KeyBuckets:
    """The buckets of one key by class; None: no limit."""

    def __init__(self, buckets: list[Bucket | None]) -> None:
        self.by_class = buckets
        self.used_ns = 0
        """When the key was last used, by the clock of the limits."""


class _ByAddress:
    """The buckets of one class by address."""

    def __init__(self, name: RateClass, rate: RateLimit) -> None:
        self._name = name
        self._rate = rate
        self._buckets: dict[str, Bucket] = {}

    def bucket(self, address: str) -> Bucket | None:
        """The bucket of an address; None: no limit."""
        if not self._rate.per_s:
            return None
        bucket = self._buckets.get(address)
        if bucket is None:
            if len(self._buckets) >= ADDRESSES:
                del self._buckets[next(iter(self._buckets))]
            bucket = self._buckets[address] = Bucket(self._name, self._rate)
        return bucket


class RateLimits:
    """All limits of this process."""

    def __init__(
        self,
        state: VenueState,
        defaults: KeyLimits = DEFAULTS,
        log_in: RateLimit = LOG_IN,
        *,
        public: RateLimit = PUBLIC,
        keyless: RateLimit = KEYLESS,
        make_bucket: MakeBucket | None = None,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._state = state
        self._defaults = defaults
        self._log_in = _ByAddress("log_in", log_in)
        self._public = _ByAddress("public", public)
        self._keyless = _ByAddress("keyless", keyless)
        self._probes = _ByAddress("keyless", keyless)
        self._make = make_bucket or (lambda _key_id, name, rate: Bucket(name, rate))
        self.now = now
        """The clock: nanoseconds that never go back."""
        self._keys: dict[int, KeyBuckets] = {}
        self.used_before_ns: dict[int, int] = {}
        """By key_id: when keys were last used before this process, by the wall clock."""
        state.key_listeners.append(self._key_changed)

    def bucket(self, key: ApiKey, rate_class: int) -> Bucket | None:
        """The bucket of a class of the key, which counts as used now; None: no limit."""
        buckets = self._keys.get(key.key_id)
        if buckets is None:
            buckets = self._add(key)
        buckets.used_ns = self.now()
        return buckets.by_class[rate_class]

    def take(self, key: ApiKey, rate_class: int, cost: int = 1) -> Bucket | None:
        """Takes tokens and returns the bucket; None: no limit. Raises RateLimited, or a 422 problem for more than the burst."""
        bucket = self.bucket(key, rate_class)
        if bucket is not None:
            self.take_from(bucket, cost)
        return bucket

    def take_from(self, bucket: Bucket, cost: int = 1) -> None:
        """Takes tokens. Raises as `take` does."""
        if wait_ns := bucket.take(cost, self.now()):
            raise _refusal(bucket, cost, wait_ns)

    def check(self, bucket: Bucket, cost: int = 1) -> None:
        """Raises as `take` does unless the tokens are there. Takes none."""
        if wait_ns := bucket.wait_ns(cost, self.now()):
            raise _refusal(bucket, cost, wait_ns)

    def log_in(self, address: str) -> None:
        """Counts an attempt to log in from an address, or under a name. Raises RateLimited."""
        bucket = self._log_in.bucket(address)
        if bucket is not None:
            self.take_from(bucket)

    def public(self, address: str) -> Bucket | None:
        """The bucket of an address for requests without a key; None: no limit."""
        return self._public.bucket(network_of(address))

    def turn_s(self, address: str, path: str) -> float:
        """Takes the next turn of an address among the answers to who shows no valid key: the seconds until then."""
        turns, most_ns = (self._probes, MOST_PROBE_NS) if path in PROBES else (self._keyless, MOST_TURN_NS)
        bucket = turns.bucket(network_of(address))
        return 0.0 if bucket is None else bucket.turn(self.now(), most_ns) / 1e9

    def of(self, own: KeyLimits | None) -> KeyLimits:
        """The limits that hold for a key with these of its own: the defaults for the classes without."""
        own = own or KeyLimits()
        return KeyLimits(
            **{name: getattr(own, name) or getattr(self._defaults, name) or NO_LIMIT for name in KEY_CLASSES}
        )

    def shown(self, own: KeyLimits | None) -> dict[str, dict[str, Any]]:
        """The same as JSON, by class; `own` says whether it is of the key's own limits or a default."""
        limits, own = self.of(own), own or KeyLimits()
        return {
            name: {**getattr(limits, name).model_dump(), "own": getattr(own, name) is not None} for name in KEY_CLASSES
        }

    def last_used_ns(self, key_id: int, now_ns: int) -> int | None:
        """When the key was last used, by the wall clock, which stands at `now_ns`; None: this process knows of no use."""
        buckets = self._keys.get(key_id)
        if buckets is None or not buckets.used_ns:
            return self.used_before_ns.get(key_id)
        return now_ns - (self.now() - buckets.used_ns)

    def uses_ns(self, now_ns: int) -> dict[int, int]:
        """When each key was last used that this process knows of a use of, by key_id."""
        found = {key_id: self.last_used_ns(key_id, now_ns) for key_id in {**self.used_before_ns, **self._keys}}
        return {key_id: used_ns for key_id, used_ns in found.items() if used_ns and key_id in self._state.key_hashes}

    @property
    def newest_use_ns(self) -> int:
        """When any key was last used in this process, by the clock of the limits; 0: none was."""
        of_keys = (buckets.used_ns for key_id, buckets in self._keys.items() if key_id in self._state.key_hashes)
        return max(of_keys, default=0)

    def _add(self, key: ApiKey) -> KeyBuckets:
        current = self._state.key(key.key_id)  # A connection keeps the key of its handshake, and limits may be newer.
        limits = self.of((current or key).limits)
        rates: list[tuple[RateClass, RateLimit]] = [(name, getattr(limits, name)) for name in KEY_CLASSES]
        made = KeyBuckets([self._make(key.key_id, name, rate) if rate.per_s else None for name, rate in rates])
        if self._state.is_valid(key.key_id):  # A revoked key leaves nothing behind; users are known by id as keys are.
            self._keys[key.key_id] = made
        return made

    def _key_changed(self, key_id: int) -> None:
        """Sets the limits of a key that has buckets; a revoked key loses them."""
        before, key = self._keys.pop(key_id, None), self._state.key(key_id)
        if before is None or key is None:
            return
        after = self._add(key)
        after.used_ns = before.used_ns
        for index, name in enumerate(KEY_CLASSES):
            was, now = before.by_class[index], after.by_class[index]
            if was is not None and now is not None:
                was.set(getattr(self.of(key.limits), name))
                after.by_class[index] = was


def _refusal(bucket: Bucket, cost: int, wait_ns: int) -> ProblemError:
    if cost > bucket.burst:
        return field_problem("validation_failed", bucket.name, f"this key may send at most {bucket.burst} at once")
    retry_after_ms = -(-wait_ns // 1_000_000)
    detail = f"The limit of {bucket.name} is reached; send it again after {retry_after_ms} ms. Nothing was taken in."
    return RateLimited(429, "rate_limited", detail, bucket=bucket, retry_after_ms=retry_after_ms)
