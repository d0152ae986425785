"""Kills, stops or pauses the leading sequencer under load through two gateways, and looks for every acknowledged order.

    python -m tests.faults.take_over --take_overs 500 --seed 1

Two members trade over WebSocket and REST, each through its own gateway. After a number of acknowledgements drawn from the seed
the leader gets SIGKILL, SIGTERM or SIGSTOP; a standby must take over, and orders must be acknowledged again. A paused leader is
continued then, and must end with exit status 3. At the end every acknowledged order must be there, once, with its id, filled at
least as far; an order that was refused must not be there; and the journal must verify with every command re-executed.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any

from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.server_process import ServerMissing
from services.processes.exit_codes import ExitCode
from services.scaled.launch import DidNotStart
from tests.faults.rig import Advance, CannotRun, Report, Rig, main
from tests.faults.scaled_venue import NO_MUTANTS, ScaledVenue, TooLate, scaled_venue
from tests.faults.traders import Trader, key_known, open_traders
from tests.faults.venue_process import Mutant, rex

HARMS = (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP)
FEWEST, MOST = 20, 400
"""The fewest and the most acknowledgements before the harm."""
AFTER = 50
"""So many acknowledgements of orders that were sent after the harm end a trial."""
SOCKET_LANES, REST_LANES = 8, 2
TRIALS_A_VENUE = 25
REPLY_S = 20.0
"""No request may wait longer for its answer."""
ACKNOWLEDGED_S = 40.0
"""No wait for acknowledgements may be longer, also when a standby takes over meanwhile: a bound of the rigs, no patience."""


def run(
    take_overs: int,
    seed: int,
    advance: Advance,
    *,
    mutants: Mapping[str, Mutant] = NO_MUTANTS,
    pause_s: float = 0.0,
    most: int = MOST,
) -> Report:
    """Runs `take_overs` take-overs, TRIALS_A_VENUE in each venue; with mutants, those of one venue at most. `pause_s` is the
    load's."""
    report, random = Report("take_over"), Random(seed)
    try:
        with PostgresServer() as server:
            for number, first in enumerate(range(0, take_overs, TRIALS_A_VENUE)):
                count = min(TRIALS_A_VENUE, take_overs - first)
                url = server.create_database(f"rex_{number}")
                with scaled_venue(url, mutants=mutants) as venue:
                    asyncio.run(_one_venue(venue, count, random, report, advance, pause_s, most))
                if mutants:
                    break
    except ServerMissing as missing:
        raise CannotRun(str(missing)) from missing
    except (DidNotStart, TooLate) as reason:
        report.broken.append(str(reason))
    return report


class Load:
    """Two members' orders on every lane, from `__aenter__` to `__aexit__`, whatever happens to the leader."""

    def __init__(self, venue: ScaledVenue, traders: list[Trader], report: Report, *, pause_s: float = 0.0) -> None:
        """`pause_s`: how long a lane rests after each answer."""
        self._pause_s = pause_s
        self._traders = traders
        self._urls = venue.gateways()
        self._report = report
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self.going = asyncio.Event()
        """Cleared while no order is to be sent."""
        self.going.set()
        self.acknowledged = 0
        self.refused: set[str] = set()
        """Orders that were answered 503: the venue says it did not take them in."""
        self.unknown: set[str] = set()
        self.sent_s: dict[str, float] = {}
        self.last_s = time.monotonic()
        """When the last acknowledgement came."""
        self.longest_s = 0.0
        """The longest time without an acknowledgement."""

    async def __aenter__(self) -> Load:
        for number, trader in enumerate(self._traders):
            self._tasks.append(asyncio.create_task(self._trade(trader, self._urls[number % len(self._urls)])))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        self.going.set()
        await asyncio.gather(*self._tasks)

    async def _trade(self, trader: Trader, url: str) -> None:
        await key_known(url, trader.key)
        async with RexClient(url, trader.key) as client, asyncio.TaskGroup() as lanes:
            await client.connect()
            for _ in range(SOCKET_LANES):
                lanes.create_task(self._lane(trader, client.place_order))
            for _ in range(REST_LANES):
                lanes.create_task(self._lane(trader, client.post_order))

    async def _lane(self, trader: Trader, place: Callable[[Any], Awaitable[Any]]) -> None:
        while await self.going.wait() and not self._stopping:
            order = trader.next_order()
            name = order["client_order_id"]
            self.sent_s[name] = time.monotonic()
            try:
                async with asyncio.timeout(REPLY_S):
                    reply = await place(order)
            except OutcomeUnknown:
                self.unknown.add(name)
            except (RexError, Unreachable) as problem:
                self._refuse(name, problem)
                await asyncio.sleep(max(0.05, self._pause_s))
            except TimeoutError:
                self._report.broken.append(f"{name} had no answer in {REPLY_S:g} seconds")
            else:
                self._acknowledge(trader, reply)
                await asyncio.sleep(self._pause_s)

    def _refuse(self, name: str, problem: RexError | Unreachable) -> None:
        self.refused.add(name)
        if isinstance(problem, RexError) and problem.status not in (429, 503):
            self._report.broken.append(f"{name} was answered {problem}")

    def _acknowledge(self, trader: Trader, reply: dict[str, Any]) -> None:
        now_s = time.monotonic()
        self.longest_s = max(self.longest_s, now_s - self.last_s)
        self.last_s = now_s
        self.acknowledged += 1
        trader.ledger.acknowledge(reply)
        self._on_acknowledged(reply["client_order_id"])

    _wanted = 0
    _sent_after_s = 0.0
    _reached: asyncio.Event | None = None

    def _on_acknowledged(self, name: str) -> None:
        if self._reached is not None and self.sent_s[name] >= self._sent_after_s:
            self._wanted -= 1
            if self._wanted <= 0:
                self._reached.set()

    async def acknowledgements(self, count: int) -> None:
        """Waits for so many acknowledgements of orders that are sent from now on. Raises TimeoutError after
        ACKNOWLEDGED_S."""
        self._wanted, self._sent_after_s, self._reached = count, time.monotonic(), asyncio.Event()
        async with asyncio.timeout(ACKNOWLEDGED_S):
            await self._reached.wait()


