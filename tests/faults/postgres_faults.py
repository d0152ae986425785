"""PostgreSQL goes away, or an append's reply, its request, or the writer's session is lost."""

from __future__ import annotations

import asyncio
import time
from random import uniform

from tests.faults.rig import TooLate
from tests.faults.stage import Wired
from tests.faults.tcp_proxy import Direction

SESSIONS = 4
"""So many sessions of the writer are terminated one after the other."""
HIDDEN_S, REPLIES_HIDDEN = 1.0, 20
"""How long replies are hidden, and how often at most: a standby claims after 1.4 s."""


async def _terminate(stage: Wired) -> None:
    """Ends the writer's session some times."""
    for _ in range(SESSIONS):
        await asyncio.sleep(uniform(0, 0.1))
        await asyncio.to_thread(_terminate_writer, stage)


def _terminate_writer(stage: Wired) -> None:
    stage.query("SELECT pg_terminate_backend(backend) FROM journal_writer")


async def _lose_reply(stage: Wired) -> None:
    """Hides every reply until the append that is under way is committed; then the connections are reset.

    The hidden reply may be that of a beat, or of an append that was committed before: then the writer sends no other append.
    The replies arrive, and it is tried again.
    """
    for _ in range(REPLIES_HIDDEN):
        before = stage.journaled()
        stage.proxies.do(_hide(stage, "to_client"))
        committed = await asyncio.to_thread(_committed_after, stage, before)
        if committed:
            _terminate_writer(stage)
        stage.proxies.do(_show(stage, cut=committed))
        if committed:
            return
    raise TooLate("no append was committed while its reply was hidden")


def _committed_after(stage: Wired, before: int) -> bool:
    """Whether an append after seq `before` is committed soon; no other one is then under way."""
    deadline = time.monotonic() + HIDDEN_S
    while (now := stage.journaled()) == before or now != stage.journaled():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


async def _lose_request(stage: Wired) -> None:
    """Nothing reaches the server for a moment; then the connections are reset, with what was on its way."""
    stage.proxies.do(_hide(stage, "to_server"))
    await asyncio.sleep(uniform(0.05, 0.3))
    stage.proxies.do(_show(stage, cut=True))


async def _hide(stage: Wired, direction: Direction) -> None:
    for proxy in stage.proxies.postgres():
        await proxy.black_hole(direction)


async def _show(stage: Wired, *, cut: bool) -> None:
    """What was hidden arrives, unless it is cut off before."""
    for proxy in stage.proxies.postgres():
        if cut:
            await proxy.cut()
        await proxy.heal()


async def _restart(stage: Wired) -> None:
    """Without a checkpoint, as after a crash."""
    await asyncio.to_thread(stage.primary.restart_immediately)


async def _pause(stage: Wired, seconds: float) -> None:
    stage.primary.pause()
    await asyncio.sleep(seconds)  # The fault's length.
    stage.primary.resume()


async def _pause_short(stage: Wired) -> None:
    await _pause(stage, stage.pace.pauses_s[0])


async def _pause_long(stage: Wired) -> None:
    await _pause(stage, stage.pace.pauses_s[1])


async def _away(stage: Wired) -> None:
    """Killed, and started again after a while."""
    stage.primary.kill()
    await asyncio.sleep(stage.pace.away_s)
    await asyncio.to_thread(stage.primary.start)


SHORT = {"terminate": _terminate, "lost reply": _lose_reply, "lost request": _lose_request, "restart": _restart}
LONG = {"pause short": _pause_short, "pause long": _pause_long, "away": _away}
