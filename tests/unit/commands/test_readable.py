"""What the leader takes from another process is what every reader can read, whatever the texts say."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from types import NoneType
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from matching_engine.records import Command, CommandKind, Flag, pack_commands
from services.alerts.following import FollowedAlerts
from services.commands.attachments import (
    AccountText,
    BustText,
    ChangeText,
    DelistText,
    HaltText,
    ListingText,
    Recordable,
    UnknownRecord,
    read_decision,
)
from services.commands.readable import Unreadable, check_readable
from services.journal.batch import JournalBatch
from services.messaging import Submission
from services.messaging.in_process import InProcessInbox
from services.read_model.database import make_tables
from services.read_model.sqlite_writer import read_position, write
from services.read_model.write_batch import WriteBatch
from services.sequencer.repeats import OnceInbox
from services.sequencer.skips import Skips
from services.venue_state.alerts import VenueAlerts
from services.venue_state.state import VenueState
from tests.long import IS_LONG
from tests.unit.read_model.history import JOURNAL_ID, SENDER, History, instrument_text, opening

MODELS: dict[CommandKind, tuple[type[BaseModel], ...]] = {
    CommandKind.RECORD: get_args(Recordable),
    CommandKind.OPEN_ACCOUNT: (AccountText,),
    CommandKind.LIST_INSTRUMENT: (ListingText,),
    CommandKind.CHANGE_INSTRUMENT: (ChangeText,),
    CommandKind.DELIST_INSTRUMENT: (DelistText,),
    CommandKind.BUST_TRADE: (BustText,),
    CommandKind.HALT: (HaltText,),
}
WELL_FORMED: dict[str, st.SearchStrategy[Any]] = {
    "key_hash": st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}"),
    "addresses": st.lists(st.sampled_from(["10.0.0.0/8", "::1", "10.0.0.1/8"]), max_size=2),
    "tick_size": st.sampled_from(["0.01", "10", "0.0333", "-1", "1e5", "0"]),
}
"""Fields of which a value of their type alone is hardly ever right."""


def value_of(annotation: Any) -> st.SearchStrategy[Any]:
    """JSON values of a field's type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return text_of(annotation)
    parts = get_args(annotation)
    if annotation in (int, str, bool):
        numbers = st.integers(0, 40) | st.integers(-(2**65), 2**65)
        return {int: numbers, str: st.text(max_size=20), bool: st.booleans()}[annotation]
    if annotation is NoneType:
        return st.none()
    if Ellipsis in parts:
        return st.lists(value_of(parts[0]), max_size=3)
    if parts and isinstance(parts[0], str):
        return st.sampled_from(parts)
    return st.one_of([value_of(part) for part in parts])


def text_of(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """The fields of a model, of the right types, or with a field that is missing or anything."""
    fields = {name: WELL_FORMED.get(name, value_of(field.annotation)) for name, field in model.model_fields.items()}
    right = st.fixed_dictionaries(fields)
    anything = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
    return st.one_of(
        right,
        right,
        right,
        st.builds(lambda whole, name, value: whole | {name: value}, right, st.sampled_from([*fields]), anything),
        st.builds(lambda whole, name: {k: v for k, v in whole.items() if k != name}, right, st.sampled_from([*fields])),
    )


@st.composite
def submissions(draw: st.DrawFn) -> Submission:
    """A command of a kind with a text, its other fields those of an act that the engine carries out, and any text."""
    kind = draw(st.sampled_from([CommandKind.RECORD] * 6 + list(MODELS)))
    model = draw(st.sampled_from(MODELS[kind]))
    text = json.dumps(draw(text_of(model))).encode()
    command = SENDER._replace(kind=kind, attachment=draw(st.sampled_from([1] * 20 + [0, 2])))
    if kind == CommandKind.LIST_INSTRUMENT:
        command = command._replace(
            instrument=2, amount_fen=1_000, price_ticks=1_000, rate_ppm=50_000, quantity_lots=1_000
        )
    if kind == CommandKind.CHANGE_INSTRUMENT:
        command = command._replace(instrument=draw(st.integers(0, 1)), flags=Flag.CHANGE_BAND, rate_ppm=50_000)
    return Submission(pack_commands([command]), (text,) if draw(st.integers(0, 30)) else (text[:-1],))


class Readers:
    """Every reader of the journal that folds what commands say."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        make_tables(connection)
        self._connection = connection
        self.state, self.alerts = VenueState(), FollowedAlerts(VenueAlerts(), 0)
        self.skips, self.once = Skips(), OnceInbox(InProcessInbox())

    def take(self, batch: JournalBatch) -> None:
        changes = WriteBatch(read_position(self._connection, JOURNAL_ID))
        changes.add(batch)
        write(self._connection, changes)
        self.state.apply(batch)
        self.alerts.apply(batch)
        self.skips.learn(batch)
        self.once.learn(batch)

    @property
    def records(self) -> list[tuple[int]]:
        """The seqs in the read database's table of records."""
        return self._connection.execute("SELECT seq FROM records ORDER BY seq").fetchall()


def is_readable(submission: Submission) -> bool:
    try:
        check_readable(submission)
    except Unreadable:
        return False
    return True


@given(given_submissions=st.lists(submissions(), min_size=20, max_size=60))
@settings(max_examples=2_500 if IS_LONG else 25)
def test_what_is_taken_ends_no_reader(given_submissions: list[Submission]) -> None:
    taken = [submission for submission in given_submissions if is_readable(submission)]
    history = History()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        readers = Readers(connection)
        readers.take(history.batch(opening()))
        for submission in taken:
            readers.take(history.batch([submission]))
        assert readers.state.last_seq == readers.alerts.last_seq == history.engine.last_seq


def test_a_record_of_a_newer_version_is_named_and_passed_over() -> None:
    text = b'{"type": "of_tomorrow", "what": 1}'
    newer = Submission(pack_commands([SENDER._replace(kind=CommandKind.RECORD, attachment=1)]), (text,))
    assert read_decision(text) == UnknownRecord("of_tomorrow")
    assert not is_readable(newer)
    history = History()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        readers = Readers(connection)
        readers.take(history.batch(opening()))
        readers.take(history.batch([newer]))
        seq = history.engine.last_seq
        assert readers.records == [(seq,)]
        told = connection.execute("SELECT kind, text FROM actions WHERE seq = ?", (seq,)).fetchone()
        assert told == ("of_tomorrow", "{}")


def test_every_kind_of_text_that_the_venue_makes_is_taken() -> None:
    for submission in opening():
        check_readable(submission)
    listed = Command(kind=CommandKind.LIST_INSTRUMENT, attachment=1)
    check_readable(Submission(pack_commands([listed]), (instrument_text(0).to_bytes(),)))
    check_readable(Submission(pack_commands([Command(kind=CommandKind.NEW_ORDER)] * 3)))
