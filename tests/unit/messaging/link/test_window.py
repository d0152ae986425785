"""The window, beside a plain model: what it withdraws is never executed, everything else is executed once, its bounds hold."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from matching_engine.records import Command, CommandKind, pack_commands, unpack_commands
from services.journal.batch import NO_HASH, JournalBatch
from services.messaging import InboxFull, ShareFull, Submission
from services.messaging.link.window import LinkWindow
from tests.long import examples

SENDER = Command(kind=CommandKind.RECORD, gateway_id=3, incarnation=9)


def submission(*request_ids: int, account: int = 0, sender: Command = SENDER) -> Submission:
    return Submission(pack_commands([sender._replace(request_id=number) for number in request_ids]), (), account)


def batch(*submissions: Submission, first_seq: int = 1) -> JournalBatch:
    """A batch with these submissions, without events."""
    commands = b"".join(one.commands for one in submissions)
    last_seq = first_seq + sum(1 for _ in unpack_commands(commands)) - 1
    return JournalBatch(bytes(16), 1, first_seq, last_seq, 0, NO_HASH, commands, b"")


def test_what_is_sent_leaves_once_and_oldest_first() -> None:
    window = LinkWindow(100)
    first, second, third = submission(1), submission(2), submission(3)
    window.add(first, sent=False, now_s=0.0)
    window.add(second, sent=False, now_s=0.0)
    assert window.send() == [first, second]
    window.add(third, sent=True, now_s=0.0)
    assert window.send() == []
    window.not_taken(1)
    assert window.send() == [second, third]
    window.not_taken(0)
    assert window.send() == [first, second, third]


def test_the_oldest_that_waits_is_known() -> None:
    window = LinkWindow(100)
    assert window.oldest_s is None
    first, second = submission(1), submission(2, 3)
    window.add(first, sent=True, now_s=5.0)
    window.add(second, sent=False, now_s=7.0)
    assert window.oldest_s == 5.0
    window.answer(batch(first))
    assert window.oldest_s == 7.0
    window.withdraw(2)
    assert window.oldest_s is None


def test_a_batch_frees_only_commands_of_this_sender() -> None:
    window = LinkWindow(100)
    one = submission(1, 2, 3)
    window.add(one, sent=True, now_s=0.0)
    for other in (SENDER._replace(gateway_id=4), SENDER._replace(incarnation=8)):
        window.answer(batch(submission(1, 2, 3, sender=other)))
    assert window.bounds.commands == 3
    window.answer(batch(submission(9), one))
    assert (window.bounds.commands, window.has_sent) == (0, False)
    window.answer(batch(one))
    assert not window.withdraw(2)


def test_all_request_ids_of_a_submission_are_answered_alike() -> None:
    window = LinkWindow(100)
    window.add(submission(1, 2, 3), sent=True, now_s=0.0)
    assert not any(window.withdraw(number) for number in (1, 2, 3))
    window.add(submission(4, 5), sent=False, now_s=0.0)
    assert all(window.withdraw(number) for number in (5, 4, 5))
    assert window.bounds.commands == 3


def test_what_was_answered_unknown_is_not_sent_again() -> None:
    window = LinkWindow(100)
    kept = submission(2)
    window.add(submission(1), sent=True, now_s=0.0)
    window.add(kept, sent=True, now_s=0.0)
    assert not window.withdraw(1)
    window.not_taken(0)
    assert (window.send(), window.bounds.commands) == ([kept], 1)


def test_what_was_answered_unknown_and_then_proven_not_to_be_executed_counts_as_withdrawn() -> None:
    window = LinkWindow(100)
    window.add(submission(1, 2), sent=True, now_s=0.0)
    window.add(submission(3), sent=True, now_s=0.0)
    assert not window.withdraw(1)
    window.not_taken(2)
    assert not window.withdraw(1)
    window.not_taken(0)
    assert [window.withdraw(number) for number in (1, 2)] == [True, True]


def test_the_bounds_are_those_of_an_inbox() -> None:
    window = LinkWindow(64)
    window.add(submission(*range(1, 9), account=1), sent=False, now_s=0.0)
    with pytest.raises(ShareFull):
        window.add(submission(9, account=1), sent=False, now_s=0.0)
    window.add(submission(*range(10, 66)), sent=True, now_s=0.0)
    with pytest.raises(InboxFull):
        window.add(submission(99), sent=False, now_s=0.0)
    assert window.withdraw(1)
    window.add(submission(99), sent=False, now_s=0.0)


def test_what_is_no_submission_of_the_sender_takes_no_room() -> None:
    window = LinkWindow(64)
    window.add(submission(1), sent=False, now_s=0.0)
    for wrong in (submission(1), submission(2, 1), submission(2, sender=SENDER._replace(incarnation=1))):
        with pytest.raises(ValueError, match="another sender"):
            window.add(wrong, sent=False, now_s=0.0)
    with pytest.raises(ValueError, match="not a whole number of commands"):
        window.add(Submission(b"short"), sent=False, now_s=0.0)
    assert window.bounds.commands == 1


def test_the_memory_of_withdrawals_is_bounded() -> None:
    window = LinkWindow(16)
    for number in range(1, 100):
        window.add(submission(number), sent=False, now_s=0.0)
        assert window.withdraw(number)
    assert [number for number in range(1, 100) if window.withdraw(number)] == [*range(84, 100)]


# ---------------------------------------------------------------------- against a model


@dataclass
class Sequencer:
    """The model of a sequencer of one epoch: what arrived, what of it is in the journal, what its links carried."""

    arrived: list[Submission] = field(default_factory=list)
    executed: int = 0
    on_the_way: list[Submission] = field(default_factory=list)


class Venue(RuleBasedStateMachine):
    """One window, its link that breaks, sequencers that follow each other, and a journal."""

    @initialize()
    def begin(self) -> None:
        self.window = LinkWindow(128)
        self.journal: list[Submission] = []
        self.seen = 0
        self.sequencer = Sequencer()
        self.linked = False
        self.next_id = 1
        self.withdrawn: set[int] = set()
        self.given_up: set[int] = set()
        self.known: list[tuple[int, ...]] = []

    @rule(count=st.integers(1, 3), account=st.integers(0, 2))
    def put(self, count: int, account: int) -> None:
        ids = tuple(range(self.next_id, self.next_id + count))
        one = submission(*ids, account=account)
        try:
            self.window.add(one, sent=self.linked, now_s=0.0)
        except InboxFull:
            return
        self.next_id += count
        self.known.append(ids)
        if self.linked:
            self.sequencer.on_the_way.append(one)

    @rule(count=st.integers(1, 5))
    def arrive(self, count: int) -> None:
        self.sequencer.arrived += self.sequencer.on_the_way[:count]
        del self.sequencer.on_the_way[:count]

    @rule(count=st.integers(1, 5))
    def execute(self, count: int) -> None:
        executed, arrived = self.sequencer.executed, self.sequencer.arrived
        self.journal += arrived[executed : executed + count]
        self.sequencer.executed = min(executed + count, len(arrived))

    @precondition(lambda self: self.linked)
    @rule()
    def receive(self) -> None:
        self._read()

    @rule(lost=st.booleans())
    def break_link(self, lost: bool) -> None:
        """A new link begins only after the bytes of the old one have arrived or are lost."""
        self.linked = False
        if lost:
            self.sequencer.on_the_way.clear()

    @rule()
    def link(self) -> None:
        if not self.linked:
            self.arrive(len(self.sequencer.on_the_way))
            self._read()
            self.window.not_taken(len(self.sequencer.arrived))
            self.linked = True
            self.sequencer.on_the_way += self.window.send()

    @rule()
    def take_over(self) -> None:
        self.linked = False
        self.sequencer = Sequencer()
        self._read()
        self.window.not_taken(0)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        ids = data.draw(st.sampled_from(self.known))
        answers = {self.window.withdraw(number) for number in ids}
        assert len(answers) == 1
        (self.withdrawn if answers == {True} else self.given_up).update(ids)

    def _read(self) -> None:
        if self.seen < len(self.journal):
            self.window.answer(batch(*self.journal[self.seen :]))
            self.seen = len(self.journal)

    def _executed(self) -> list[int]:
        return [command.request_id for one in self.journal for command in unpack_commands(one.commands)]

    @invariant()
    def each_is_executed_at_most_once_in_order_and_never_if_withdrawn(self) -> None:
        executed = self._executed()
        assert executed == sorted(set(executed))
        assert not self.withdrawn & set(executed)

    def teardown(self) -> None:
        """In the end, everything is executed that was neither withdrawn nor given up, and the window is empty."""
        self.take_over()
        self.link()
        self.arrive(1_000)
        self.execute(1_000)
        self._read()
        every = set(range(1, self.next_id))
        assert every - self.withdrawn - self.given_up <= set(self._executed()) <= every - self.withdrawn
        assert self.window.bounds.commands == self.window.bounds.largest_share == 0


TestVenue = Venue.TestCase
TestVenue.settings = settings(max_examples=examples(60), stateful_step_count=40, deadline=None)
