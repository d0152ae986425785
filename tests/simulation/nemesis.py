"""The faults of a seed: which kinds, when, to whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from tests.simulation.process import Process
from tests.simulation.sequencer_process import SequencerProcess
from tests.simulation.venue import Venue

MOST_STEP_S = 100
"""The clock of a machine is wrong by at most so much: two of them differ by less than the five minutes that are allowed."""

Fault = Callable[["Nemesis"], Coroutine[Any, Any, None]]


class Nemesis:
    """Does one fault after the other, of the kinds that the seed has drawn."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._world = venue.world
        self._chance: Random = venue.world.random("nemesis")
        share = self._chance.choice((0.2, 0.5, 0.8))
        self._kinds = [kind for kind in KINDS if self._chance.random() < share] or [KINDS[0]]
        self._every_s = self._chance.choice((0.3, 0.5, 2.0))
        self._going: list[asyncio.Task[None]] = []
        self._ending: list[asyncio.Task[None]] = []
        """Processes that were told to end: they go on with it when everything heals."""

    async def act(self, until_s: float) -> None:
        """Faults until then; then everything heals."""
        while self._world.now_s < until_s:
            await asyncio.sleep(self._chance.expovariate(1 / self._every_s))
            kind = self._chance.choice(self._kinds)
            self._world.note(f"fault: {kind.__name__}")
            self._world.count(kind.__name__)
            self._going.append(asyncio.create_task(kind(self)))
        await self._heal()

    async def _heal(self) -> None:
        for task in self._going:
            task.cancel()
        await asyncio.gather(*self._going, return_exceptions=True)
        self._world.note("everything heals")
        self._venue.weather.calm()
        self._venue.servers.cut_off.clear()
        server = self._venue.server
        server.is_full, server.slow_s, server.hold_s = False, 0.0, 0.0
        if not server.up:
            server.start()
        server.attach_standby()
        for process in list(self._world.processes.values()):
            if process.stopped:
                self._world.loop.go_on(process)

    # ------------------------------------------------------------------ processes

    def _some(self, prefix: str) -> Process | None:
        """The leader half of the time, where sequencers are asked for; else any living process of the kind."""
        leader = self._venue.leader()
        if prefix == "sequencer" and leader is not None and self._chance.random() < 0.7:
            return leader
        found = [one for name, one in self._world.processes.items() if name.startswith(prefix) and one.alive]
        return self._chance.choice(found) if found else None

    async def _kill(self, prefix: str) -> None:
        process = self._some(prefix)
        if process is not None:
            self._world.note(f"kill {process.name}")
            await self._venue.kill(process)

    async def kill_sequencer(self) -> None:
        """SIGKILL, the leader as a rule."""
        await self._kill("sequencer")

    async def kill_gateway(self) -> None:
        """SIGKILL."""
        await self._kill("gateway")

    async def kill_projector(self) -> None:
        """SIGKILL."""
        await self._kill("projector")

    async def kill_snapshots(self) -> None:
        """SIGKILL, perhaps in the middle of a snapshot."""
        await self._kill("snapshots")

    async def _pause(self, prefix: str) -> None:
        process = self._some(prefix)
        if process is None or process.stopped:
            return
        self._world.note(f"stop {process.name}")
        self._world.loop.stop_process(process)
        await asyncio.sleep(self._chance.choice((0.3, 1.0, 2.0, 4.0)) * (0.5 + self._chance.random()))
        if process.alive and process.stopped:
            self._world.note(f"{process.name} goes on")
            self._world.loop.go_on(process)

    async def pause_sequencer(self) -> None:
        """SIGSTOP, then SIGCONT: a leader wakes up deposed."""
        await self._pause("sequencer")

    async def pause_gateway(self) -> None:
        """SIGSTOP, then SIGCONT."""
        await self._pause("gateway")

    async def stop_leader(self) -> None:
        """SIGTERM."""
        leader = self._venue.leader()
        if leader is None or leader.stopped:
            return
        program = self._venue.program_of(leader.name)
        if isinstance(program, SequencerProcess):
            self._world.note(f"end {leader.name}")
            self._ending.append(asyncio.create_task(self._end(leader, program)))

    async def _end(self, process: Process, program: SequencerProcess) -> None:
        stopping = self._world.loop.create_task(program.stop(), context=process.context)
        await asyncio.wait([stopping])
        await self._venue.kill(process)

    async def step_clock(self) -> None:
        """Somebody sets the clock of a machine."""
        process = self._some("sequencer")
        if process is not None:
            step_s = self._chance.uniform(-MOST_STEP_S, MOST_STEP_S)
            self._venue.clock_steps_ns[process.name] = int(step_s * 1e9)
            self._world.note(f"the clock of {process.name} is wrong by {step_s:.3f} s")

    # ------------------------------------------------------------------ the network of the links

    async def cut_link(self) -> None:
        """A link breaks."""
        ends = list(self._venue.network.ends)
        if ends:
            self._chance.choice(ends).cut()

    async def swallow_link(self) -> None:
        """A link loses everything in one direction, without a word."""
        ends = list(self._venue.network.ends)
        if ends:
            end = self._chance.choice(ends)
            self._chance.choice((end, end.peer)).swallow()

    # ------------------------------------------------------------------ PostgreSQL

    async def restart_postgres(self) -> None:
        """The primary crashes and recovers."""
        await self._away(fails_over=False)

    async def fail_over(self) -> None:
        """The primary dies; the standby takes its place."""
        await self._away(fails_over=True)

    async def _away(self, *, fails_over: bool) -> None:
        server = self._venue.server
        if not server.up:
            return
        server.crash()
        await asyncio.sleep(self._chance.choice((0.05, 0.5, 2.0)) * (0.5 + self._chance.random()))
        if fails_over:
            server.promote()
        else:
            server.start()

    async def lose_standby(self) -> None:
        """The synchronous standby is away: no commit is confirmed. Meanwhile somebody may end or cancel what waits for it."""
        server = self._venue.server
        if not server.standby_up:
            return
        server.standby_up = False
        self._world.note("the standby is away")
        for _ in range(self._chance.randint(0, 3)):
            await asyncio.sleep(self._chance.random() * 0.8)
            if self._chance.random() < 0.5:
                server.cancel_wait()
            else:
                server.terminate_waiting()
        await asyncio.sleep(self._chance.random() * 1.5)
        if self._chance.random() < 0.4 and server.up:
            await self._away(fails_over=self._chance.random() < 0.7)
        if server.up:
            self._world.note("the standby is back")
            server.attach_standby()

    async def terminate_session(self) -> None:
        """Somebody ends a session."""
        peers = list(self._venue.server.peers.values())
        if peers:
            self._venue.server.terminate(self._chance.choice(peers[-12:]))

    async def slow_disk(self) -> None:
        """A flush takes long."""
        self._venue.server.slow_s = self._chance.choice((0.005, 0.05, 0.5))
        await asyncio.sleep(self._chance.random() * 2)
        self._venue.server.slow_s = 0.0

    async def hold_lock(self) -> None:
        """The next transaction stops in the middle while it locks the writer row."""
        self._venue.server.hold_s = self._chance.uniform(0.2, 4.0)

    async def fill_disk(self) -> None:
        """The disk of PostgreSQL is full for a while."""
        self._venue.server.is_full = True
        await asyncio.sleep(self._chance.random() * 2)
        self._venue.server.is_full = False

    async def cut_off(self) -> None:
        """A process does not reach PostgreSQL."""
        process = self._some(self._chance.choice(("sequencer", "sequencer", "gateway", "projector", "snapshots")))
        if process is None:
            return
        self._world.note(f"{process.name} is cut off from PostgreSQL")
        self._venue.servers.cut_off.add(process.name)
        await asyncio.sleep(self._chance.choice((0.3, 1.0, 3.0)) * (0.5 + self._chance.random()))
        self._venue.servers.cut_off.discard(process.name)


KINDS: tuple[Fault, ...] = (
    Nemesis.kill_sequencer,
    Nemesis.kill_gateway,
    Nemesis.kill_projector,
    Nemesis.kill_snapshots,
    Nemesis.pause_sequencer,
    Nemesis.pause_gateway,
    Nemesis.stop_leader,
    Nemesis.step_clock,
    Nemesis.cut_link,
    Nemesis.swallow_link,
    Nemesis.restart_postgres,
    Nemesis.fail_over,
    Nemesis.lose_standby,
    Nemesis.terminate_session,
    Nemesis.slow_disk,
    Nemesis.hold_lock,
    Nemesis.fill_disk,
    Nemesis.cut_off,
)
