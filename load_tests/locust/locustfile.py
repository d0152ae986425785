"""Replays a flow from many machines: docs/load_tests.md, "From many machines".

locust -f load_tests/locust/locustfile.py --master --host http://venue:8000 --key OPERATOR_KEY --flow FILE
locust -f load_tests/locust/locustfile.py --worker --master-host MASTER
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any, ClassVar

from locust import LoadTestShape, User, events, task
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, Runner, WorkerRunner

from load_tests.locust.account_sending import Transport
from load_tests.locust.master import Master
from load_tests.locust.worker import Worker
from load_tests.replay.options import add_options, check_options


class Account(User):
    """A user that sends one account's part of the flow, and ends."""

    abstract = True
    worker: ClassVar[Worker]
    transport: ClassVar[Transport]

    @task
    def send_share(self) -> None:
        """Takes an account, sends its messages, reports to the master."""
        self.worker.send_share(self.transport)
        raise StopUser


class WebSocketAccount(Account):
    """Sends over a WebSocket, many messages under way at once."""

    transport: ClassVar[Transport] = "WebSocket"


class RestAccount(Account):
    """Sends over REST, one request at a time."""

    transport: ClassVar[Transport] = "REST"


class AccountsOfTheFlow(LoadTestShape):
    """A user for each account of the flow; the test ends when all have sent their messages."""

    master: ClassVar[Master]

    def tick(self) -> tuple[int, float] | None:
        """The number of users, and how many to start in a second; None: the test is over."""
        return self.master.tick()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of a replay. As a group they stay out of Locust's page: they hold for the life of the master."""
    group = parser.add_argument_group("replay", "What the master replays. Workers need none of these.")
    add_options(group, source_required=False)
    group.add_argument("--key", help="a key with the scopes read, operate and admin")
    group.add_argument("--result", type=Path, metavar="FILE", help="write the result, with the verdict, as JSON")


def begin(environment: Environment, runner: Runner, **_: Any) -> None:
    """Makes this process a master, a worker, or both."""
    options = _own_options(environment, is_master=not isinstance(runner, WorkerRunner))
    if not isinstance(runner, WorkerRunner):
        AccountsOfTheFlow.master = Master(environment, runner, options)
    if not isinstance(runner, MasterRunner):
        Account.worker = Worker(environment, runner)


def _own_options(environment: Environment, *, is_master: bool) -> argparse.Namespace:
    """Takes our options, of which one is a key, out of those that Locust sends to workers. Ends a master with status 2 for bad
    usage."""
    parser = argparse.ArgumentParser(prog="locust -f load_tests/locust/locustfile.py")
    add_arguments(parser)
    options = parser.parse_args([])
    for name in vars(options):
        setattr(options, name, getattr(environment.parsed_options, name))
        setattr(environment.parsed_options, name, None)
    if is_master:
        if options.flow is None and options.year is None:
            parser.error("one of the arguments --flow --year is required")
        if options.key is None or environment.host is None:
            parser.error("the following arguments are required: --host, --key")
        check_options(parser, options)
    return options


logging.getLogger("httpx").setLevel(logging.WARNING)  # It logs every request.
events.init_command_line_parser.add_listener(add_arguments)
events.init.add_listener(begin)
