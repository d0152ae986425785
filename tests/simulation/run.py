"""One seed from the beginning to the verdict."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any

from services.gateway.order_entry import request_tracker
from services.journal import JournalError
from services.journal.chain import CHUNK_BYTES
from services.journal.postgres import batch_reader, journal, lag, session
from services.messaging.link import client, server
from services.read_model import projector
from services.sequencer import sequencer
from services.snapshots import loading
from tests.simulation import verdict
from tests.simulation.channel import broadcast
from tests.simulation.database import database_of
from tests.simulation.nemesis import Nemesis
from tests.simulation.sequencer_process import SequencerProcess
from tests.simulation.traders import Client, Operator, Trader
from tests.simulation.venue import Venue
from tests.simulation.virtual_loop import Stuck
from tests.simulation.world import KEPT, World

PATIENCE_S = 90.0
"""So long after everything has healed, every client must know its outcomes and every replica be at the end."""


@dataclass(frozen=True)
class Outcome:
    """What a seed showed."""

    seed: int
    failure: str
    """The broken promise and its step; empty: every promise held."""
    trace_hash: str
    events: int
    last: list[str]
    counts: dict[str, int]


class _Silent:
    """A logger that says nothing."""

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_arguments, **_named: None


def run(seed: int, *, keep: int | None = KEPT) -> Outcome:
    """Runs a seed. `keep`: how many of the last events to keep; None: all."""
    world = World(seed, keep=keep)
    loop = world.loop
    collects = gc.isenabled()
    gc.disable()  # A collection would run finalizers at a moment that the seed does not decide.
    try:
        venue = Venue(world)
        with in_the_simulation(venue), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # A killed process leaves coroutines that nobody awaits.
            life = loop.create_task(_life(venue))
            life.add_done_callback(lambda _: loop.stop())
            try:
                loop.run_forever()
            except Stuck as stuck:
                world.broken(str(stuck))
            if not world.failure:
                life.result()
            outcome = Outcome(
                seed, world.failure, world.trace.hash, world.trace.count, list(world.trace.last), dict(world.counts)
            )
            _clear(venue)
    finally:
        loop.close()
        if collects:
            gc.enable()
    return outcome


async def _life(venue: Venue) -> None:
    world = venue.world
    chance = world.random("length")
    until_s = chance.choice((2.0, 4.0, 7.0))
    traders = [Trader(venue, f"trader-{account}", account, key) for account, key in venue.genesis.traders.items()]
    operator = Operator(venue, "operator", 0, venue.genesis.operator)
    clients: list[Client] = [*traders, operator]
    venue.start()
    following = [asyncio.create_task(trader.follow()) for trader in traders]
    working = [
        asyncio.create_task(Nemesis(venue).act(until_s)),
        *(asyncio.create_task(trader.trade(until_s)) for trader in traders),
        asyncio.create_task(operator.book(until_s)),
    ]
    try:
        async with asyncio.timeout(until_s + PATIENCE_S):
            await asyncio.gather(*working)
            await _settled(venue, traders)
    except TimeoutError:
        asked = [
            request.name for one in clients for request in one.requests if request.answer is None and one.asks(request)
        ]
        waits = _waits(venue, traders) or f"no answer to {', '.join(asked)}"
        world.broken(f"{PATIENCE_S:.0f} s after everything has healed: {waits}")
        return
    for task in following:
        task.cancel()
    try:
        verdict.check(venue, clients)
    except (verdict.Broken, JournalError) as broken:
        world.broken(str(broken))
        return
    world.count("seq", venue.server.log[-1].row.last_seq)
    world.note("every promise held")
    await venue.end()


async def _settled(venue: Venue, traders: list[Trader]) -> None:
    """Returns when every replica and every client is at the journal's end."""
    calm = 0
    while calm < 2:
        await asyncio.sleep(0.5)
        calm = calm + 1 if not _waits(venue, traders) else 0


