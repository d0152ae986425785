"""The webhook with a real receiver: it refuses, hangs and comes back, and gets every change in order. No time passes."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from load_tests.servers.server_process import free_port
from services.alerts.webhook import sender as sender_module
from services.alerts.webhook.notices import read_notices
from services.alerts.webhook.position import PositionFile
from services.alerts.webhook.sender import WAITS_S, WARN_AFTER_NS, Start, WebhookSender
from services.commands.attachments import AlertCleared
from services.files.data_folder import READ_DATABASE_FILE
from services.read_model.database import open_read_database
from tests.integration.alert_receiver import KEY, Receiver, receiving
from tests.integration.test_alerts import ORDER, put
from tests.integration.venue import RunningVenue, running_venue
from tests.patience import PATIENCE_S
from tests.unit.alerts.test_conditions import condition

pytestmark = pytest.mark.anyio


@dataclass
class Waits:
    """Waits that pass at once, unless they are held; each moves the venue's clock."""

    venue: RunningVenue
    seconds: list[float] = field(default_factory=list)
    pass_on: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the position of a new receiver is on the device: what happens from now on is sent to it."""

    def __post_init__(self) -> None:
        self.pass_on.set()

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.venue.clock.now_ns += int(seconds * 10**9)
        self.held.set()
        await asyncio.sleep(0)  # as a real wait does
        await self.pass_on.wait()


class ToldPosition(PositionFile):
    """Tells which positions are on the device; of the first one, where a new receiver begins, only that it is. Knows the
    threads that read and wrote them."""

    def __init__(self, path: Path, written: asyncio.Queue[int], begun: asyncio.Event) -> None:
        super().__init__(path)
        self._is_new = not path.exists()
        self._written = written
        self._begun = begun
        self._loop = asyncio.get_running_loop()
        self.threads: set[int] = set()

    def read(self, journal_id: bytes, last_seq: int) -> int | None:
        self.threads.add(threading.get_ident())
        return super().read(journal_id, last_seq)

    def write(self, journal_id: bytes, seq: int) -> None:
        self.threads.add(threading.get_ident())
        super().write(journal_id, seq)
        if self._is_new:
            self._loop.call_soon_threadsafe(self._begun.set)
        else:
            self._loop.call_soon_threadsafe(self._written.put_nowait, seq)
        self._is_new = False


@asynccontextmanager
async def sending(
    venue: RunningVenue,
    folder: Path,
    url: str,
    written: asyncio.Queue[int] | None = None,
    read_database: AsyncEngine | None = None,
) -> AsyncIterator[tuple[WebhookSender, Waits]]:
    await venue.projector.reached(venue.sequencer.last_seq)  # as a start waits
    waits = Waits(venue)
    position = ToldPosition(folder / "webhook.json", written or asyncio.Queue(), waits.begun)
    begin = Start(
        read_database or venue.read_database, venue.projector.reached, venue.state.last_seq, venue.engine.last_seq
    )
    sender = WebhookSender(url, KEY, begin, position, venue.clock, wait=waits, answer_s=PATIENCE_S)
    venue.state.alerts.listeners.append(sender.on_change)
    task = asyncio.create_task(sender.run())
    task.add_done_callback(lambda _: waits.held.set())
    try:
        yield sender, waits
        assert not task.done()  # it would end the venue
        assert threading.get_ident() not in position.threads  # each order would wait for the device
    finally:
        venue.state.alerts.listeners.remove(sender.on_change)
        task.cancel()
        await asyncio.wait([task])


def told(receiver: Receiver) -> list[tuple[str, str]]:
    return [(message.told["type"], message.told["data"]["alert_id"]) for message in receiver.taken]


async def test_raised_acknowledged_and_cleared_come_in_order(tmp_path: Path) -> None:
    async with (
        running_venue(tmp_path) as venue,
        receiving() as receiver,
        sending(venue, tmp_path, receiver.url) as (_, waits),
    ):
        await waits.begun.wait()
        (seq,) = await put(venue, condition("pace", 1).raised())
        await venue.client("operator").post(f"/v1/alerts/{seq}/acknowledge", json={"name": "Li Na"})
        (other, cleared) = await put(venue, condition("pace", 2).raised(), AlertCleared(alert=seq))
        taken = await receiver.until(4)
        assert told(receiver) == [
            ("alert.raised", str(seq)), ("alert.acknowledged", str(seq)), ("alert.raised", str(other)),
            ("alert.cleared", str(seq)),
        ]  # fmt: skip
        journal = venue.state.incarnation[:12]
        assert taken[0].message_id == f"{journal}-{seq}"
        assert taken[3].message_id == f"{journal}-{cleared}"
        (listed,) = (await venue.client("operator").get("/v1/alerts")).json()["alerts"]
        assert taken[2].told["data"] == listed


def time_outs_of_the_sender(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.Timeout]:
    """Those that it begins from now on."""
    begun: list[asyncio.Timeout] = []

    def timeout(seconds: float) -> asyncio.Timeout:
        begun.append(asyncio.timeout(seconds))
        return begun[-1]

    monkeypatch.setattr(sender_module, "asyncio", SimpleNamespace(**{**vars(asyncio), "timeout": timeout}))
    return begun


async def test_a_receiver_that_refuses_hangs_and_comes_back_gets_all_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time_outs = time_outs_of_the_sender(monkeypatch)
    async with running_venue(tmp_path) as venue, receiving(500, 302, 0, 204, 400) as receiver:
        async with sending(venue, tmp_path, receiver.url) as (_, waits):
            await put(venue, condition("pace", 1).raised(), condition("pace", 2).raised())
            await receiver.has(lambda: 0 in [message.answered for message in receiver.messages])
            time_outs[-1].reschedule(asyncio.get_running_loop().time())  # it has waited for the answer long enough
            taken = await receiver.until(2)
        first, second = taken
        sent = [(message.message_id, message.answered) for message in receiver.messages]
        assert sent == [(first.message_id, status) for status in (500, 302, 0, 204)] + [
            (second.message_id, 400),
            (second.message_id, 204),
        ]
        assert len({message.body for message in receiver.messages}) == 2
        assert waits.seconds == [*WAITS_S[:3], WAITS_S[0]]
        times = [int(message.timestamp) for message in receiver.messages[:4]]
        assert times == sorted(times)
        assert times[3] > times[0]  # each attempt is signed with its own time


async def test_a_receiver_that_is_away_slows_nobody_and_is_a_warning_after_long(tmp_path: Path) -> None:
    away = Receiver(port=free_port())
    async with running_venue(tmp_path) as venue, sending(venue, tmp_path, away.url) as (sender, waits):
        waits.pass_on.clear()
        (seq,) = await put(venue, condition("pace", 1).raised())
        await waits.held.wait()  # it has failed once
        for side in ("sell", "buy"):
            trader = venue.client("alice" if side == "sell" else "bob")
            assert (await trader.post("/v1/orders", json={**ORDER, "side": side})).status_code == 201
        assert sender.warnings() == []
        venue.clock.now_ns += WARN_AFTER_NS
        (warning,) = sender.warnings()
        assert "cannot be reached (ConnectError)" in warning
        assert "in-the-address" not in warning
        async with receiving(port=away.port) as back:
            waits.pass_on.set()
            await back.until(1)
            assert told(back) == [("alert.raised", str(seq))]
            await put(venue, condition("pace", 2).raised())
            await back.until(2)
        assert sender.warnings() == []


async def test_a_restart_sends_what_is_missing_and_nothing_twice(tmp_path: Path) -> None:
    written: asyncio.Queue[int] = asyncio.Queue()
    async with (
        running_venue(tmp_path) as venue,
        receiving() as receiver,
        sending(venue, tmp_path, receiver.url, written),
        asyncio.timeout(PATIENCE_S),
    ):
        (first,) = await put(venue, condition("pace", 1).raised())
        assert await written.get() == first
    async with running_venue(tmp_path) as venue, receiving() as receiver:
        _, other = await put(venue, AlertCleared(alert=first), condition("pace", 2).raised())
        async with sending(venue, tmp_path, receiver.url):
            await receiver.until(2)
        assert told(receiver) == [("alert.cleared", str(first)), ("alert.raised", str(other))]


async def test_a_new_receiver_gets_the_open_alerts_and_what_comes(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue, receiving() as receiver:
        over, is_open = await put(venue, condition("pace", 1).raised(), condition("pace", 2).raised())
        await put(venue, AlertCleared(alert=over))
        async with sending(venue, tmp_path, receiver.url):
            await receiver.until(2)
        assert told(receiver) == [("alert.raised", str(is_open)), ("alert.cleared", str(over))]


async def test_the_acknowledgement_of_a_cleared_alert_is_sent_also_after_a_start(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        (seq,) = await put(venue, condition("pace", 1).raised())
        await put(venue, AlertCleared(alert=seq))
    async with (
        running_venue(tmp_path) as venue,
        receiving() as receiver,
        sending(venue, tmp_path, receiver.url) as (_, waits),
    ):
        await waits.begun.wait()
        await venue.client("operator").post(f"/v1/alerts/{seq}/acknowledge", json={"name": "Li Na"})
        (message,) = await receiver.until(1)
        assert (message.told["type"], message.told["data"]["state"]) == ("alert.acknowledged", "cleared")


async def test_what_changes_while_a_new_receiver_s_sender_starts_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_venue(tmp_path) as venue, receiving() as receiver:
        (seq,) = await put(venue, condition("pace", 1).raised())
        await put(venue, AlertCleared(alert=seq))
        reached, may_begin = venue.projector.reached, asyncio.Event()
        may_begin.set()

        async def when_it_may(to: int) -> None:
            await may_begin.wait()
            await reached(to)

        monkeypatch.setattr(venue.projector, "reached", when_it_may)
        async with sending(venue, tmp_path, receiver.url):
            may_begin.clear()  # before the sender's task has run
            monkeypatch.undo()
            await venue.client("operator").post(f"/v1/alerts/{seq}/acknowledge", json={"name": "Li Na"})
            await reached(venue.sequencer.last_seq)
            may_begin.set()
            (message,) = await receiver.until(1)
            assert (message.told["type"], message.told["data"]["state"]) == ("alert.acknowledged", "cleared")


async def test_an_environment_without_connections_is_a_warning_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_venue(tmp_path) as venue:
        for name, value in (
            ("HTTPS_PROXY", "socks5://127.0.0.1:1"), ("ALL_PROXY", "ftp://127.0.0.1:1"), ("SSL_CERT_FILE", "/nowhere.pem"),
        ):  # fmt: skip
            with monkeypatch.context() as environment:
                environment.setenv(name, value)
                async with sending(venue, tmp_path, "https://receiver.invalid/in-the-address") as (sender, waits):
                    await waits.held.wait()
                    assert waits.seconds
                    venue.clock.now_ns += WARN_AFTER_NS
                    (warning,) = sender.warnings()
                    assert "no connection can be made (" in warning
                    assert value not in warning


async def test_what_a_read_database_that_stands_still_lacks_is_sent(tmp_path: Path) -> None:
    """The alert that the read database is behind is one of these."""
    async with running_venue(tmp_path) as venue, receiving() as receiver:
        await venue.projector.reached(venue.sequencer.last_seq)
        copied(tmp_path / READ_DATABASE_FILE, tmp_path / "still.db")
        still = open_read_database(tmp_path / "still.db")
        written: asyncio.Queue[int] = asyncio.Queue()
        async with sending(venue, tmp_path, receiver.url, written, still), asyncio.timeout(PATIENCE_S):
            first, second = await put(venue, condition("projector_lag", 1).raised(), condition("pace", 2).raised())
            assert [await written.get(), await written.get()] == [first, second]
        # A start, with the same read database still: nothing twice.
        async with sending(venue, tmp_path, receiver.url, written, still), asyncio.timeout(PATIENCE_S):
            (cleared,) = await put(venue, AlertCleared(alert=first))
            assert await written.get() == cleared
        assert told(receiver) == [
            ("alert.raised", str(first)), ("alert.raised", str(second)), ("alert.cleared", str(first)),
        ]  # fmt: skip
        await venue.projector.reached(cleared)
        async with venue.read_database.connect() as connection:
            journal_id = bytes.fromhex(venue.state.incarnation)
            kept = await read_notices(connection, journal_id, 0)
        sent = [(message.message_id, message.body) for message in receiver.taken]
        assert sent == [(message_id, body) for _, message_id, body in kept]
        await still.dispose()


def copied(path: Path, copy: Path) -> None:
    source, target = sqlite3.connect(path), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()


async def test_no_log_holds_the_address(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with running_venue(tmp_path) as venue, receiving(500) as receiver, sending(venue, tmp_path, receiver.url):
        await put(venue, condition("pace", 1).raised())
        await receiver.until(1)
    assert "in-the-address" not in caplog.text
