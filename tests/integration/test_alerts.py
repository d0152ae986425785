"""Alerts of a venue: raised by the monitor, listed, acknowledged, pushed, kept, compared by a proof. And closed days."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine.records import Command
from services.alerts.conditions import Condition
from services.alerts.following import FollowedAlerts
from services.alerts.judging import DaysJudge
from services.alerts.monitor import PUT_AGAIN_NS, AlertMonitor, Watched
from services.alerts.reading import judge_days
from services.commands import administrative as admin
from services.commands.attachments import (
    AlertAcknowledged,
    AlertCleared,
    AlertRaised,
    DayClosed,
    ProofAgreed,
    read_decision,
)
from services.data.calendar import TradingCalendar
from services.files.data_folder import READ_DATABASE_FILE
from services.messaging import InboxFull, Submission
from services.processes.child_process import NoAnswer
from services.read_model.database import open_read_database
from services.reporting.exports.day_seal import day_numbers
from services.reporting.proven import ProofAge, Proven
from services.venue_state.alerts import VenueAlert, VenueAlerts
from services.venue_state.loading import load_state
from tests.integration.served_venue import served_venue
from tests.integration.test_reporting import figure_at
from tests.integration.test_websocket_channels import until_seq
from tests.integration.venue import START_NS, RunningVenue, running_venue
from tests.patience import PATIENCE_S
from tests.unit.alerts.test_conditions import condition

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000.00", "quantity": 1}
CRITICAL = Condition("projector_lag", "projector_lag", "read database", "critical", "It is behind.", "落后。")


class WriteBatch:
    """Collects the changes of the venue's alerts, and waits for them."""

    def __init__(self, venue: RunningVenue) -> None:
        self._queue: asyncio.Queue[tuple[VenueAlert, int]] = asyncio.Queue()
        venue.state.alerts.listeners.append(lambda alert, seq: self._queue.put_nowait((alert, seq)))

    async def next(self, count: int) -> list[tuple[VenueAlert, int]]:
        async with asyncio.timeout(PATIENCE_S):
            return [await self._queue.get() for _ in range(count)]


async def put(venue: RunningVenue, *changes: AlertRaised | AlertCleared) -> list[int]:
    """Journals changes that each change an alert; returns their seqs once the gateway has applied them."""
    heard = WriteBatch(venue)
    await venue.inbox.put(admin.recorded(Command(), changes))
    return [seq for _, seq in await heard.next(len(changes))]


