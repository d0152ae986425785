"""The limits of keys and addresses: which hold for a key, what a refusal says, and what happens when an operator sets them."""

from __future__ import annotations

import pytest

from matching_engine.records import Command
from services.commands import administrative as admin
from services.commands.attachments import KeyIssued, KeyLimits, KeyLimitsSet, KeyRevoked, RateLimit
from services.gateway.limits import rate_limits
from services.gateway.limits.rate_class import CANCELS, ORDERS, READS
from services.gateway.limits.rate_limits import UNLIMITED, RateLimited, RateLimits
from services.gateway.problems import ProblemError
from services.gateway.schemas import TooMany
from services.venue_state.keys import ApiKey, key_hash
from services.venue_state.state import VenueState
from tests.unit.read_model.history import SENDER, History

DEFAULTS = KeyLimits(
    orders=RateLimit(per_s=2, burst=3), cancels=RateLimit(per_s=2, burst=5), reads=RateLimit(per_s=0, burst=1)
)


class Venue:
    """A state with one key, and limits whose clock stands still."""

    def __init__(self, limits: KeyLimits | None = None) -> None:
        self.history, self.state, self.now_ns = History(), VenueState(), 10**12
        self.limits = RateLimits(self.state, DEFAULTS, RateLimit(per_s=1, burst=2), now=lambda: self.now_ns)
        text = KeyIssued(key_hash=key_hash("rex_x").hex(), account=0, name="k", scopes=("read",), limits=limits)
        self.apply(admin.record(SENDER, text))

    def apply(self, submission: object) -> None:
        self.state.apply(self.history.batch([submission]))  # type: ignore[list-item]

    @property
    def key(self) -> ApiKey:
        found = self.state.find_key("rex_x")
        assert found is not None
        return found

    def taken(self, rate_class: int, most: int = 100) -> int:
        """How many requests are let in before one is refused."""
        for number in range(most):
            try:
                self.limits.take(self.key, rate_class)
            except RateLimited:
                return number
        return most


def test_who_asks_for_health_does_not_wait_behind_a_flood_of_its_address() -> None:
    limits = RateLimits(VenueState(), keyless=RateLimit(per_s=1, burst=1), now=lambda: 0)
    waits = [limits.turn_s("10.0.0.1", "/ui/") for _ in range(100)]
    assert (waits[0], waits[-1]) == (0.0, 1.0)
    asked = [limits.turn_s("10.0.0.1", path) for path in ("/healthz", "/readyz", "/metrics") * 100]
    assert (asked[0], asked[-1]) == (0.0, 0.25), "only a flood of the same keeps them waiting"
    assert limits.turn_s("10.0.0.2", "/ui/") == 0.0


def test_the_addresses_of_one_ipv6_subscriber_count_as_one() -> None:
    limits = RateLimits(VenueState(), keyless=RateLimit(per_s=1, burst=1), now=lambda: 0)
    found = [
        limits.turn_s(address, "/")
        for address in ("2001:db8::1", "2001:db8::2:3", "2001:db8:0:1::1", "fe80::1%eth0", "x:y")
    ]
    assert found == [0.0, 1.0, 0.0, 0.0, 0.0]
    assert limits.public("2001:db8::1") is limits.public("2001:db8::ffff")
    assert limits.public("::ffff:10.0.0.1") is not limits.public("::ffff:10.0.0.2"), "as a proxy writes two of IPv4"


def test_a_key_has_the_defaults_for_each_class_on_its_own() -> None:
    venue = Venue()
    assert (venue.taken(ORDERS), venue.taken(CANCELS), venue.taken(READS)) == (3, 5, 100)
    venue.now_ns += 500_000_000
    assert (venue.taken(ORDERS), venue.taken(CANCELS)) == (1, 1), "a token each half second"


