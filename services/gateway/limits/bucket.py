"""A token bucket in one integer: the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371).

A token is worth 1/per_s seconds, rounded up to whole nanoseconds. Taking n tokens moves the time at which the bucket is full by
n tokens' worth; they are there if that time is then at most a whole bucket ahead. So in any span of t seconds at most
burst + per_s · t tokens are taken.
"""

from __future__ import annotations

from services.commands.attachments import RateLimit
from services.gateway.limits.rate_class import RateClass

SECOND_NS = 10**9


class Bucket:
    """The tokens of one class of one key, or of the log-ins of one address. It begins full."""

    def __init__(self, name: RateClass, rate: RateLimit) -> None:
        """`rate.per_s` is above 0: what has no limit has no bucket."""
        self.name = name
        self._full_ns = 0
        self.set(rate)

    def set(self, rate: RateLimit) -> None:
        """Sets rate and burst; tokens that were taken stay taken."""
        self.burst = rate.burst
        self._token_ns = -(-SECOND_NS // rate.per_s)
        self._depth_ns = rate.burst * self._token_ns
        self._policy = b'"%b";q=%d;w=%d' % (self.name.encode(), rate.burst, -(-self._depth_ns // SECOND_NS))
        self._state = b'"%b";r=%%d;t=%%d' % self.name.encode()

    def take(self, cost: int, now_ns: int) -> int:
        """Takes tokens and returns 0; or takes none and returns for how many nanoseconds they are not there."""
        full_ns = self._full_ns
        if full_ns < now_ns:
            full_ns = now_ns
        full_ns += cost * self._token_ns
        wait_ns = full_ns - now_ns - self._depth_ns
        if wait_ns > 0:
            return wait_ns
        self._full_ns = full_ns
        return 0

    def turn(self, now_ns: int, most_ns: int) -> int:
        """Takes a token, one that is not there yet if need be. Returns after how many nanoseconds it will be there.

        At most `most_ns`: what was taken beyond that is forgiven, so that nobody waits for those who did not wait.
        """
        self._full_ns = min(max(self._full_ns, now_ns) + self._token_ns, now_ns + self._depth_ns + most_ns)
        return max(0, self._full_ns - now_ns - self._depth_ns)

    def wait_ns(self, cost: int, now_ns: int) -> int:
        """What `take` would return. Takes none."""
        return max(0, max(self._full_ns, now_ns) + cost * self._token_ns - now_ns - self._depth_ns)

    def left(self, now_ns: int) -> tuple[int, int]:
        """The tokens that are there, and the whole seconds until the bucket is full, rounded up."""
        taken_ns = self._full_ns - now_ns
        if taken_ns <= 0:
            return self.burst, 0
        return max(0, (self._depth_ns - taken_ns) // self._token_ns), -(-taken_ns // SECOND_NS)

    def headers(self, now_ns: int) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
        """`RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10."""
        return (b"ratelimit-policy", self._policy), (b"ratelimit", self._state % self.left(now_ns))
