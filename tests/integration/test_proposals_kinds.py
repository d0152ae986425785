"""Random proposals and endings: both kinds of read database and a plain model say the same of each."""

from __future__ import annotations

from random import Random
from typing import get_args

import pytest
from sqlalchemy import true

from matching_engine.records import COMMAND
from services.commands import administrative as admin
from services.commands.attachments import ActProposed, ProposalEnded
from services.gateway.order_entry.four_eyes import confirming
from services.messaging import Submission
from services.read_model.proposals import (
    EXPIRES_NS,
    ProposalState,
    in_state,
    read_confirmed,
    read_page,
    read_proposal,
)
from services.venue_state.keys import ApiKey
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_read_database_kinds import write_in_parts
from tests.long import some
from tests.unit.read_model.history import SENDER, START_NS, History, opening

pytestmark = pytest.mark.anyio

ACT = ActProposed(
    act="deposit", scope="admin", method="POST", path="/v1/admin/accounts/2/cash", body='{"amount":"5.00","为":"何"}'
)
OTHER = ApiKey(6, 0, "the second", frozenset({"admin"}))
NOTHING = ProposalEnded(proposal=1, outcome="rejected")
TOO_MUCH_FEN = -(10**15)


def confirmed(proposal: int, amount_fen: int = 500, *, limits: bool = False) -> Submission:
    """Somebody confirms a proposal; the act is refused if the amount is too much."""
    sender = SENDER._replace(actor=OTHER.key_id)
    act = admin.set_limits(sender, 2, max_open_orders=5) if limits else admin.change_cash(sender, 2, amount_fen)
    return confirming(act, OTHER, proposal)


class Model:
    """What a list and a dict know of proposals."""

    def __init__(self) -> None:
        self.history = History()
        self.batches = [self.history.batch(opening())]
        self.ended: dict[int, tuple[str, int, int] | None] = {}
        self._seq = 0

    def step(self, chance: Random) -> Submission:
        """One request, at the seq that it will have."""
        seq, proposal = self._seq, chance.choice([*self.ended, 1])
        kind = chance.randrange(8)
        if kind < 3:
            self.ended[seq] = None
            return admin.record(SENDER, ACT)
        if kind < 5:
            outcome = chance.choice(get_args(ProposalEnded.model_fields["outcome"].annotation))
            self._end(proposal, (outcome, seq, seq))
            return admin.record(SENDER, ProposalEnded(proposal=proposal, outcome=outcome, reason="没有"))
        if kind == 5:
            return confirmed(proposal, TOO_MUCH_FEN)
        limits = kind == 6
        self._end(proposal, ("confirmed", seq, seq + limits))
        return confirmed(proposal, limits=limits)

    def _end(self, proposal: int, ending: tuple[str, int, int]) -> None:
        if self.ended.get(proposal, ending) is None:
            self.ended[proposal] = ending

    def run(self, chance: Random) -> None:
        """Some requests, in batches of any size."""
        for _ in range(25):
            self._seq, taken = self.history.engine.last_seq + 1, list[Submission]()
            for _ in range(chance.randint(1, 6)):
                taken.append(self.step(chance))
                self._seq += len(taken[-1].commands) // COMMAND.itemsize
            self.batches.append(self.history.batch(taken))


@pytest.mark.parametrize("seed", some(range(4)))
async def test_table_and_model_agree(read_database: ReadDatabase, seed: int) -> None:
    model = Model()
    model.run(Random(seed))
    await write_in_parts(read_database.writer(), model.batches, Random(seed))
    rows = (await read_database.dump())["proposals"]
    assert {row[0]: row[9] and row[9:12] for row in rows} == model.ended
    assert {row[9] for row in rows} == {None, "confirmed", "rejected", "withdrawn"}
    assert {row[13] for row in rows if row[9] == "confirmed"} == {OTHER.key_id}
    async with read_database.opened() as engine, engine.connect() as connection:
        acts = {seq for row in rows if row[9] == "confirmed" for seq in range(row[10], row[11] + 1)}
        found = await read_confirmed(connection, {*acts, 1})
        assert {(seq, one.row["seq"]) for seq, one in found.items()} == {
            (seq, row[0]) for row in rows if row[9] == "confirmed" for seq in range(row[10], row[11] + 1)
        }


async def test_of_a_log_that_spans_years_only_what_it_shows_is_read(read_database: ReadDatabase) -> None:
    """A page of one kind has lines far apart: the proposals between them are not read, and of none the body."""
    history = History()
    batches = [history.batch([*opening(), *[admin.record(SENDER, ACT)] * 3])]
    first = history.engine.last_seq - 2
    ends: list[int] = []
    for proposal in range(first, first + 3):
        batches.append(history.batch([admin.record(SENDER, NOTHING)] * 1_500))
        batches.append(history.batch([confirmed(proposal)]))
        ends.append(history.engine.last_seq - 1)
    await write_in_parts(read_database.writer(), batches, Random(0))
    async with read_database.opened() as engine, engine.connect() as connection:
        found = await read_confirmed(connection, {ends[0], ends[2]})
        assert all("body" not in one.row for one in found.values())
        assert {seq: one.row["seq"] for seq, one in found.items()} == {ends[0]: first, ends[2]: first + 2}


async def test_a_proposal_expires_at_its_nanosecond(read_database: ReadDatabase) -> None:
    """Of two that nobody ends, at each instant around the end of the first; one that was ended never expires."""
    history = History()
    batches = [history.batch([*opening(), *[admin.record(SENDER, ACT)] * 3])]
    first, second, ended = range(history.engine.last_seq - 2, history.engine.last_seq + 1)
    batches.append(history.batch([confirmed(ended)]))
    await write_in_parts(read_database.writer(), batches, Random(0))
    async with read_database.opened() as engine, engine.connect() as connection:
        proposal = await read_proposal(connection, first)
        assert proposal is not None
        assert proposal.expires_ns == START_NS + first + EXPIRES_NS
        for late_ns, states in (
            (-1, ("waiting", "waiting")), (0, ("expired", "waiting")), (1, ("expired", "expired")),
        ):  # fmt: skip
            now_ns = proposal.expires_ns + late_ns
            found = {one.row["seq"]: one.state(now_ns) for one in (await read_page(connection, true(), 9))[0]}
            assert found == {first: states[0], second: states[1], ended: "confirmed"}
            for state in get_args(ProposalState):
                page, _ = await read_page(connection, in_state(state, now_ns), 9)
                assert [one.row["seq"] for one in page] == [
                    seq for seq in sorted(found, reverse=True) if found[seq] == state
                ]


async def test_nobody_is_named_before_the_end(read_database: ReadDatabase) -> None:
    history = History()
    await write_in_parts(read_database.writer(), [history.batch([*opening(), admin.record(SENDER, ACT)])], Random(0))
    (row,) = (await read_database.dump())["proposals"]
    assert row[2:9] == (SENDER.actor, "deposit", "admin", "POST", ACT.path, '{"amount":"5.00","为":"何"}', "")
    assert row[9:] == (None,) * 6
