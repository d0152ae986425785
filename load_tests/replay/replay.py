"""Replays an order flow through a venue's public API and gives a verdict: `python -m load_tests replay`.

Exit status 0: the verdict is green. 1: the verdict is red, or the venue does not answer. 2: bad usage, a flow that cannot be
replayed, or a key that the venue refuses. docs/load_tests.md describes flows, options and the result.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import uvloop
from rex_client import RexClient, RexError

from load_tests import progress
from load_tests.flows.flow_file import RECORDED_SYMBOL, read_flow
from load_tests.flows.flow_message import Flow, FlowError, FlowInstrument
from load_tests.flows.stretch import Stretch
from load_tests.replay.account_stream import Json
from load_tests.replay.accounts import read_instruments
from load_tests.replay.options import stretch_of
from load_tests.replay.pace import Pace
from load_tests.replay.result import print_result, verdict_sentence
from load_tests.replay.sending import SendingFailed
from load_tests.replay.venue_replay import Replay, SendFlow, send_from_here
from load_tests.replay.venue_result import check_no_others

ReadFlow = Callable[[Mapping[str, FlowInstrument]], Awaitable[Flow]]
"""Reads a flow for these instruments. Raises FlowError."""


async def replay(
    read: ReadFlow,
    url: str,
    key: str,
    stages: progress.Stages,
    *,
    pace: Pace,
    accounts: int = 8,
    send: SendFlow = send_from_here,
) -> Json:
    """Reads a flow and replays it; returns the result. A flow without members is spread over so many accounts.

    Raises FlowError before anything is sent; RexError or ConnectionError if the venue or the key does not work.
    """
    async with RexClient(url, key) as operator:
        instruments = await read_instruments(operator)
        flow = await read(instruments)
        await check_no_others(operator, flow)
        return await Replay(url, operator, flow, pace, stages).run(instruments, accounts, send)


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
    send: SendFlow = send_from_here,
) -> Json:
    """Replays the first `limit` messages of a file. A recording is mapped to the instrument `symbol`."""

    async def read(instruments: Mapping[str, FlowInstrument]) -> Flow:
        stages.begin(f"reading {path.name}")
        flow = read_flow(path, instruments, recorded_symbol=symbol, limit=limit, on_progress=lambda _: stages.advance())
        if not flow.messages:
            raise FlowError(path, "holds no message")
        return flow

    return await replay(read, url, key, stages, pace=pace, accounts=accounts, send=send)


async def replay_stretch(
    stretch: Stretch,
    url: str,
    key: str,
    stages: progress.Stages,
    *,
    pace: Pace,
    limit: int | None = None,
    send: SendFlow = send_from_here,
) -> Json:
    """Replays the first `limit` messages of some days of a simulated year, each from an account of its member."""
    from load_tests.flows.simulated_stretch import stretch_flow  # here and not above: it imports the whole of REX

    async def read(instruments: Mapping[str, FlowInstrument]) -> Flow:
        stages.begin(f"simulating {stretch}", stretch.last_day)
        return await stretch_flow(stretch, instruments, limit=limit, on_day=stages.advance)

    return await replay(read, url, key, stages, pace=pace, send=send)


async def replay_options(
    options: argparse.Namespace, url: str, key: str, stages: progress.Stages, send: SendFlow = send_from_here
) -> Json:
    """Replays what the options of the command line name."""
    pace = Pace(options.rate, options.speed)
    if options.year is not None:
        return await replay_stretch(stretch_of(options), url, key, stages, pace=pace, limit=options.limit, send=send)
    return await replay_file(
        options.flow,
        url,
        key,
        stages,
        pace=pace,
        limit=options.limit,
        accounts=options.accounts,
        symbol=options.symbol,
        send=send,
    )


Work = Callable[[progress.Stages], Coroutine[Any, Any, Json]]


def run_and_print(work: Work, *, as_json: bool) -> int:
    """Runs a replay, prints its result and returns the exit status. Beside JSON on standard output, standard error gets the
    verdict as a sentence."""
    status, result = run_to_end(work, shows_progress=True)
    if result is None:
        return status
    if as_json:
        print(json.dumps(result, indent=2), flush=True)
        print(verdict_sentence(result), file=sys.stderr)
    else:
        print_result(result)
    return status


def run_to_end(work: Work, *, shows_progress: bool) -> tuple[int, Json | None]:
    """Runs a replay. Returns the exit status, and the result if there is one; otherwise standard error says why."""
    try:
        with progress.shown(enabled=shows_progress) as stages:
            result = uvloop.run(work(stages))
    except FlowError as error:
        print(error, file=sys.stderr)
        return 2, None
    except RexError as error:
        print(f"the venue refused: {error}", file=sys.stderr)
        return 2, None
    except ConnectionError as error:
        print(f"the venue does not answer: {error}", file=sys.stderr)
        return 1, None
    except SendingFailed as error:
        print(error, file=sys.stderr)
        return 1, None
    return (0 if result["verdict"]["green"] else 1), result
