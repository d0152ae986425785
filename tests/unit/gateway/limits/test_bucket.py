"""The law of a token bucket: in any span of time it gives at most burst + rate · t tokens; and it gives what it owes."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from services.commands.attachments import RateLimit
from services.gateway.limits.bucket import SECOND_NS, Bucket

RATES = st.builds(RateLimit, per_s=st.integers(1, 1_000_000), burst=st.integers(1, 1000))
REQUESTS = st.lists(
    st.tuples(st.one_of(st.integers(0, 50), st.integers(0, 3 * SECOND_NS)), st.integers(1, 20)), max_size=60
)
"""Nanoseconds since the request before, and cost."""
FOR_EVER_NS = 10**30


@given(RATES, REQUESTS)
@example(RateLimit(per_s=1, burst=5), [(0, 1)] * 7 + [(SECOND_NS // 2, 1)] * 7)
def test_no_span_of_time_gives_more_than_burst_and_rate(rate: RateLimit, requests: list[tuple[int, int]]) -> None:
    bucket, now_ns, accepted = Bucket("orders", rate), 5 * SECOND_NS, list[tuple[int, int]]()
    for gap_ns, cost in requests:
        now_ns += gap_ns
        if not bucket.take(cost, now_ns):
            accepted.append((now_ns, cost))
    for first, (start_ns, _) in enumerate(accepted):
        total = 0
        for end_ns, cost in accepted[first:]:
            total += cost
            assert (total - rate.burst) * SECOND_NS <= rate.per_s * (end_ns - start_ns)


@given(RATES, REQUESTS, st.integers(1, 20))
def test_who_waits_as_told_is_let_in_and_not_a_nanosecond_earlier(
    rate: RateLimit, requests: list[tuple[int, int]], cost: int
) -> None:
    bucket, now_ns = Bucket("orders", rate), 0
    for gap_ns, before in requests:
        now_ns += gap_ns
        bucket.take(before, now_ns)
    if cost > rate.burst:
        assert bucket.take(cost, now_ns + 10**6 * SECOND_NS) > 0, "more than the burst never fits"
        return
    wait_ns = bucket.wait_ns(cost, now_ns)
    assert bucket.left(now_ns)[0] >= cost or wait_ns > 0
    if wait_ns:
        assert bucket.take(cost, now_ns + wait_ns - 1) == 1
    assert bucket.take(cost, now_ns + wait_ns) == 0


@given(RATES, REQUESTS)
def test_turns_come_in_order_and_no_span_of_time_has_more_than_burst_and_rate(
    rate: RateLimit, requests: list[tuple[int, int]]
) -> None:
    bucket, now_ns, turns_ns = Bucket("keyless", rate), 0, list[int]()
    for gap_ns, _ in requests:
        now_ns += gap_ns
        turns_ns.append(now_ns + bucket.turn(now_ns, FOR_EVER_NS))
    for first, start_ns in enumerate(turns_ns):
        for count, end_ns in enumerate(turns_ns[first:], 1):
            assert start_ns <= end_ns
            assert (count - rate.burst) * SECOND_NS <= rate.per_s * (end_ns - start_ns)


@given(RATES)
def test_nobody_waits_for_a_turn_within_the_burst(rate: RateLimit) -> None:
    bucket = Bucket("keyless", rate)
    assert [bucket.turn(0, FOR_EVER_NS) for _ in range(min(rate.burst, 50))] == [0] * min(rate.burst, 50)


@given(RATES, st.integers(1, 3_000), st.integers(1, 2 * SECOND_NS))
def test_nobody_waits_long_for_those_who_did_not_wait(rate: RateLimit, count: int, most_ns: int) -> None:
    bucket = Bucket("keyless", rate)
    assert max(bucket.turn(0, most_ns) for _ in range(count)) <= most_ns
    assert bucket.turn(most_ns, most_ns) <= -(-SECOND_NS // rate.per_s), "the whole debt is paid by then"


@given(RATES, REQUESTS)
def test_what_is_left_can_be_taken(rate: RateLimit, requests: list[tuple[int, int]]) -> None:
    bucket, now_ns = Bucket("orders", rate), 0
    for gap_ns, cost in requests:
        now_ns += gap_ns
        bucket.take(cost, now_ns)
    left, full_after_s = bucket.left(now_ns)
    assert 0 <= left <= rate.burst
    assert bucket.left(now_ns + full_after_s * SECOND_NS) == (rate.burst, 0)
    if left < rate.burst:
        assert bucket.take(left + 1, now_ns) > 0
    assert not left or bucket.take(left, now_ns) == 0


def test_the_headers_are_those_of_the_draft() -> None:
    """draft-ietf-httpapi-ratelimit-headers-10, section 3: structured fields, a list with one item."""
    bucket = Bucket("cancels", RateLimit(per_s=4, burst=10))
    assert bucket.headers(0) == ((b"ratelimit-policy", b'"cancels";q=10;w=3'), (b"ratelimit", b'"cancels";r=10;t=0'))
    assert bucket.take(3, SECOND_NS) == 0
    assert bucket.headers(SECOND_NS)[1] == (b"ratelimit", b'"cancels";r=7;t=1')


def test_a_new_rate_keeps_what_was_taken() -> None:
    bucket = Bucket("reads", RateLimit(per_s=1, burst=10))
    assert bucket.take(10, 0) == 0
    bucket.set(RateLimit(per_s=1, burst=12))
    assert bucket.left(0) == (2, 10)
