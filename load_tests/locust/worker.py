"""The worker's side: a user takes a share of the flow, has it sent in the event loop, and reports to the master."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import count
from typing import Any

import gevent
import uvloop
from gevent.event import AsyncResult
from locust.env import Environment
from locust.rpc import Message
from locust.runners import Runner
from rex_client import RexError

from load_tests.flows.flow_message import FlowMessage
from load_tests.locust.account_sending import Signals, Transport, send_share
from load_tests.locust.greenlet_calls import GreenletCalls
from load_tests.locust.shares import CONNECTED, END, GO, REPORT, SHARE, SHARE_WANTED, Share, ShareReport
from load_tests.replay.account_stream import DECLINED_AMENDS

REPLIES_TIMEOUT_S = 60.0
"""The time that messages under way have to be answered after a user was stopped."""


class Worker:
    """The users of this process. Their requests are sent by one event loop, in a native thread."""

    def __init__(self, environment: Environment, runner: Runner) -> None:
        self._environment = environment
        self._runner = runner
        self._calls = GreenletCalls()
        self._loop = uvloop.new_event_loop()
        self._numbers = count()
        self._wanted: dict[int, AsyncResult] = {}
        self._signals: dict[int, Signals] = {}
        gevent.get_hub().threadpool.spawn(self._loop.run_forever)
        runner.register_message(SHARE, self._take)
        runner.register_message(GO, lambda **_: self._signal(lambda signals: signals.go.set()))
        runner.register_message(END, lambda **_: self._signal(Signals.end_now))

    def send_share(self, transport: Transport) -> None:
        """What a user does: takes a share of the flow, has it sent, and reports. A user that is stopped reports, too."""
        user = next(self._numbers)
        wanted = self._wanted[user] = AsyncResult()
        self._runner.send_message(SHARE_WANTED, {"user": user})
        share = wanted.get()
        if share is None:
            return
        signals = self._signals[user]
        report = AsyncResult()
        self._loop.call_soon_threadsafe(self._begin, share, transport, signals, report)
        try:
            report.wait()
        finally:
            self._loop.call_soon_threadsafe(signals.end_now)
            sent = self._report_of(share, report)
            del self._signals[user]
            self._runner.send_message(REPORT, sent.to_wire())

    def _report_of(self, share: Share, report: AsyncResult) -> ShareReport:
        try:
            sent: ShareReport = report.get(timeout=REPLIES_TIMEOUT_S)
        except gevent.Timeout:
            return ShareReport.of_failure(share, f"no replies {REPLIES_TIMEOUT_S:g} s after the end")
        return sent

    def _take(self, msg: Message, **_: Any) -> None:
        user, wire = msg.data["user"], msg.data["share"]
        if wire is not None:
            self._signals[user] = Signals()  # Before the user goes on: the next message may be the end.
        self._wanted.pop(user).set(None if wire is None else Share.from_wire(wire))

    def _signal(self, signal: Any) -> None:
        for signals in self._signals.values():
            self._loop.call_soon_threadsafe(signal, signals)

    # ------------------------------------------------------------------ in the event loop's thread

    def _begin(self, share: Share, transport: Transport, signals: Signals, report: AsyncResult) -> None:
        on_connected = partial(self._calls.soon, self._runner.send_message, CONNECTED, {})
        on_reply = partial(self._calls.soon, self._count, transport)
        sending = self._loop.create_task(send_share(share, transport, signals, on_connected, on_reply))
        sending.add_done_callback(lambda done: self._calls.soon(_pass_on, done, share, report))

    # ------------------------------------------------------------------ in a greenlet

    def _count(self, transport: Transport, message: FlowMessage, seconds: float, error: BaseException | None) -> None:
        """Adds a reply to Locust's statistics. That an order has ended before its cancel, for example, is no failure."""
        declined = message.action != "new" and isinstance(error, RexError) and error.code in DECLINED_AMENDS
        self._environment.events.request.fire(
            request_type=transport,
            name=message.action,
            response_time=seconds * 1000,
            response_length=0,
            exception=None if declined else error,
            context={},
        )


def _pass_on(done: asyncio.Task[ShareReport], share: Share, report: AsyncResult) -> None:
    """Passes the report to the user. Any error becomes one: the master waits for each account's."""
    error = done.exception()
    report.set(done.result() if error is None else ShareReport.of_failure(share, repr(error)))
