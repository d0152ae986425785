"""Sends a flow's messages at their pace, each from its account, and says what each account sent and how it was answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from load_tests.flows.flow_message import FlowMessage
from load_tests.replay.account_stream import AccountStream, Replies
from load_tests.replay.latency import Latencies
from load_tests.replay.pace import Pace


class SendingFailed(Exception):
    """The sending ended without anything to judge. The text says why."""


class NumberedMessage(NamedTuple):
    """A message, its number in the flow from 0, and the index of its account among those that are sent from here."""

    number: int
    account_index: int
    message: FlowMessage


class AccountReport(NamedTuple):
    """The first `messages` of an account's messages were sent; these are the replies."""

    messages: int
    replies: Replies


@dataclass
class SentFlow:
    """What was sent of a flow, by account, and how long it took from the first message to the last reply."""

    reports: Sequence[AccountReport]
    seconds: float
    latencies: Latencies


async def send_messages(
    streams: Sequence[AccountStream], messages: Iterable[NumberedMessage], pace: Pace, ending: asyncio.Event
) -> None:
    """Sends the messages and waits for all replies. Once `ending` is set, sends no further message.

    Raises Unreachable or RexError, as the first stream did that gave up.
    """
    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(stream.run()) for stream in streams]
            handing_out = group.create_task(_hand_out(streams, messages, pace))
            ended = group.create_task(ending.wait())
            await asyncio.wait([handing_out, ended], return_when=asyncio.FIRST_COMPLETED)
            handing_out.cancel()
            await asyncio.wait([handing_out])
            for stream in streams:
                await stream.answered()
            for task in (*running, ended):
                task.cancel()
    except ExceptionGroup as group_of_errors:
        raise group_of_errors.exceptions[0] from None


async def _hand_out(streams: Sequence[AccountStream], messages: Iterable[NumberedMessage], pace: Pace) -> None:
    """Gives every message to its account's stream, in the flow's order and, if there is a schedule, at its time."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number, account_index, message in messages:
        after = pace.due_after(number, message)
        due = None if after is None else start + after
        if due is not None and due > loop.time():
            await asyncio.sleep(due - loop.time())
        await streams[account_index].send(message, due)
