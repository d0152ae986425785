"""Who asks for a proof shares it with those who ask meanwhile, and waits for nobody who has left."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from services.reporting.proof_turns import ProofTurns
from services.reporting.proven import Proven

pytestmark = pytest.mark.anyio


@dataclass
class Proofs:
    """Proofs that take as long as their test says. The number of a proof is its seq."""

    begun: list[int] = field(default_factory=list)
    """The years, in the order in which their proofs began."""
    canceled: list[int] = field(default_factory=list)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, year: int, _breakdown: bool) -> Proven:
        self.begun.append(year)
        seq = len(self.begun)
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.canceled.append(year)
            raise
        return Proven(year, seq, 0, None, "no journal")


async def asked(turns: ProofTurns, *years: int) -> list[asyncio.Task[Proven]]:
    """Tasks that ask for a proof of these years, one after the other."""
    tasks = []
    for year in years:
        tasks.append(asyncio.create_task(turns.take(year, False)))
        for _ in range(3):  # until it waits for the outcome, and the proof for its turn
            await asyncio.sleep(0)
    return tasks


async def left(tasks: list[asyncio.Task[Proven]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_those_who_ask_while_one_runs_share_the_next_one_of_their_year() -> None:
    proofs = Proofs()
    turns = ProofTurns(proofs)
    tasks = await asked(turns, 2026, *[2026] * 30, *[2025] * 30)
    assert proofs.begun == [2026]
    proofs.may_end.set()
    outcomes = await asyncio.gather(*tasks)
    assert proofs.begun == [2026, 2026, 2025]
    assert [proven.seq for proven in outcomes] == [1, *[2] * 30, *[3] * 30]


async def test_one_with_the_breakdown_is_another_one() -> None:
    proofs = Proofs()
    turns = ProofTurns(proofs)
    await asked(turns, 2026)
    others = [asyncio.create_task(turns.take(2026, breakdown)) for breakdown in (False, True, True)]
    await asyncio.sleep(0)
    proofs.may_end.set()
    assert [proven.seq for proven in await asyncio.gather(*others)] == [2, 3, 3]


async def test_nobody_waits_for_proofs_whose_askers_have_left() -> None:
    proofs = Proofs()
    turns = ProofTurns(proofs)
    first, *others = await asked(turns, 2026, *[2026] * 30, *[2025] * 30)
    (honest,) = await asked(turns, 2024)
    await left(others)
    proofs.may_end.set()
    assert ((await first).seq, (await honest).seq) == (1, 2)
    assert proofs.begun == [2026, 2024]


async def test_one_who_leaves_ends_no_proof_for_which_another_waits() -> None:
    proofs = Proofs()
    turns = ProofTurns(proofs)
    _, impatient, patient = await asked(turns, 2026, 2025, 2025)
    await left([impatient])
    proofs.may_end.set()
    assert (await patient).seq == 2
    assert proofs.canceled == []


async def test_a_running_proof_that_all_have_left_has_ended_and_the_next_one_begins() -> None:
    proofs = Proofs()
    turns = ProofTurns(proofs)
    running, waiting = await asked(turns, 2026, 2026)
    await left([running])
    assert proofs.canceled == [2026]
    proofs.may_end.set()
    assert (await waiting).seq == 2


async def test_an_error_is_that_of_all_who_asked_and_of_nobody_later() -> None:
    calls = []

    async def fails_once(year: int, _breakdown: bool) -> Proven:
        calls.append(year)
        if len(calls) == 1:
            raise ValueError("once")
        return Proven(year, len(calls), 0, None, None)

    turns = ProofTurns(fails_once)
    outcomes = await asyncio.gather(turns.take(2026, False), turns.take(2026, False), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["once", "once"]
    assert (await turns.take(2026, False)).seq == 2