async def listed(venue: RunningVenue, **query: Any) -> list[dict[str, Any]]:
    answer = await venue.client("operator").get("/v1/alerts", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["alerts"]
    return found


# ---------------------------------------------------------------------- routes


async def test_an_alert_is_listed_acknowledged_once_and_cleared(venue: RunningVenue) -> None:
    first, second = await put(venue, condition("pace", 1).raised(), CRITICAL.raised())
    assert [(alert["alert_id"], alert["severity"]) for alert in await listed(venue)] == [
        (str(second), "critical"),
        (str(first), "warning"),
    ]
    operator, path = venue.client("operator"), f"/v1/alerts/{first}/acknowledge"
    seen = await operator.post(path, json={"name": "Li Na", "note": "the board knows"})
    assert seen.status_code == 200
    assert seen.json()["acknowledged"]["name"] == "Li Na"
    assert seen.json()["seq"] == seen.json()["acknowledged"]["seq"] > second
    again = await operator.post(path, json={"name": "Wang"})
    assert (again.status_code, again.json()["code"]) == (409, "already_acknowledged")
    assert "Li Na" in again.json()["detail"]
    await put(venue, AlertCleared(alert=first))
    assert [alert["alert_id"] for alert in await listed(venue)] == [str(second)]
    cleared = (await listed(venue, state="all"))[1]
    assert (cleared["state"], cleared["acknowledged"]["note"]) == ("cleared", "the board knows")


async def test_a_cleared_alert_can_still_be_acknowledged(venue: RunningVenue) -> None:
    (seq,) = await put(venue, condition("pace", 1).raised())
    await put(venue, AlertCleared(alert=seq))
    seen = await venue.client("operator").post(f"/v1/alerts/{seq}/acknowledge", json={"name": "Li Na"})
    assert (seen.status_code, seen.json()["state"], seen.json()["acknowledged"]["note"]) == (200, "cleared", "")


async def test_of_acknowledgements_at_the_same_time_one_holds(venue: RunningVenue) -> None:
    (seq,) = await put(venue, condition("pace", 1).raised())
    operator, names = venue.client("operator"), [f"operator {number}" for number in range(5)]
    answers = await asyncio.gather(
        *(operator.post(f"/v1/alerts/{seq}/acknowledge", json={"name": name}) for name in names)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    held = next(answer.json()["acknowledged"]["name"] for answer in answers if answer.status_code == 200)
    assert (await listed(venue))[0]["acknowledged"]["name"] == held


async def test_the_pages_of_the_list_hold_each_alert_once(venue: RunningVenue) -> None:
    seqs = await put(venue, *(condition("pace", number).raised() for number in range(7)))
    for state in ("open", "all"):
        found, cursor = list[str](), None
        while True:
            query = {"state": state, "limit": "3", **({} if cursor is None else {"cursor": cursor})}
            page = (await venue.client("operator").get("/v1/alerts", params=query)).json()
            found += [alert["alert_id"] for alert in page["alerts"]]
            if (cursor := page["next_cursor"]) is None:
                break
        assert found == [str(seq) for seq in reversed(seqs)]


async def test_names_what_is_wrong(refusing_venue: RunningVenue) -> None:
    name = {"name": "Li Na"}
    for method, path, body, status, named in (
        ("GET", "?state=closed", None, 422, "state"),
        ("GET", "?cursor=x", None, 422, "cursor"),
        ("POST", "/99999999/acknowledge", name, 404, ""),
        ("POST", "/1x/acknowledge", name, 404, ""),
        ("POST", "/1/acknowledge", {"name": ""}, 422, "name"),
        ("POST", "/1/acknowledge", name | {"note": "x" * 501}, 422, "note"),
        ("POST", "/1/acknowledge", name | {"why": ""}, 422, "why"),
    ):
        answer = await refusing_venue.client("operator").request(method, f"/v1/alerts{path}", json=body)
        assert answer.status_code == status
        assert ", ".join(error["field"] for error in answer.json()["errors"]) == named


async def test_health_shows_number_and_kind_of_open_critical_alerts(venue: RunningVenue) -> None:
    _, critical = await put(venue, condition("pace", 1).raised(), CRITICAL.raised())
    health = venue.client(None)
    assert (await health.get("/healthz")).json()["warnings"] == [
        f"Alert {critical} (projector_lag) is open: GET /v1/alerts."
    ]
    await put(venue, AlertCleared(alert=critical))
    assert (await health.get("/healthz")).json()["warnings"] == []


async def test_health_without_a_key_names_no_account(venue: RunningVenue) -> None:
    key, sentence = "abnormal_trading:20231201:2", "Abnormal trading of alice on 2023-12-01: 600 cancels in PRND-OX."
    ban = Condition("abnormal_trading", key, "2:20231201", "critical", sentence, "alice在2023-12-01交易异常。")
    (seq,) = await put(venue, ban.raised())
    accounts = (await venue.client("operator").get("/v1/admin/accounts")).json()["accounts"]
    names = [account["name"] for account in accounts]
    assert "alice" in names
    for path in ("/healthz", "/readyz"):
        answer = await venue.client(None).get(path)
        assert f"Alert {seq} (abnormal_trading) is open" in answer.text
        assert [name for name in names if name in answer.text] == []


# ---------------------------------------------------------------------- kept


async def test_a_restart_and_a_proof_know_the_alerts(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        first, second, _ = await put(venue, *(condition("pace", number).raised() for number in range(3)))
        await put(venue, AlertCleared(alert=first))
        await venue.client("operator").post(f"/v1/alerts/{second}/acknowledge", json={"name": "Li Na"})
        before = await listed(venue, state="all")
        kept = dict(venue.state.alerts.open)
        figure = await figure_at(venue, venue.sequencer.last_seq, None)
        assert figure.differences == ()
        followed = await FollowedAlerts.load(venue.read_database)
    async with running_venue(tmp_path) as venue:
        assert await listed(venue, state="all") == before
        assert venue.state.alerts.open == kept == followed.alerts.open


async def test_a_process_without_a_gateway_follows_them_to_the_same(venue: RunningVenue) -> None:
    followed = FollowedAlerts(VenueAlerts(), 0)
    (seq,) = await put(venue, condition("pace", 1).raised())
    await venue.client("operator").post(f"/v1/alerts/{seq}/acknowledge", json={"name": "Li Na", "note": "seen"})
    async for batch in venue.journal.read(0):
        followed.apply(batch)
        followed.apply(batch)  # a batch that was applied before changes nothing
    assert followed.alerts.open == venue.state.alerts.open
    assert followed.last_seq == venue.sequencer.last_seq
    await venue.projector.reached(followed.last_seq)
    assert (await load_state(venue.read_database)).alerts.open == venue.state.alerts.open


# ---------------------------------------------------------------------- the channel


async def test_the_channel_pushes_what_the_journal_says(tmp_path: Path) -> None:
    async with served_venue(tmp_path) as served:
        (first,) = await put(served.venue, condition("pace", 1).raised())
        operator = await served.client("operator")
        async with operator.subscribe(["alerts"]) as pushes:
            snapshot = await anext(pushes)
            assert [alert["alert_id"] for alert in snapshot["data"]["alerts"]] == [str(first)]
            seqs = await put(served.venue, AlertCleared(alert=first), CRITICAL.raised())
            (update,) = await until_seq(pushes, seqs[1])
            assert (update["prev_seq"], update["symbol"]) == (snapshot["seq"], None)
            told = [(alert["alert_id"], alert["state"]) for alert in update["data"]["alerts"]]
            assert told == [(str(first), "cleared"), (str(seqs[1]), "open")]


# ---------------------------------------------------------------------- the monitor


@dataclass
class Proofs:
    """The proofs of a venue."""

    latest: dict[int, Proven] = field(default_factory=dict)
    unrecorded: deque[Proven] = field(default_factory=deque)
    age: ProofAge | None = None


class Monitored:
    """A monitor of the venue, and what its looks submit."""

    def __init__(
        self,
        venue: RunningVenue,
        proofs: Proofs | None = None,
        *,
        quiet_s: int = 900,
        read_database: AsyncEngine | None = None,
    ) -> None:
        self._venue = venue
        self._submitted = 0
        self.put_commands = 0
        """Number of commands that the last look submitted."""
        read_database, calendar = read_database or venue.read_database, TradingCalendar.load()
        self.watched = watched = Watched(
            followed=venue.state,
            market=venue.engine,
            read_database=read_database,
            judge=partial(judge_days, read_database.connect, calendar),  # in this process: the outcome is the same
            calendar=calendar,
            proofs=proofs or Proofs(),
            put=self._put,
            clock=venue.clock,
        )
        self.monitor = AlertMonitor(watched, every_s=0, quiet_s=quiet_s)

    async def _put(self, submission: Submission) -> None:
        told = [read_decision(attachment) for attachment in submission.attachments]
        self._submitted += sum(not isinstance(change, DayClosed | ProofAgreed) for change in told)
        self.put_commands += len(told)
        await self._venue.inbox.put(submission)

    async def look(self) -> list[str]:
        """One look at a projected venue. The keys of what it raised, and of what it cleared after a `-`, once applied."""
        heard, self._submitted, self.put_commands = WriteBatch(self._venue), 0, 0
        await self._venue.projector.reached(self._venue.sequencer.last_seq)
        await self.monitor.look()
        assert self.monitor.warnings() == []
        changed = await heard.next(self._submitted)
        return [alert.key if alert.seq == seq else f"-{alert.key}" for alert, seq in changed]


async def test_a_proof_that_fails_is_an_alert_until_one_agrees(venue: RunningVenue) -> None:
    proofs = {2023: Proven(2023, 40, 1, {"agree": False}, None)}
    monitored = Monitored(venue, Proofs(proofs))
    assert await monitored.look() == ["proof_failed:2023"]
    assert await Monitored(venue).look() == []  # a restart: no proof yet
    proofs[2023] = Proven(2023, 50, 2, {"agree": True}, None)
    assert await monitored.look() == ["-proof_failed:2023"]
    assert venue.state.alerts.open == {}


async def test_each_proof_that_agreed_is_recorded_once_and_told_by_the_report(venue: RunningVenue) -> None:
    async def told() -> list[int | None]:
        await venue.projector.reached(venue.sequencer.last_seq)
        reports = [await venue.client("operator").get(f"/v1/reports/turnover/{year}") for year in (2022, 2023)]
        return [report.json()["proven_seq"] for report in reports]

    unrecorded = deque([agreed(2022, 30), agreed(2023, 40), agreed(2023, 41)])
    assert await told() == [None, None]
    for monitored in (Monitored(venue, Proofs(unrecorded=unrecorded)), Monitored(venue, Proofs(unrecorded=unrecorded))):
        before = venue.sequencer.last_seq
        await monitored.look()
        await venue.projector.reached(before + monitored.put_commands)
        assert await told() == [30, 41]
    assert monitored.put_commands == 0
    report = (await venue.client("operator").get("/v1/reports/turnover/2023")).json()
    assert report["proven_at"] == report["as_of"]


async def test_a_proof_that_the_inbox_does_not_take_is_recorded_later(venue: RunningVenue) -> None:
    async def full(_submission: Submission) -> None:
        raise InboxFull("the inbox is full")

    unrecorded = deque([agreed(2023, 40)])
    monitored = Monitored(venue, Proofs(unrecorded=unrecorded))
    await AlertMonitor(replace(monitored.watched, put=full), every_s=0, quiet_s=0).look()
    assert len(unrecorded) == 1
    await monitored.look()
    assert (monitored.put_commands, len(unrecorded)) == (1, 0)


def agreed(year: int, seq: int) -> Proven:
    return Proven(year, seq, 1, {"agree": True}, None)


async def test_what_the_journal_does_not_take_is_not_put_again_and_again(venue: RunningVenue) -> None:
    puts = list[Submission]()

    async def stalled(submission: Submission) -> None:
        puts.append(submission)

    watched = Monitored(venue, Proofs({2023: Proven(2023, 40, 1, {"agree": False}, None)})).watched
    monitor = AlertMonitor(replace(watched, put=stalled), every_s=0, quiet_s=0)
    for _ in range(3):
        await monitor.look()
    assert len(puts) == 1
    venue.clock.now_ns += PUT_AGAIN_NS  # it may be lost: the leader that took it may be gone
    await monitor.look()
    assert len(puts) == 2


async def test_silence_in_the_session_is_an_alert_that_its_own_commands_do_not_end(venue: RunningVenue) -> None:
    unrecorded = deque[Proven]()
    monitored = Monitored(venue, Proofs(unrecorded=unrecorded), quiet_s=60)
    assert await monitored.look() == []
    venue.clock.now_ns += 61 * 10**9
    assert await monitored.look() == ["journal_quiet"]
    assert await monitored.look() == []  # the alert itself is a command
    unrecorded.append(agreed(2023, 40))
    assert [await monitored.look() for _ in range(2)] == [[], []]  # and so is the record of a proof
    monitored = Monitored(venue, quiet_s=60)
    assert await monitored.look() == []  # nor has a restart ended it
    assert (await venue.client("alice").post("/v1/orders", json=ORDER)).status_code == 201
    assert await monitored.look() == ["-journal_quiet"]


async def test_a_read_database_that_does_not_move_is_behind_also_where_it_cannot_be_read(
    venue: RunningVenue, tmp_path: Path
) -> None:
    path = tmp_path / "nobody_projects.db"
    read_database = open_read_database(path)
    monitored, heard = Monitored(venue, read_database=read_database), WriteBatch(venue)
    assert await monitored.look() == []
    await read_database.dispose()  # an open connection would still find the file
    with hidden_file(path):
        venue.clock.now_ns += 61 * 10**9
        await monitored.monitor.look()
        (warning,) = monitored.monitor.warnings()
        assert warning.startswith("The read database could not be looked at for alerts: ")
        assert [alert.key for alert, _ in await heard.next(1)] == ["projector_lag"]
    assert await monitored.look() == []
    assert await Monitored(venue, read_database=read_database).look() == []  # a restart
    assert await Monitored(venue).look() == ["-projector_lag"]  # on a read database that has all commands
    await read_database.dispose()


@contextmanager
def hidden_file(path: Path) -> Iterator[None]:
    """In its place is a folder, which SQLite cannot open."""
    elsewhere = path.with_suffix(".hidden")
    path.rename(elsewhere)
    path.mkdir()
    try:
        yield
    finally:
        path.rmdir()
        elsewhere.rename(path)


async def trade_on(venue: RunningVenue, day: date) -> None:
    """One trade at ten o'clock of this day; its first command rolls the day."""
    venue.clock.now_ns = START_NS + (day - date(2023, 12, 1)).days * 86_400 * 10**9
    for name, side in (("alice", "sell"), ("bob", "buy")):
        answer = await venue.client(name).post("/v1/orders", json={**ORDER, "side": side})
        assert answer.status_code == 201, answer.text


async def test_a_pace_that_turned_on_a_day_that_nobody_judged_is_an_alert(venue: RunningVenue) -> None:
    """The verdict turned at the end of 20 December; the first look comes four trading days later."""
    for day in [day for day in TradingCalendar.load().days(2023) if day.month == 12 and day.day <= 27]:
        await trade_on(venue, day)
    assert await Monitored(venue).look() == ["pace:2023:behind"]


async def test_the_pace_of_a_year_is_judged_at_the_end_of_a_day(venue: RunningVenue) -> None:
    """The venue opened on 1 December and trades far less than it needs; its 20th day makes a recent mean."""
    monitored, turns = Monitored(venue), dict[str, list[str]]()
    for day in [day for day in TradingCalendar.load().days(2023) if day.month == 12]:
        await trade_on(venue, day)
        if found := await monitored.look():
            turns[str(day)] = found
    assert turns == {
        "2023-12-21": ["pace:2023:behind"],
        "2023-12-29": ["-pace:2023:behind", "pace:2023:out_of_reach", "pace:2023:red"],
    }
    red = venue.state.alerts.open["pace:2023:red"]
    assert "is red at the end of 2023-12-28: each day left needs" in red.sentence
    assert await Monitored(venue).look() == []  # a restart sees the same, which is open already
    await trade_on(venue, date(2024, 1, 2))
    assert await monitored.look() == ["-pace:2023:out_of_reach", "-pace:2023:red", "pace:2023:closed_missed"]


async def test_a_new_target_is_judged_without_waiting_for_the_night_and_a_process_judges_as_this_one(
    venue: RunningVenue, tmp_path: Path
) -> None:
    monitored = Monitored(venue)
    for day in [day for day in TradingCalendar.load().days(2023) if day.month == 12]:
        await trade_on(venue, day)
    await venue.projector.reached(venue.sequencer.last_seq)
    red = Condition("pace", "pace:2023:red", "2023", "critical", "Red.", "红。").raised()
    is_open = {red.key: VenueAlert(1, 1, **red.model_dump(exclude={"type"}))}
    here = await judge_days(venue.read_database.connect, TradingCalendar.load(), is_open)
    assert here is not None
    assert [condition.key for condition in here.holding] == ["pace:2023:out_of_reach", "pace:2023:red"]
    assert len(here.closings) == 20
    assert await DaysJudge(tmp_path / READ_DATABASE_FILE, None, 0)(is_open) == here
    with pytest.raises(NoAnswer, match=r"none\.db"):
        await DaysJudge(tmp_path / "none.db", None, 0)({})

    assert await monitored.look() == ["pace:2023:out_of_reach", "pace:2023:red"]
    body = {"year": 2023, "amount": "1000000.00", "name": "less", "why": "the board", "replaces": await _target(venue)}
    answer = await venue.client("operator").post("/v1/admin/targets", json=body)
    assert answer.status_code == 201, answer.text
    assert await monitored.look() == ["-pace:2023:out_of_reach", "-pace:2023:red"]


async def _target(venue: RunningVenue) -> int:
    found = (await venue.client("operator").get("/v1/reports/targets/2023")).json()["targets"]
    return int(found[-1]["seq"])


async def test_acknowledged_by_a_command_of_another_gateway(venue: RunningVenue) -> None:
    (seq,) = await put(venue, condition("pace", 1).raised())
    heard = WriteBatch(venue)
    await venue.inbox.put(admin.record(Command(), AlertAcknowledged(alert=seq, name="Wang")))
    await heard.next(1)
    again = await venue.client("operator").post(f"/v1/alerts/{seq}/acknowledge", json={"name": "Li Na"})
    assert (again.status_code, "Wang" in again.json()["detail"]) == (409, True)


# ---------------------------------------------------------------------- closed days


async def closings(venue: RunningVenue, day: str) -> list[tuple[int, str]]:
    """Revision and hash of each closing of the day, once they are projected; the last hash is that of the bulletin."""
    await venue.projector.reached(venue.sequencer.last_seq)
    found = (await venue.client("bob").get(f"/v1/reports/bulletins/{day}")).json()
    if found["closings"]:
        assert sha256(day_numbers(found)).hexdigest() == found["closings"][-1]["sha256"]
    return [(closing["revision"], closing["sha256"]) for closing in found["closings"]]


async def until_closed(venue: RunningVenue, monitored: Monitored) -> None:
    """One look, and the batch that it submitted."""
    await venue.projector.reached(venue.sequencer.last_seq)
    batches, monitored.put_commands = venue.feed.subscribe(), 0
    await monitored.monitor.look()
    if monitored.put_commands:
        async with asyncio.timeout(PATIENCE_S):
            await batches.next_batch()
    batches.close()


async def test_a_day_is_closed_once_and_corrected_by_a_decision(venue: RunningVenue) -> None:
    monitored, (first, second, third) = Monitored(venue), (date(2023, 12, day) for day in (1, 4, 5))
    await trade_on(venue, first)
    assert await closings(venue, "2023-12-01") == []  # under way
    for day in (second, third):
        await trade_on(venue, day)
        await until_closed(venue, monitored)
    ((revision, digest),) = await closings(venue, "2023-12-01")
    assert revision == 1
    await until_closed(venue, Monitored(venue))  # a restart closes nothing again
    assert len(await closings(venue, "2023-12-01")) == len(await closings(venue, "2023-12-04")) == 1

    oldest = (await venue.client("bob").get("/v1/fills")).json()["fills"][-1]["trade_id"]
    body = {"decision": "exclude", "trade_ids": [oldest], "reason": "a mistake", "name": "Li Na"}
    assert (await venue.client("operator").post("/v1/admin/decisions", json=body)).status_code == 201
    await until_closed(venue, monitored)
    (_, corrected) = found = await closings(venue, "2023-12-01")
    assert found[0] == (1, digest)
    assert corrected[0] == 2
    assert corrected[1] != digest
    assert len(await closings(venue, "2023-12-04")) == 1  # the decision is about another day

    body["decision"] = "include"
    assert (await venue.client("operator").post("/v1/admin/decisions", json=body)).status_code == 201
    await until_closed(venue, monitored)
    assert (await closings(venue, "2023-12-01"))[2] == (3, digest)  # the day is what it was
    assert (await figure_at(venue, venue.sequencer.last_seq, None)).differences == ()
