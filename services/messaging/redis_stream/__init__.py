"""The stream of committed batches in Redis or Valkey, for readers that have no link: projector, reports, read-only gateways.

The leader's publisher adds to the stream; each reader's feed reads it, and hands on only what the journal proves. The stream
may be lost at any time: readers then follow the journal, and nothing waits for Redis.

Key:    rex:<journal id in hex>, a stream
Entry:  the batches that were committed within some milliseconds. Its id is <last seq of its last batch>-0. Each field is a
        batch: its name is the first seq in decimal, its value the bytes that the journal holds (services/journal/batch.py).

connection.py   the client with its time-outs, the check at a start, errors as sentences
publisher.py    StreamPublisher
feed.py         StreamFeed
"""

from __future__ import annotations

from services.messaging.redis_refusals import RedisAddressInvalid, RedisAway, RedisRefused
from services.messaging.redis_stream.connection import check_redis
from services.messaging.redis_stream.feed import StreamFeed
from services.messaging.redis_stream.publisher import StreamPublisher

__all__ = ["RedisAddressInvalid", "RedisAway", "RedisRefused", "StreamFeed", "StreamPublisher", "check_redis"]
