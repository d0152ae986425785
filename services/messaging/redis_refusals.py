"""The errors of REX_REDIS_URL.

Apart from the client (redis_stream): what maps errors to exit statuses (services/venue/fatal_errors.py) does not import
redis-py in an embedded venue.
"""

from __future__ import annotations


class RedisRefused(OSError):
    """REX_REDIS_URL is not the address of a Redis or Valkey that REX can use."""


class RedisAddressInvalid(RedisRefused):
    """REX_REDIS_URL is no address of Redis: a wrong setting, whatever the server does."""


class RedisAway(RedisRefused):
    """Nothing answers at the address now. A process may start all the same: its readers follow the journal meanwhile."""
