"""A simulated venue: its processes, each started again when it ends, and what they run on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from services.journal.errors import JournalBusy, JournalCorrupt, JournalError, JournalReplaced, JournalUnreachable
from services.journal.postgres.journal import PostgresJournal
from services.sequencer.sequencer import SequencerStopped
from services.venue.fatal_errors import root_cause
from tests.simulation.channel import Network
from tests.simulation.database import Servers
from tests.simulation.gateway_process import GatewayProcess
from tests.simulation.genesis import BEFORE_THE_ROLL_NS, JOURNAL_ID, SHANGHAI_15_00_NS, genesis
from tests.simulation.postgres import PostgresServer, Version
from tests.simulation.process import Process
from tests.simulation.projector_process import ProjectorProcess
from tests.simulation.promises import Promises
from tests.simulation.read_model import ReadModel
from tests.simulation.sequencer_process import SequencerProcess
from tests.simulation.snapshots import SimulatedStore, SnapshotProcess
from tests.simulation.virtual_loop import START_S
from tests.simulation.weather import Weather
from tests.simulation.world import World


class Program(Protocol):
    """What a process runs."""

    journal: PostgresJournal | None
    """None until it is open."""

    async def run(self) -> None:
        """Until an error ends it."""


Make = Callable[["Venue", Process, int], Program]


class Venue:
    """Sequencers, gateways, a projector, over one PostgreSQL."""

    def __init__(self, world: World) -> None:
        self.world = world
        chance = world.random("venue")
        self.weather = Weather(world.random("weather"))
        self.promises = Promises(world)
        self.start_ns = chance.choice((SHANGHAI_15_00_NS, BEFORE_THE_ROLL_NS))
        self.server = PostgresServer(world, self.promises, JOURNAL_ID, self.time_ns)
        self.promises.server = self.server
        self.servers = Servers(world, self.server, self.weather)
        self.network = Network(world, self.weather)
        self.model = ReadModel(JOURNAL_ID)
        self.snapshots = SimulatedStore(self.server)
        self.genesis = genesis(self.start_ns)
        self._found()
        self.clock_steps_ns: dict[str, int] = {}
        """By process name: how far the clock of its machine is wrong."""
        self._gateway_ids = 0
        self.programs: dict[str, Program] = {}
        self._makers: dict[str, Make] = {
            **{f"sequencer-{number}": SequencerProcess for number in range(1, chance.choice((2, 2, 3)) + 1)},
            "gateway-1": GatewayProcess,
            "gateway-2": GatewayProcess,
            "projector": ProjectorProcess,
            "snapshots": SnapshotProcess,
        }
        self._chance = world.random("supervisor")
        self._keepers: list[asyncio.Task[None]] = []
        self.over = False

    def _found(self) -> None:
        batch, server = self.genesis.batch, self.server
        record = batch.first_seq, batch.last_seq, batch.epoch, batch.encode()
        server.found(record, Version(server.log[0].row._replace(last_seq=batch.last_seq, last_hash=batch.hash), 1))

    # ------------------------------------------------------------------ what a process asks of its machine

    def steady_ns(self) -> int:
        """A clock that is never set."""
        return int(self.world.loop.time() * 1e9)

    def time_ns(self) -> int:
        """The right time, which the server's clock has."""
        return self.start_ns + int((self.world.loop.time() - START_S) * 1e9)

    def clock_of(self, process: Process) -> Callable[[], int]:
        """The clock of the process's machine, which somebody may set."""
        return lambda: self.time_ns() + self.clock_steps_ns.get(process.name, 0)

    def next_gateway_id(self) -> int:
        """Of each start of a gateway."""
        self._gateway_ids += 1
        return self._gateway_ids

    # ------------------------------------------------------------------ processes

    @property
    def names(self) -> list[str]:
        """Of all processes."""
        return list(self._makers)

    def start(self) -> None:
        """Starts every process, and again when it has ended."""
        for name, make in self._makers.items():
            self._keepers.append(self.world.loop.create_task(self._keep(name, make)))

    async def _keep(self, name: str, make: Make) -> None:
        world, life = self.world, 0
        while not self.over:
            life += 1
            process = world.processes[name] = Process(name)
            program = self.programs[name] = make(self, process, life)
            world.note(f"{name} starts")
            running = world.loop.create_task(program.run(), context=process.context)
            await asyncio.wait([running])
            if process.alive:
                error = None if running.cancelled() else running.exception()
                self._judge(name, error)
            elif not running.cancelled():
                running.exception()
            await self.kill(process)
            await asyncio.sleep(0.05 + self._chance.random() * 0.5)

    async def kill(self, process: Process) -> None:
        """SIGKILL."""
        if process.alive:
            process.end()
        if process.stopped:
            self.world.loop.go_on(process)
        await process.unwind()

    def _judge(self, name: str, error: BaseException | None) -> None:
        """A process has ended by itself: may it?"""
        if error is None:
            return
        cause = root_cause(error)
        if isinstance(cause, SequencerStopped):
            cause = cause.cause
        self.world.note(f"{name} ends: {type(cause).__name__}: {cause}")
        self.world.count(f"ended with {type(cause).__name__}")
        if isinstance(cause, (JournalBusy, JournalUnreachable)):
            return
        if type(cause) is JournalError and self.programs[name].journal is None:
            return  # The server went away during the start.
        if isinstance(cause, JournalReplaced):
            if self.world.counts.get("commits lost by a failover"):
                return
        elif isinstance(cause, JournalCorrupt) and self.world.counts.get("rows read with a wrong byte"):
            return
        self.world.broken(f"{name} ended with {type(cause).__name__}: {cause}")

    def leader(self) -> Process | None:
        """The process that the writer row names, if it lives."""
        url = self.server.log[self.server.visible].row.url
        process = self.world.processes.get(url[5:].partition(":")[0])
        return process if process is not None and process.alive else None

    async def end(self) -> None:
        """Ends every process."""
        self.over = True
        for process in list(self.world.processes.values()):
            await self.kill(process)
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.wait(self._keepers)
        for task in list(self.server.process.tasks.values()):
            task.cancel()

    def gateways(self) -> list[GatewayProcess]:
        """The gateways that serve."""
        return [
            one
            for one in self.programs.values()
            if isinstance(one, GatewayProcess) and one.process.alive and one.serves
        ]

    def program_of(self, name: str) -> Any:
        """What the process runs now."""
        return self.programs[name]
