"""The master's side: one replay after the other, each sent by the users of all workers, and judged here.

`load_tests/replay` runs as from the command line, in a native thread. Only its sending is done by others: distribution.py.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
from itertools import count
from typing import Any

import gevent
from locust.env import Environment
from locust.rpc import Message
from locust.runners import MasterRunner, Runner

from load_tests.locust.distribution import Distribution
from load_tests.locust.greenlet_calls import GreenletCalls
from load_tests.locust.shares import CONNECTED, REPORT, SHARE, SHARE_WANTED, ShareReport
from load_tests.replay.account_stream import Json
from load_tests.replay.replay import replay_options, run_to_end
from load_tests.replay.result import print_result, verdict_sentence

MOST_USERS_PER_S = 100
"""Locust warns of more."""

log = logging.getLogger(__name__)


class Master:
    """Runs one replay after the other: each begins with the first tick of Locust's shape, and ends with its test."""

    def __init__(self, environment: Environment, runner: Runner, options: argparse.Namespace) -> None:
        self._environment = environment
        self._runner = runner
        self._options = options
        self._calls = GreenletCalls()
        self._runs = count(1)
        self._distribution: Distribution | None = None
        runner.register_message(SHARE_WANTED, self._hand_out)
        runner.register_message(CONNECTED, self._connected)
        runner.register_message(REPORT, self._report)
        environment.events.test_stopping.add_listener(self._stopping)
        self._worst_status = 0

    def tick(self) -> tuple[int, float] | None:
        """A user for each account, until all have reported, a worker is lost, or the replay has ended."""
        if self._distribution is None:
            if isinstance(self._runner, MasterRunner) and not self._runner.worker_count:
                log.error("No worker is connected: there is no one to send the flow.")
                return None
            self._distribution = self._begin()
        distribution = self._distribution
        distribution.opened.wait()
        if self._replay.ready():
            self._print(distribution)
            return None
        if distribution.reported.is_set() or distribution.lost():
            return None
        return len(distribution.shares), min(len(distribution.shares), MOST_USERS_PER_S)

    def _begin(self) -> Distribution:
        distribution = Distribution(next(self._runs), self._runner, self._calls)
        url, options = self._environment.host or "", self._options

        def work(stages: Any) -> Any:
            return replay_options(options, url, options.key, stages, distribution.send)

        if self._environment.parsed_options is not None and self._environment.parsed_options.headless:
            self._environment.process_exit_code = 1  # until there is a verdict
            # Locust itself lets Ctrl-C break off whatever greenlet runs, and SIGTERM the whole process, without a verdict.
            for number in (signal.SIGINT, signal.SIGTERM):
                gevent.signal_handler(number, self._runner.quit)
        self._replay = gevent.get_hub().threadpool.spawn(run_to_end, work, shows_progress=False)
        self._replay.rawlink(lambda _: distribution.opened.set())
        return distribution

    def _hand_out(self, msg: Message, **_: Any) -> None:
        if self._distribution is None:
            self._runner.send_message(SHARE, {"user": msg.data["user"], "share": None}, msg.node_id)
        else:
            self._distribution.hand_out(msg.node_id, msg.data["user"])

    def _connected(self, **_: Any) -> None:
        if self._distribution is not None:
            self._distribution.count_connected()

    def _report(self, msg: Message, **_: Any) -> None:
        if self._distribution is not None:
            self._distribution.take(ShareReport.from_wire(msg.data))

    def _stopping(self, **_: Any) -> None:
        """Judges before Locust stops the users: a headless master does not wait for its workers."""
        distribution = self._distribution
        if distribution is None:
            return
        if not self._replay.ready() and not distribution.reported.is_set():
            distribution.end()
        self._print(distribution)

    def _print(self, distribution: Distribution) -> None:
        """Waits for the verdict, prints the result, and sets the exit status: the worst of all replays."""
        self._replay.wait()
        if self._distribution is not distribution:  # A second stop has waited for the same verdict.
            return
        self._distribution = None
        status, result = self._replay.get()
        self._environment.process_exit_code = self._worst_status = max(status, self._worst_status)
        if result is not None:
            self._write(result)

    def _write(self, result: Json) -> None:
        if self._options.result is not None:
            self._options.result.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        print_result(result)
        log.log(logging.INFO if result["verdict"]["green"] else logging.ERROR, verdict_sentence(result))
