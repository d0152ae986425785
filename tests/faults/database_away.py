"""Takes PostgreSQL away from a venue under load, and looks for every acknowledged order.

    python -m tests.faults.database_away --faults 300 --seed 1

Two members trade through two gateways; every process reaches PostgreSQL through a proxy. The faults:

    terminate      pg_terminate_backend of the writer's session, at random moments
    lost_reply     the append is committed, its session is terminated, and its reply never arrives
    lost_request   the append never arrives, and the connection is reset
    restart        the server ends without a checkpoint, as after a crash, and starts again
    pause_short    SIGSTOP of the server for less than the time after which a gateway answers `outcome_unknown`
    pause_long     SIGSTOP for longer
    away           the server is killed, and started again after a while

After each fault orders must be acknowledged again without a hand on the venue. A sequencer may end with exit status 3 and is
started again; no other process may end. At the end every order without a definite answer is sent again; every acknowledged
order must be there, once, with its id; the journal must verify with every command re-executed.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random, uniform

from rex_client import OutcomeUnknown, RexError, Unreachable

from load_tests.servers.server_process import ServerFailed
from services.processes.exit_codes import ExitCode
from services.scaled.launch import DidNotStart
from tests.faults.postgres_stage import Pair, stage
from tests.faults.rig import Advance, Report, Rig, main
from tests.faults.scaled_venue import ScaledVenue, TooLate, read_health
from tests.faults.take_over import Load, check_orders, verify
from tests.faults.traders import Trader, open_traders
from tests.patience import PATIENCE_S

FEWEST, MOST = 20, 100
"""The fewest and the most acknowledgements before a fault."""
AFTER = 30
"""So many acknowledgements of orders that were sent after the fault end a trial."""
SESSIONS = 4
"""So many sessions of the writer are terminated one after the other."""
HIDDEN_S, REPLIES_HIDDEN = 1.0, 20
"""How long replies are hidden, and how often at most: a standby claims after 1.4 s."""
TRIALS_A_VENUE = 50


@dataclass(frozen=True)
class Lengths:
    """How long the server is away, seconds."""

    short_s: float = 4.0
    long_s: float = 20.0
    away_s: float = 60.0


REAL = Lengths()
"""A gateway answers `outcome_unknown` after 10 seconds."""


def run(faults: int, seed: int, advance: Advance) -> Report:
    """Runs `faults` faults, TRIALS_A_VENUE in each venue."""
    report, random = Report("database_away"), Random(seed)
    kinds = dealt(random)
    try:
        for first in range(0, faults, TRIALS_A_VENUE):
            count = min(TRIALS_A_VENUE, faults - first)
            with stage() as (venue, pair):
                asyncio.run(one_venue(venue, pair, [next(kinds) for _ in range(count)], random, report, advance))
    except (DidNotStart, ServerFailed) as reason:
        report.broken.append(str(reason))
    return report


def terminate(pair: Pair, _lengths: Lengths) -> None:
    """Ends the writer's session some times."""
    for _ in range(SESSIONS):
        time.sleep(uniform(0, 0.1))
        pair.terminate_writer()


def lost_reply(pair: Pair, _lengths: Lengths) -> None:
    """Hides every reply until the append that is under way is committed; then the connections are reset.

    The hidden reply may be that of a beat, or of an append that was committed before: then the writer sends no other append.
    The replies arrive, and it is tried again.
    """
    proxy = pair.proxy
    for _ in range(REPLIES_HIDDEN):
        before = pair.journaled()
        proxy.do(proxy.proxy.black_hole("to_client"))
        committed = _committed_after(pair, before)
        if committed:
            pair.terminate_writer()
            proxy.do(proxy.proxy.cut())
        proxy.do(proxy.proxy.heal())
        if committed:
            return
    raise TooLate("no append was committed while its reply was hidden")


def _committed_after(pair: Pair, before: int) -> bool:
    """Whether an append after seq `before` is committed soon; no other one is then under way."""
    deadline = time.monotonic() + HIDDEN_S
    while (now := pair.journaled()) == before or now != pair.journaled():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def lost_request(pair: Pair, _lengths: Lengths) -> None:
    """Nothing reaches the server for a moment; then the connections are reset, with what was on its way."""
    proxy = pair.proxy
    proxy.do(proxy.proxy.black_hole("to_server"))
    time.sleep(uniform(0.05, 0.3))
    proxy.do(proxy.proxy.cut())
    proxy.do(proxy.proxy.heal())


def restart(pair: Pair, _lengths: Lengths) -> None:
    """An immediate restart."""
    pair.primary.restart_immediately()


def pause_short(pair: Pair, lengths: Lengths) -> None:
    """Shorter than a gateway waits for a reply."""
    _pause(pair, lengths.short_s)


def pause_long(pair: Pair, lengths: Lengths) -> None:
    """Longer than a gateway waits for a reply."""
    _pause(pair, lengths.long_s)


def _pause(pair: Pair, seconds: float) -> None:
    pair.primary.pause()
    time.sleep(seconds)
    pair.primary.resume()


