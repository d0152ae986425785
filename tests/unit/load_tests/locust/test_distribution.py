"""The end of a distribution that goes wrong: Locust's own runner, the accounts' users, and a venue that refuses one key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from rex_client import RexClient

from load_tests import progress
from load_tests.flows.flow_message import Flow
from load_tests.locust.greenlet_calls import GreenletCalls
from load_tests.locust.shares import CONNECTED, REPORT, SHARE_WANTED, ShareReport
from load_tests.replay.accounts import Senders, TradingAccount
from load_tests.replay.pace import Pace
from load_tests.replay.sending import SendingFailed
from load_tests.replay.venue_replay import Replay
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from locust.runners import LocalRunner

    from load_tests.locust.distribution import Distribution
    from load_tests.locust.worker import Worker

FLOW = Flow("of no message", [])
ANSWER = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"


class Distributed:
    """A distribution and the worker of its users, in one process."""

    def __init__(self, runner: LocalRunner, distribution: Distribution, worker: Worker) -> None:
        self.distribution = distribution
        self.worker = worker
        runner.register_message(SHARE_WANTED, lambda msg, **_: distribution.hand_out("local", msg.data["user"]))
        runner.register_message(CONNECTED, lambda **_: distribution.count_connected())
        runner.register_message(REPORT, lambda msg, **_: distribution.take(ShareReport.from_wire(msg.data)))

    def replay(self, *keys: str) -> Any:
        """Begins, in a native thread, the replay of an empty flow by the accounts that have these keys."""
        return gevent.get_hub().threadpool.spawn(asyncio.run, _replay(self.distribution, keys))

    def user(self) -> Any:
        """Starts a user."""
        return gevent.spawn(self.worker.send_share, "REST")


@pytest.fixture
def distributed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Distributed]:
    monkeypatch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")  # The other tests of this process are not gevent's.
    from locust.env import Environment

    from load_tests.locust.distribution import Distribution
    from load_tests.locust.worker import Worker

    environment = Environment()
    runner = environment.create_local_runner()
    yield Distributed(runner, Distribution(1, runner, GreenletCalls()), Worker(environment, runner))
    runner.quit()


async def _replay(distribution: Distribution, keys: tuple[str, ...]) -> object:
    """The venue knows every key but `unknown`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        status, body = (
            (b"401 Unauthorized", b'{"code": "unknown_key"}') if b"unknown" in request else (b"200 OK", b"{}")
        )
        writer.write(ANSWER % (status, len(body), body))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with RexClient(url, "operator") as operator:
            with progress.shown(enabled=False) as stages:
                replay = Replay(url, operator, FLOW, Pace(), stages)
                replay.senders = Senders.of(FLOW, len(keys))
                replay.opened = [TradingAccount(number, "", key) for number, key in enumerate(keys)]
                return await distribution.send(replay)


def test_an_account_that_cannot_connect_ends_the_replay_for_all(distributed: Distributed) -> None:
    """The first account is ready and waits for the second, which is refused; the third one's user comes too late."""
    replay = distributed.replay("known", "unknown", "known")
    assert distributed.distribution.opened.wait(PATIENCE_S)
    users = [distributed.user(), distributed.user()]
    with pytest.raises(SendingFailed, match=r"Account 1 .* unknown_key"):
        replay.get(timeout=PATIENCE_S)
    users.append(distributed.user())
    assert len(gevent.joinall(users, timeout=PATIENCE_S)) == 3
    assert distributed.distribution.reported.is_set()


def test_an_account_that_fails_otherwise_is_reported_too(distributed: Distributed) -> None:
    """Its key is no header's value: an error that neither the venue nor the connection gives."""
    replay = distributed.replay("known", "key\nof two lines")
    assert distributed.distribution.opened.wait(PATIENCE_S)
    users = [distributed.user(), distributed.user()]
    with pytest.raises(SendingFailed, match="Account 1 "):
        replay.get(timeout=PATIENCE_S)
    assert len(gevent.joinall(users, timeout=PATIENCE_S)) == 2


def test_a_stop_before_the_accounts_are_open_ends_the_replay_when_they_are(distributed: Distributed) -> None:
    distributed.distribution.end()
    with pytest.raises(SendingFailed, match="before its first message"):
        distributed.replay("known").get(timeout=PATIENCE_S)


def test_a_second_stop_finds_the_replay_judged(distributed: Distributed) -> None:
    replay = distributed.replay("known")
    assert distributed.distribution.opened.wait(PATIENCE_S)
    user = distributed.user()
    sent = replay.get(timeout=PATIENCE_S)
    assert [report.messages for report in sent.reports] == [0]
    distributed.distribution.end()
    assert user.join(PATIENCE_S) is None