def test_a_key_has_its_own_limits_and_the_defaults_for_the_others() -> None:
    venue = Venue(KeyLimits(orders=RateLimit(per_s=1, burst=1), reads=RateLimit(per_s=1, burst=7)))
    assert (venue.taken(ORDERS), venue.taken(CANCELS), venue.taken(READS)) == (1, 5, 7)
    assert Venue(UNLIMITED).taken(ORDERS) == 100
    assert venue.limits.shown(venue.key.limits) == {
        "orders": {"per_s": 1, "burst": 1, "own": True},
        "cancels": {"per_s": 2, "burst": 5, "own": False},
        "reads": {"per_s": 1, "burst": 7, "own": True},
    }
    assert not any(each["own"] for each in venue.limits.shown(None).values())


def test_a_refusal_names_the_class_and_the_time_to_wait() -> None:
    venue = Venue()
    venue.limits.take(venue.key, ORDERS, 3)
    with pytest.raises(RateLimited) as refused:
        venue.limits.take(venue.key, ORDERS, 2)
    document = refused.value.document()
    assert (document["status"], document["code"]) == (429, "rate_limited")
    assert TooMany.model_validate(document).model_dump() == document
    assert (document["rate_class"], document["retry_after_ms"]) == ("orders", 1000)
    assert refused.value.headers() == {"retry-after": "1"}
    venue.now_ns += 1_000_000_000
    venue.limits.take(venue.key, ORDERS, 2)


def test_more_than_the_burst_is_told_that_it_never_fits() -> None:
    venue = Venue()
    with pytest.raises(ProblemError) as refused:
        venue.limits.take(venue.key, ORDERS, 4)
    assert (refused.value.status, refused.value.errors[0].field) == (422, "orders")
    assert venue.taken(ORDERS) == 3, "it took nothing"


def test_limits_that_an_operator_sets_hold_at_once_for_a_key_in_use() -> None:
    venue = Venue()
    old_key = venue.key
    assert venue.taken(ORDERS) == 3
    raised = KeyLimits(orders=RateLimit(per_s=2, burst=8))
    venue.apply(admin.record(SENDER, KeyLimitsSet(key_id=old_key.key_id, limits=raised, reason="market maker")))
    assert venue.key.limits == raised
    assert venue.limits.of(venue.key.limits).cancels == DEFAULTS.cancels
    bucket = venue.limits.take(old_key, ORDERS)
    assert bucket is not None
    assert bucket.left(venue.now_ns)[0] == 4, "three taken before, one now"


def test_a_connection_that_keeps_an_older_key_has_the_newer_limits() -> None:
    venue = Venue()
    old_key = venue.key
    venue.apply(admin.record(SENDER, KeyLimitsSet(key_id=old_key.key_id, limits=UNLIMITED)))
    assert venue.limits.bucket(old_key, ORDERS) is None


def test_a_revoked_key_leaves_nothing_behind() -> None:
    venue = Venue()
    key = venue.key
    venue.limits.take(key, ORDERS)
    venue.limits.used_before_ns[key.key_id] = 5
    assert venue.limits.last_used_ns(key.key_id, 7_000) == 7_000
    assert venue.limits.uses_ns(7_000) == {key.key_id: 7_000}
    venue.apply(admin.record(SENDER, KeyRevoked(key_id=key.key_id)))
    venue.limits.bucket(key, ORDERS)
    assert venue.limits.uses_ns(7_000) == {}


def test_log_ins_are_counted_by_address_and_few_addresses_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    venue = Venue()
    monkeypatch.setattr(rate_limits, "ADDRESSES", 2)
    for _ in range(2):
        venue.limits.log_in("192.0.2.1")
    with pytest.raises(RateLimited) as refused:
        venue.limits.log_in("192.0.2.1")
    assert refused.value.bucket.name == "log_in"
    venue.limits.log_in("192.0.2.2")
    venue.limits.log_in("192.0.2.3")
    venue.limits.log_in("192.0.2.1")  # forgotten: two others came


def test_command_of_a_sender() -> None:
    """The key of a first start, which nobody issued."""
    assert Venue().key.issued_by == Command(actor=SENDER.actor).actor