def away(pair: Pair, lengths: Lengths) -> None:
    """Killed, and started again after a while."""
    pair.primary.kill()
    time.sleep(lengths.away_s)
    pair.primary.start()


FAULTS: dict[str, Callable[[Pair, Lengths], None]] = {
    fault.__name__: fault for fault in (terminate, lost_reply, lost_request, restart, pause_short, pause_long, away)
}
SHORT_ONES = ("terminate", "lost_reply", "lost_request", "restart")


def dealt(random: Random) -> Iterator[str]:
    """Every fault once; then the short ones four times as often as the long ones."""
    deck = [*FAULTS]
    while True:
        random.shuffle(deck)
        yield from deck
        deck = [*FAULTS, *3 * SHORT_ONES]


async def one_venue(
    venue: ScaledVenue,
    pair: Pair,
    kinds: list[str],
    random: Random,
    report: Report,
    advance: Advance,
    lengths: Lengths = REAL,
) -> None:
    """The faults of these kinds, under load; then the comparison."""
    traders = await open_traders(venue)
    async with Load(venue, traders, report) as load:
        for kind in kinds:
            try:
                await reached(load, venue, random.randint(FEWEST, MOST))
                await asyncio.to_thread(FAULTS[kind], pair, lengths)
                load.longest_s, load.last_s = 0.0, time.monotonic()
                await reached(load, venue, AFTER)
            except (TimeoutError, TooLate) as reason:
                report.broken.append(f"after {kind} no order was acknowledged again {reason}".strip())
            report.add(kind)
            report.highest("longest_silence_after_ms", round(load.longest_s * 1000))
            load.going.clear()
            await asyncio.to_thread(start_again, venue, report)
            load.going.set()
            if report.broken:
                break
            advance()
    await compare(venue, traders, load, report)


async def reached(load: Load, venue: ScaledVenue, acknowledgements: int) -> None:
    """Waits for acknowledgements of new orders, or until a process other than a deposed sequencer has ended. Raises
    TimeoutError."""
    waiting = asyncio.create_task(load.acknowledgements(acknowledgements))
    while not waiting.done() and all(ended.status == ExitCode.OTHER_WRITER for ended in venue.ended().values()):
        await asyncio.wait([waiting], timeout=0.2)
    waiting.cancel()
    await asyncio.wait([waiting])
    if not waiting.cancelled():
        waiting.result()


def start_again(venue: ScaledVenue, report: Report) -> None:
    """What a supervisor does: a sequencer that was deposed starts again as a standby. No other process may have ended."""
    for name, ended in venue.ended().items():
        if name.startswith("sequencer") and ended.status == ExitCode.OTHER_WRITER:
            report.add("sequencers_deposed")
        else:
            report.broken.append(f"{name} ended with status {ended.status}: {ended.said[-500:].strip()}")
        venue.replace(name)


def have_read(venue: ScaledVenue, seq: int, restart: Callable[[], None]) -> None:
    """Waits until every process but the gateways has read the journal up to seq. `restart` starts what ends meanwhile: who
    looks at the server late notices late that it must end. Raises TooLate."""
    deadline = time.monotonic() + PATIENCE_S
    while behind := _behind(venue, seq):
        if time.monotonic() > deadline:
            raise TooLate(f"these have not read the journal up to seq {seq}: {behind}")
        restart()
        time.sleep(0.05)


def _behind(venue: ScaledVenue, seq: int) -> dict[str, object]:
    """The last seq of each process, other than a gateway, that has not read the journal up to seq; None of one that says
    nothing."""
    readers = {name: process.url for name, process in venue.processes.items() if not name.startswith("gateway")}
    found = {name: read_health(url).get("last_seq") for name, url in readers.items()}
    return {name: last_seq for name, last_seq in found.items() if int(last_seq or 0) < seq}


def all_ready(venue: ScaledVenue) -> None:
    """Waits until every gateway is ready; starts again what ends meanwhile. Raises TooLate."""
    deadline = time.monotonic() + PATIENCE_S
    while any(read_health(url).get("status") != "ready" for url in venue.gateways()):
        if time.monotonic() > deadline:
            raise TooLate("the gateways do not become ready")
        for name in venue.ended():
            venue.replace(name)
        time.sleep(0.1)


async def compare(venue: ScaledVenue, traders: list[Trader], load: Load, report: Report) -> None:
    """Compares ledgers, orders and journal."""
    try:
        await asyncio.to_thread(all_ready, venue)
        await ask_again(venue, traders, load)
        await check_orders(venue, traders, load, report)
    except (TooLate, OutcomeUnknown, RexError, Unreachable) as reason:
        report.broken.append(f"the orders cannot be read: {reason}")
    verify(venue, report)


async def ask_again(venue: ScaledVenue, traders: list[Trader], load: Load) -> None:
    """Sends every order without a definite answer again: its answer is owed from now on."""
    for trader in traders:
        trader.ledger.unanswered = {name for name in load.unknown if name.startswith(f"{trader.side}-")}
        await trader.retry(venue.url)


RIG = Rig("database_away", run, "faults", short=14, long=300)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
