"""Replays an order flow through a venue's public API and gives a verdict.

    python -m load_tests.replay --flow FILE --url http://127.0.0.1:8000 --key OPERATOR_KEY --json
    python -m load_tests.replay --year 2023 --seed 7 --from-day 100 --days 2 --url … --key …

Exit status 0: the verdict is green. 1: the verdict is red, or the venue does not answer. 2: bad usage, a flow that cannot be
replayed, or a key that the venue refuses. docs/load_tests.md describes flows, options and the result.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import uvloop

from load_tests import progress
from load_tests.flows.flow_file import RECORDED_SYMBOL, read_flow
from load_tests.flows.flow_message import Flow, FlowError, FlowInstrument, FlowMessage
from load_tests.flows.stretch import Stretch
from load_tests.replay.account_stream import AccountStream, Json, Replies
from load_tests.replay.accounts import (
    Senders,
    TradingAccount,
    funding_of,
    open_accounts,
    read_instruments,
    revoke_keys,
)
from load_tests.replay.latency import Latencies
from load_tests.replay.options import add_options, check_options, stretch_of
from load_tests.replay.pace import Pace
from load_tests.replay.result import print_result, result_json, verdict_sentence
from load_tests.replay.venue_result import cancel_open_orders, read_back, read_turnover, turnover_move
from load_tests.replay.verdict import AccountRecord, SentOrder, Terms, TurnoverMove, replay_checks
from services.client import RexClient, RexError


class Replay:
    """The replay of one flow against one venue."""

    def __init__(self, url: str, operator: RexClient, flow: Flow, pace: Pace, stages: progress.Stages) -> None:
        self.url = url
        self.operator = operator
        self.flow = flow
        self.pace = pace
        self.stages = stages
        self.latencies = Latencies()
        self.seconds = 0.0

    async def run(self, instruments: Mapping[str, FlowInstrument], accounts: int) -> Json:
        """Opens accounts, sends all messages, reads the venue's records back. Returns the result with its verdict."""
        self.stages.begin("opening accounts")
        run = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        self.senders = Senders.of(self.flow, accounts)
        fundings = funding_of(self.flow.messages, instruments, self.senders)
        wanted = {f"load test {run}, {name}": found for name, found in zip(self.senders.names, fundings, strict=True)}
        opened = await open_accounts(self.operator, wanted)
        try:
            records, replies, move = await self._trade(opened)
        finally:
            await revoke_keys(self.operator, opened)
        lot_sizes = {symbol: instrument.lot_size for symbol, instrument in instruments.items()}
        return result_json(
            run=run,
            flow=self.flow,
            pace=str(self.pace),
            seconds=self.seconds,
            latencies=self.latencies,
            records=records,
            move=move,
            checks=replay_checks(records, move, lot_sizes),
            too_late=sum(reply.too_late for reply in replies),
            declined=sum(reply.declined for reply in replies),
            retried=sum(len(reply.retried) for reply in replies),
        )

    async def _trade(self, opened: Sequence[TradingAccount]) -> tuple[list[AccountRecord], list[Replies], TurnoverMove]:
        records = [AccountRecord(account.account) for account in opened]
        for message in self.flow.messages:
            _record_message(message, records[self.senders.index(message)])
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(RexClient(self.url, account.key)) for account in opened]
            for client, record in zip(clients, records, strict=True):
                await client.connect()
                record.before = await client.account()
            before = await read_turnover(self.operator)
            replies = await self._send_all(clients)
            move = await turnover_move(self.operator, before, await read_turnover(self.operator))
            self.stages.begin("reading back", len(records))
            for client, record, reply in zip(clients, records, replies, strict=True):
                record.refused, record.acknowledged, record.unexpected = (
                    reply.refused,
                    reply.acknowledged,
                    reply.unexpected,
                )
                record.amended = reply.amended
                await read_back(client, record)
                self.stages.advance()
            for client, record in zip(clients, records, strict=True):
                await cancel_open_orders(client, record)
        return records, replies, move

    async def _send_all(self, clients: Sequence[RexClient]) -> list[Replies]:
        def on_reply(seconds: float) -> None:
            self.latencies.record(seconds)
            self.stages.advance()

        self.stages.begin("replaying", len(self.flow.messages))
        streams = [AccountStream(client, self.pace.window, on_reply) for client in clients]
        start = perf_counter()
        try:
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(stream.run()) for stream in streams]
                await self._hand_out(streams)
                for stream in streams:
                    await stream.answered()
                for task in running:
                    task.cancel()
        except ExceptionGroup as group_of_errors:
            raise group_of_errors.exceptions[0] from None
        finally:
            self.seconds = perf_counter() - start
        return [stream.replies for stream in streams]

    async def _hand_out(self, streams: Sequence[AccountStream]) -> None:
        """Gives every message to its account's stream, in the flow's order and, if there is a schedule, at its time."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number, message in enumerate(self.flow.messages):
            after = self.pace.due_after(number, message)
            due = None if after is None else start + after
            if due is not None and due > loop.time():
                await asyncio.sleep(due - loop.time())
            await streams[self.senders.index(message)].send(message, due)


def _record_message(message: FlowMessage, record: AccountRecord) -> None:
    """Adds to `record` the terms of a message that will be sent, for the verdict."""
    terms = Terms(message.price, message.quantity)
    if message.action == "new":
        record.sent.append(SentOrder(message.client_order_id, message.symbol, message.side, message.quantity))
        record.amends[message.client_order_id] = [terms]
    elif message.action == "amend":
        record.amends[message.client_order_id].append(terms)


ReadFlow = Callable[[Mapping[str, FlowInstrument]], Awaitable[Flow]]
"""Reads a flow for these instruments. Raises FlowError."""


async def replay(read: ReadFlow, url: str, key: str, stages: progress.Stages, *, pace: Pace, accounts: int = 8) -> Json:
    """Reads a flow and replays it; returns the result. A flow without members is spread over so many accounts.

    Raises FlowError before anything is sent; RexError or ConnectionError if the venue or the key does not work.
    """
    async with RexClient(url, key) as operator:
        instruments = await read_instruments(operator)
        flow = await read(instruments)
        return await Replay(url, operator, flow, pace, stages).run(instruments, accounts)


async def replay_file(
    path: Path,
    url: str,
    key: str,
    stages: progress.Stages,
    *,
    pace: Pace,
    limit: int | None = None,
    accounts: int = 8,
    symbol: str = RECORDED_SYMBOL,
) -> Json:
    """Replays the first `limit` messages of a file. A recording is mapped to the instrument `symbol`."""

    async def read(instruments: Mapping[str, FlowInstrument]) -> Flow:
        stages.begin(f"reading {path.name}")
        flow = read_flow(path, instruments, recorded_symbol=symbol, limit=limit, on_progress=lambda _: stages.advance())
        if not flow.messages:
            raise FlowError(path, "holds no message")
        return flow

    return await replay(read, url, key, stages, pace=pace, accounts=accounts)


async def replay_stretch(
    stretch: Stretch, url: str, key: str, stages: progress.Stages, *, pace: Pace, limit: int | None = None
) -> Json:
    """Replays the first `limit` messages of some days of a simulated year, each from an account of its member."""
    from load_tests.flows.simulated_stretch import stretch_flow  # here and not above: it imports the whole of REX

    async def read(instruments: Mapping[str, FlowInstrument]) -> Flow:
        stages.begin(f"simulating {stretch}", stretch.last_day)
        return await stretch_flow(stretch, instruments, limit=limit, on_day=stages.advance)

    return await replay(read, url, key, stages, pace=pace)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m load_tests.replay", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--url", required=True, help="the venue's address, such as http://127.0.0.1:8000")
    parser.add_argument("--key", required=True, help="a key with the scopes read, operate and admin")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    add_options(parser)
    options = parser.parse_args(arguments)
    check_options(parser, options)
    return run_and_print(lambda stages: replay_options(options, options.url, options.key, stages), as_json=options.json)


async def replay_options(options: argparse.Namespace, url: str, key: str, stages: progress.Stages) -> Json:
    """Replays what the options of the command line name."""
    pace = Pace(options.rate, options.speed)
    if options.year is not None:
        return await replay_stretch(stretch_of(options), url, key, stages, pace=pace, limit=options.limit)
    return await replay_file(
        options.flow,
        url,
        key,
        stages,
        pace=pace,
        limit=options.limit,
        accounts=options.accounts,
        symbol=options.symbol,
    )


def run_and_print(work: Callable[[progress.Stages], Coroutine[Any, Any, Json]], *, as_json: bool) -> int:
    """Runs a replay, prints its result and returns the exit status. Beside JSON on standard output, standard error gets the
    verdict as a sentence."""
    try:
        with progress.shown(enabled=sys.stdout.isatty() or not as_json) as stages:
            result = uvloop.run(work(stages))
    except FlowError as error:
        print(error, file=sys.stderr)
        return 2
    except RexError as error:
        print(f"the venue refused: {error}", file=sys.stderr)
        return 2
    except ConnectionError as error:
        print(f"the venue does not answer: {error}", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(result, indent=2), flush=True)
        print(verdict_sentence(result), file=sys.stderr)
    else:
        print_result(result)
    return 0 if result["verdict"]["green"] else 1
