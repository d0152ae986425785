"""A Locust file whose users are the accounts of a replay, so that many machines send one flow and one verdict judges it.

Locust runs on gevent, `rex_client` on asyncio. Each process has one event loop, in a native thread beside gevent's; the two
pass each other calls, and share nothing else.

    locustfile.py      options, user classes, shape: what Locust reads
    master.py          one replay after the other, in a native thread, and its verdict
    distribution.py    hands out shares of the flow, collects reports
    worker.py          what a user does: takes a share, has it sent, reports
    account_sending.py the sending itself, asyncio only
    shares.py          what master and workers send each other
"""