def _waits(venue: Venue, traders: list[Trader]) -> str:
    """What is not at the end; empty: nothing."""
    row = venue.server.log[-1].row
    if venue.leader() is None:
        return "nobody leads"
    for name, program in venue.programs.items():
        if isinstance(program, SequencerProcess):
            at_end = program.last_seq_in(row.epoch) == row.last_seq
        elif name == "snapshots":
            continue
        elif name == "projector":
            at_end = venue.model.position.seq == row.last_seq
        else:
            at_end = program in venue.gateways() and venue.program_of(name).state.last_seq == row.last_seq
        if not at_end:
            return f"{name} is not at seq {row.last_seq}"
    streams = [trader for trader in traders if not _sees_all(venue, trader)]
    return f"{streams[0].name} does not see all of its orders" if streams else ""


def _sees_all(venue: Venue, trader: Trader) -> bool:
    orders = venue.gateways()[0].state.orders
    known = {
        one.order_id: one for one in [*orders.open.values(), *orders.ended.values()] if one.account == trader.account
    }
    return known.keys() == trader.view.keys() and all(
        trader.view[order_id].seq == order.updated_seq for order_id, order in known.items()
    )


def _clear(venue: Venue) -> None:
    """Lets go of what a failed run has left."""
    loop = venue.world.loop
    venue.over = True
    for process in venue.world.processes.values():
        process.alive = False
        if process.stopped:
            loop.go_on(process)
    loop.call_later(0, loop.stop)
    loop.run_forever()
    while tasks := asyncio.all_tasks(loop):
        for task in sorted(tasks, key=hash):
            task.cancel()
        loop.call_later(0.1, loop.stop)
        loop.run_forever()


@contextmanager
def in_the_simulation(venue: Venue) -> Iterator[None]:
    """While it lasts, the product's modules have the simulated clock, chance, network and database."""
    world = venue.world
    shape = world.random("constants")
    clock = SimpleNamespace(monotonic=world.loop.time, perf_counter=world.loop.time, thread_time=world.loop.time)
    chance = _Secrets(world.random("secrets"))
    replaced: list[tuple[Any, str, Any]] = [
        (journal, "Database", database_of(venue.servers)),
        (session, "time", clock),
        (lag, "time", clock),
        (sequencer, "time", clock),
        (client, "connect", venue.network.connect),
        (client, "broadcast", broadcast),
        (client, "secrets", chance),
        (client, "log", _Silent()),
        (server, "serve", venue.network.serve),
        (server, "broadcast", broadcast),
        (server, "log", _Silent()),
        (projector, "log", _Silent()),
        (loading, "log", _Silent()),
        (request_tracker, "secrets", chance),
        # Bounds that a short run would hardly meet.
        (request_tracker, "REPLY_SECONDS", shape.choice((0.5, 2.0, 10.0))),
        (server, "MAX_UNSENT_BYTES", shape.choice((20_000, server.MAX_UNSENT_BYTES))),
        (batch_reader, "CHUNK_BYTES", shape.choice((20_000, CHUNK_BYTES))),
    ]
    before = [(module, name, vars(module)[name]) for module, name, _ in replaced]
    link_hash = server._Link.__hash__
    try:
        for module, name, value in replaced:
            setattr(module, name, value)
        # The order of a set of links must not depend on their addresses.
        server._Link.__hash__ = lambda link: link.connection.number  # type: ignore[attr-defined, method-assign, assignment]
        yield
    finally:
        server._Link.__hash__ = link_hash  # type: ignore[method-assign]
        for module, name, value in before:
            setattr(module, name, value)


class _Secrets:
    """What the product uses of `secrets`."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def token_hex(self, size: int) -> str:
        """Digits that the seed draws."""
        return self._chance.randbytes(size).hex()

    def randbits(self, bits: int) -> int:
        """A number that the seed draws."""
        return self._chance.getrandbits(bits)