async def _one_venue(
    venue: ScaledVenue, trials: int, random: Random, report: Report, advance: Advance, pause_s: float, most: int
) -> None:
    traders = await open_traders(venue)
    sequencers = 2
    async with Load(venue, traders, report, pause_s=pause_s) as load:
        for _ in range(trials):
            harm = random.choice(HARMS)
            try:
                await load.acknowledgements(random.randint(FEWEST, most))
                leader = await asyncio.to_thread(venue.leader)
                load.longest_s, load.last_s = 0.0, time.monotonic()
                venue.processes[leader].signal(harm)
                await load.acknowledgements(AFTER)
            except (TimeoutError, TooLate):
                report.broken.append(f"after {harm.name} no order was acknowledged again")
                return
            report.add(harm.name.lower())
            report.highest("longest_silence_ms", round(load.longest_s * 1000))
            report.highest(f"longest_silence_after_{harm.name.lower()}_ms", round(load.longest_s * 1000))
            await asyncio.to_thread(_end, venue, leader, harm, report)
            sequencers += 1
            await asyncio.to_thread(venue.start, f"sequencer {sequencers}")
            advance()
    await check_orders(venue, traders, load, report)
    verify(venue, report)


async def check_orders(venue: ScaledVenue, traders: list[Trader], load: Load, report: Report) -> None:
    """Compares the venue's orders with the ledgers: acknowledged ones are there, refused ones are not."""
    report.add("acknowledged", load.acknowledged)
    report.add("refused", len(load.refused))
    report.add("outcome_unknown", len(load.unknown))
    for trader in traders:
        orders = await trader.orders(venue.url)
        report.broken += trader.ledger.broken(orders, f"{trader.side} order")
        executed = {order["client_order_id"] for order in orders}
        report.broken += [f"{name} was refused and is there" for name in sorted(load.refused & executed)]


def _end(venue: ScaledVenue, leader: str, harm: signal.Signals, report: Report) -> None:
    """Ends the deposed leader: a paused one goes on and must notice."""
    process = venue.processes[leader]
    if harm == signal.SIGSTOP:
        process.signal(signal.SIGCONT)
    status = process.ended()
    expected = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 0, signal.SIGSTOP: ExitCode.OTHER_WRITER}[harm]
    if status != expected:
        said = process.errors.read_text(errors="replace").strip()
        report.broken.append(f"after {harm.name} the old leader ended with status {status}: {said}")
    venue.end(leader)


def verify(venue: ScaledVenue, report: Report) -> None:
    """Verifies the journal, with every command re-executed."""
    proof = rex("journal", "verify", "--database-url", venue.database_url, "--prove", "--json")
    if proof.exit_status != 0 or not json.loads(proof.out)["good"]:
        report.broken.append(f"verify says: {proof.out}{proof.err}")
    else:
        report.add("journals_verified")


RIG = Rig("take_over", run, "take_overs", short=10, long=500)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
