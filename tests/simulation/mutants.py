"""Defects that the simulation must find: changes of the product's code for as long as a block lasts. Most are those of the rigs
with real processes (tests/faults), which change their own process for good."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from services.gateway.order_entry import request_tracker
from services.gateway.problems import not_taken_in
from services.journal.postgres import statements
from services.journal.postgres.batch_writer import BatchWriter
from services.journal.postgres.journal import PostgresJournal
from services.journal.postgres.seen import Seen
from services.messaging import Submission
from services.messaging.link import position
from services.messaging.link.confirmed import ConfirmedJournal
from services.sequencer import standby
from services.sequencer.repeats import OnceInbox
from tests.faults import postgres_mutants, scaled_mutants

Mutant = Callable[[], None]


def forgotten_repeats() -> None:
    """The leader takes in every keyed request, also one that another gateway has sent."""

    async def put(once: OnceInbox, submission: Submission) -> None:
        await once._inbox.put(submission)

    OnceInbox.put = put  # type: ignore[method-assign, assignment]


def refused_what_was_sent() -> None:
    """A gateway that waits too long says that nothing was taken in, although the request was sent."""
    vars(request_tracker)["outcome_unknown"] = not_taken_in


def hasty_standby() -> None:
    """A standby claims after one look without a change, whatever has happened since, and leads without the rows that the writer
    before has appended since."""
    vars(standby)["SILENT_LOOKS"] = 1
    postgres_mutants.claim_without_a_look()

    async def reach(one: standby.Standby, claimed: Any) -> None:
        one.seen = claimed

    standby.Standby._reach = reach  # type: ignore[method-assign, assignment]


def resent_after_a_take_over() -> None:
    """A gateway sends again what it had sent, without reading what the old leader has executed of it."""

    async def read_nothing(one: position.LinkPosition, seq: int) -> None:
        one.seq = max(one.seq, seq)
        one.hash = b""

    position.LinkPosition.read_to = read_nothing  # type: ignore[method-assign, assignment]


def answers_from_unconfirmed_rows() -> None:
    """A gateway reads the journal to its end, also a row that only the primary has."""

    def read(one: ConfirmedJournal, after_seq: int) -> Any:
        return one._journal.read(after_seq)

    ConfirmedJournal.read = read  # type: ignore[method-assign, assignment]


MUTANTS: dict[str, Mutant] = {
    "the fence left out of the append": postgres_mutants.unfenced_append,
    "a read-back without a barrier": postgres_mutants.read_back,
    "an acknowledgement before the append returns": scaled_mutants.early_acknowledgement,
    "a commit without an answer believed": postgres_mutants.assumed_commit,
    "the requests that came before forgotten": forgotten_repeats,
    "503 for what was sent": refused_what_was_sent,
    "a standby that leads too early": hasty_standby,
    "what was executed sent again after a take-over": resent_after_a_take_over,
    "answers from rows that only the primary has": answers_from_unconfirmed_rows,
}


@contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """The product has the defect while the block runs."""
    places: list[Any] = [
        statements,
        BatchWriter,
        PostgresJournal,
        Seen,
        OnceInbox,
        request_tracker,
        standby,
        standby.Standby,
        position.LinkPosition,
        ConfirmedJournal,
    ]
    before = [dict(vars(place)) for place in places]
    mutant()
    try:
        yield
    finally:
        for place, names in zip(places, before, strict=True):
            for name, value in names.items():
                if vars(place).get(name) is not value:
                    setattr(place, name, value)
