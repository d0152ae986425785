"""Rate limits: token buckets of each key and class of requests, and of each address that logs in. docs/limits.md says more.

rate_class.py   the class of each route and WebSocket method
bucket.py       a token bucket in one integer
rate_limits.py  the buckets of keys and addresses; the refusal
shared.py       buckets that the gateways of a venue share through Redis
"""
