"""The sending of a replay by users: they get the accounts' shares of the flow, and their reports are collected."""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter

from gevent.event import Event
from locust.runners import STATE_MISSING, MasterRunner, Runner

from load_tests.locust.greenlet_calls import GreenletCalls
from load_tests.locust.shares import END, GO, SHARE, Share, ShareReport
from load_tests.replay.account_stream import Replies
from load_tests.replay.latency import Latencies
from load_tests.replay.sending import AccountReport, SendingFailed, SentFlow
from load_tests.replay.venue_replay import Replay

REPORTS_TIMEOUT_S = 90.0
"""The time that workers have to report after a replay was stopped."""

log = logging.getLogger(__name__)


class Distribution:
    """The sending of one replay by the users of all workers."""

    def __init__(self, run: int, runner: Runner, calls: GreenletCalls) -> None:
        self.opened = Event()
        """Set when the accounts are open, or the replay has ended before."""
        self.reported = Event()
        """Set when every account has reported."""
        self.shares: list[Share] = []
        self._run = run
        self._runner = runner
        self._calls = calls
        self._workers: dict[int, str] = {}
        """The worker's id by the index of an account: the shares that were handed out."""
        self._connected = 0
        self._ending = False
        """No further share is handed out: an account has failed, or the replay was stopped."""
        self._judged = False
        self._reports: dict[int, ShareReport] = {}
        self._began_s = self._ended_s = perf_counter()

    async def send(self, replay: Replay) -> SentFlow:
        """Runs in the replay's thread: hands over the shares, and waits until `judge` is called.

        Raises SendingFailed if an account could not send its share, or no share was handed out.
        """
        self._loop = asyncio.get_running_loop()
        self._sent: asyncio.Future[SentFlow] = self._loop.create_future()
        self._calls.soon(self._open, self._shares_of(replay))
        return await self._sent

    def _shares_of(self, replay: Replay) -> list[Share]:
        shares = [
            Share(self._run, index, replay.url, account.key, replay.pace, [])
            for index, account in enumerate(replay.opened)
        ]
        for number, message in enumerate(replay.flow.messages):
            shares[replay.senders.index(message)].messages.append((number, message))
        return shares

    # ------------------------------------------------------------------ in greenlets

    def _open(self, shares: list[Share]) -> None:
        self.shares = shares
        self.opened.set()
        if self._ending:
            self.judge()

    def hand_out(self, worker: str, user: int) -> None:
        """Gives a user the next share, or tells it that there is none: all are taken, or the replay ends."""
        index = len(self._workers)
        share = self.shares[index].to_wire() if index < len(self.shares) and not self._ending else None
        if share is not None:
            self._workers[index] = worker
        self._runner.send_message(SHARE, {"user": user, "share": share}, worker)

    def count_connected(self) -> None:
        """Lets all accounts begin when the last one has connected."""
        self._connected += 1
        if self._connected == len(self.shares):
            self._began_s = perf_counter()
            self._runner.send_message(GO, {})

    def take(self, report: ShareReport) -> None:
        """Takes the report of an account; after the last one the replay goes on to the verdict.

        The first failure ends the sending of all: the others would wait for the account that has failed.
        """
        if report.run != self._run:
            return
        self._reports[report.index] = report
        self._ended_s = perf_counter()
        if report.failure is not None:
            self._end_sending()
        if len(self._reports) == len(self._workers if self._ending else self.shares):
            self.reported.set()
            self.judge()

    def _end_sending(self) -> None:
        if not self._ending:
            self._ending = True
            self._runner.send_message(END, {})

    def lost(self) -> list[int]:
        """The indices of the accounts that have not reported, and whose worker is gone."""
        if not isinstance(self._runner, MasterRunner):
            return []
        clients = self._runner.clients
        gone = {worker for worker in self._workers.values() if worker not in clients}
        gone |= {worker.id for worker in clients.get_by_state(STATE_MISSING)}
        return [index for index, worker in self._workers.items() if worker in gone and index not in self._reports]

    def end(self) -> None:
        """Has the accounts end early, waits for their reports, and goes on to the verdict on what was sent.

        Before the accounts are open there is nothing to wait for: the replay ends when it hands over the shares.
        """
        until_s = perf_counter() + REPORTS_TIMEOUT_S
        self._end_sending()
        if not self.opened.is_set():
            return
        while not self.reported.wait(timeout=0.5) and perf_counter() < until_s:
            if len(self._reports) + len(self.lost()) >= len(self._workers):
                break
        self.judge()

    def judge(self) -> None:
        """Passes on what was sent. Of an account without a report, all its messages count as sent and none as answered."""
        if self._judged:
            return
        self._judged = True
        latencies = Latencies()
        reports = []
        for share in self.shares:
            report = self._reports.get(share.index)
            if report is None and share.index not in self._workers:
                reports.append(AccountReport(0, Replies()))
            elif report is None:
                log.error("Account %d has not reported: its worker is lost.", share.index)
                reports.append(AccountReport(len(share.messages), Replies()))
            else:
                latencies.add(report.latencies)
                reports.append(report.account_report)
        sent = SentFlow(reports, self._ended_s - self._began_s, latencies)
        failed = [report for report in self._reports.values() if report.failure is not None]
        if failed:
            self._fail(f"Account {failed[0].index} could not send its part of the flow: {failed[0].failure}")
        elif not self._workers:
            self._fail("The replay was stopped before its first message.")
        else:
            self._loop.call_soon_threadsafe(self._sent.set_result, sent)

    def _fail(self, reason: str) -> None:
        self._loop.call_soon_threadsafe(self._sent.set_exception, SendingFailed(reason))
