"""A replay at a venue: accounts are opened, the flow is sent from them, the venue's records are read back and judged.

Who sends the flow is a function of its own: this process (`send_from_here`), or the workers of load_tests/locust.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from time import perf_counter

from rex_client import RexClient

from load_tests import progress
from load_tests.flows.flow_message import Flow, FlowInstrument, FlowMessage
from load_tests.replay.account_stream import AccountStream, Json
from load_tests.replay.accounts import Senders, TradingAccount, funding_of, open_accounts, revoke_keys
from load_tests.replay.latency import Latencies
from load_tests.replay.pace import Pace
from load_tests.replay.result import result_json
from load_tests.replay.sending import AccountReport, NumberedMessage, SentFlow, send_messages
from load_tests.replay.venue_result import read_back, read_turnover, turnover_move
from load_tests.replay.verdict import AccountRecord, SentOrder, Terms, TurnoverMove, replay_checks

SendFlow = Callable[["Replay"], Awaitable[SentFlow]]
"""Sends the flow of a replay from its accounts, which are open and funded.

Raises ConnectionError, RexError or SendingFailed.
"""


class Replay:
    """The replay of one flow against one venue."""

    def __init__(self, url: str, operator: RexClient, flow: Flow, pace: Pace, stages: progress.Stages) -> None:
        self.url = url
        self.operator = operator
        self.flow = flow
        self.pace = pace
        self.stages = stages
        self.opened: Sequence[TradingAccount] = ()
        self.clients: Sequence[RexClient] = ()

    async def run(self, instruments: Mapping[str, FlowInstrument], accounts: int, send: SendFlow) -> Json:
        """Opens accounts, sends all messages, reads the venue's records back. Returns the result with its verdict."""
        self.stages.begin("opening accounts")
        run = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        self.senders = Senders.of(self.flow, accounts)
        fundings = funding_of(self.flow.messages, instruments, self.senders)
        wanted = {f"load test {run}, {name}": found for name, found in zip(self.senders.names, fundings, strict=True)}
        self.opened = await open_accounts(self.operator, wanted)
        try:
            sent, records, move = await self._trade(send)
        finally:
            await revoke_keys(self.operator, self.opened)
        lot_sizes = {symbol: instrument.lot_size for symbol, instrument in instruments.items()}
        replies = [report.replies for report in sent.reports]
        return result_json(
            run=run,
            flow=self.flow,
            sent=Counter(message.action for message in self._messages_of(sent.reports)),
            pace=str(self.pace),
            seconds=sent.seconds,
            latencies=sent.latencies,
            records=records,
            move=move,
            checks=replay_checks(records, move, lot_sizes),
            too_late=sum(reply.too_late for reply in replies),
            declined=sum(reply.declined for reply in replies),
            retried=sum(len(reply.retried) for reply in replies),
        )

    async def _trade(self, send: SendFlow) -> tuple[SentFlow, list[AccountRecord], TurnoverMove]:
        records = [AccountRecord(account.account) for account in self.opened]
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._cancel_open_orders)
            self.clients = [
                await stack.enter_async_context(RexClient(self.url, account.key)) for account in self.opened
            ]
            for client, record in zip(self.clients, records, strict=True):
                record.before = await client.account()
            before = await read_turnover(self.operator)
            self.stages.begin("replaying", len(self.flow.messages))
            sent = await send(self)
            move = await turnover_move(self.operator, before, await read_turnover(self.operator))
            self._record(sent.reports, records)
            self.stages.begin("reading back", len(records))
            for client, record in zip(self.clients, records, strict=True):
                await read_back(client, record)
                self.stages.advance()
        return sent, records, move

    async def _cancel_open_orders(self) -> None:
        """Cancels what is open of all accounts, also after a failure, so that the next replay does not trade with it."""
        for account in self.opened:
            await self.operator.delete_orders("*", account=account.account)

    def _messages_of(self, reports: Sequence[AccountReport]) -> Iterator[FlowMessage]:
        """The messages that were sent: of each account the first ones."""
        left = [report.messages for report in reports]
        for message in self.flow.messages:
            index = self.senders.index(message)
            left[index] -= 1
            if left[index] >= 0:
                yield message

    def _record(self, reports: Sequence[AccountReport], records: Sequence[AccountRecord]) -> None:
        """Adds to each account's record what was sent and how it was answered, for the verdict."""
        for message in self._messages_of(reports):
            _record_message(message, records[self.senders.index(message)])
        for (_, replies), record in zip(reports, records, strict=True):
            record.refused, record.acknowledged, record.unexpected = (
                replies.refused,
                replies.acknowledged,
                replies.unexpected,
            )
            record.amended = replies.amended


async def send_from_here(replay: Replay) -> SentFlow:
    """Sends the whole flow from this process, each account over a WebSocket of its own."""
    latencies = Latencies()

    def on_reply(_message: FlowMessage, seconds: float, _error: BaseException | None) -> None:
        latencies.record(seconds)
        replay.stages.advance()

    for client in replay.clients:
        await client.connect()
    streams = [AccountStream(client, replay.pace.window, on_reply) for client in replay.clients]
    messages = (
        NumberedMessage(number, replay.senders.index(message), message)
        for number, message in enumerate(replay.flow.messages)
    )
    start = perf_counter()
    await send_messages(streams, messages, replay.pace, asyncio.Event())
    reports = [AccountReport(stream.messages, stream.replies) for stream in streams]
    return SentFlow(reports, perf_counter() - start, latencies)


def _record_message(message: FlowMessage, record: AccountRecord) -> None:
    """Adds to `record` the terms of a message that will be sent, for the verdict."""
    terms = Terms(message.price, message.quantity)
    if message.action == "new":
        record.sent.append(SentOrder(message.client_order_id, message.symbol, message.side, message.quantity))
        record.amends[message.client_order_id] = [terms]
    elif message.action == "amend":
        record.amends[message.client_order_id].append(terms)
