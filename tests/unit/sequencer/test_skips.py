"""Skipped requests: how they are named, and what an inbox takes in in their place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from matching_engine.records import Command, CommandKind, pack_commands, unpack_commands
from services.cli import app
from services.commands import administrative as admin
from services.commands.attachments import AccountText, CommandSkipped, RequestSkipped, read_decision
from services.messaging import Inbox, Submission
from services.messaging.in_process import InProcessInbox
from services.processes.exit_codes import ExitCode
from services.sequencer.skips import SkippedRequest, Skips, described, digests_of
from tests.unit.read_model.history import SENDER, History, opening

pytestmark = pytest.mark.anyio

MANY = 1_000_000
_ORDER = Command(kind=CommandKind.NEW_ORDER, account=7, price_ticks=1_000, quantity_lots=3, client_order_id=b"a")


def order(gateway: int = 1, request: int = 1, *, count: int = 1, client_order_id: bytes = b"a") -> Submission:
    sent = _ORDER._replace(gateway_id=gateway, incarnation=gateway * 100, client_order_id=client_order_id)
    return Submission(pack_commands(sent._replace(request_id=request + place) for place in range(count)), account=7)


def together(*names: bytes, request: int = 1) -> Submission:
    """Orders that arrived together."""
    each = [order(request=request + place, client_order_id=name) for place, name in enumerate(names)]
    return Submission(b"".join(one.commands for one in each), account=7)


def skipping(submission: Submission, place: int = 0) -> tuple[int, Skips]:
    """The seq of a skip of this request, and what a venue reads of the journal."""
    history, skips = History(), Skips()
    history.batch(opening())
    record = CommandSkipped(
        **SkippedRequest.of(submission, place)._asdict(), reason="stops the venue", name="Wang Fang"
    )
    batch = history.batch([admin.record(SENDER, record)])
    skips.learn(batch)
    return batch.last_seq, skips


async def taken(inbox: Inbox, inner: InProcessInbox, submission: Submission) -> Submission:
    await inbox.put(submission)
    (found,) = await inner.take(MANY, MANY)
    return found


@given(
    st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.binary(min_size=16, max_size=16)
)
def test_a_request_is_read_as_it_was_written(gateway: int, incarnation: int, request: int, digest: bytes) -> None:
    one = SkippedRequest(gateway, incarnation, request, digest.hex())
    assert SkippedRequest.parse(str(one)) == one


@pytest.mark.parametrize(
    "text", ["", "1-2-3", "1-2-3-xyz", f"1-2-3-{'0' * 31}", f"-1-2-3-{'0' * 32}", f"1-2-3-{'0' * 32} "]
)
def test_another_text_names_no_request(text: str) -> None:
    with pytest.raises(ValueError, match=r"names no request\. Copy it"):
        SkippedRequest.parse(text)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (f"{2**16}-2-3-{'0' * 32}", "gateway_id"),
        (f"1-9999999999-3-{'0' * 32}", "incarnation"),
        (f"1-2-{2**64}-{'0' * 32}", "request_id"),
    ],
)
def test_a_number_that_no_command_can_hold_names_no_request(text: str, field: str) -> None:
    with pytest.raises(ValueError, match=f"names no request: its {field} is more than"):
        SkippedRequest.parse(text)


def test_the_digest_is_that_of_the_journals_records() -> None:
    """It may never change: a journal holds it for ever."""
    assert digests_of(order()) == ["59bc6076725f14f81b91646666664068"]
    assert digests_of(admin.open_account(SENDER, AccountText(name="one"))) == ["6c92758ff9064caf2d7172910233ea11"]


def test_the_digest_is_of_the_content_whoever_sends_it_and_whatever_it_came_with() -> None:
    (digest,) = digests_of(order())
    assert digests_of(order(gateway=2, request=9, count=3)) == [digest] * 3
    assert digests_of(order(client_order_id=b"b")) != [digest]
    one, other = (admin.open_account(SENDER, AccountText(name=name)) for name in ("one", "other"))
    assert digests_of(one) != digests_of(other)


def test_a_stopped_sequencer_names_the_request_or_its_own_timer() -> None:
    first, second = order(), order(request=5, count=3)
    assert described(2, [first, second], 1) == "a command of the venue's own timers, which cannot be skipped"
    assert f"NEW_ORDER of account 7, request {SkippedRequest.of(first, 0)}. docs/runbook.md" in described(
        2, [first, second], 2
    )
    assert f"request {SkippedRequest.of(second, 1)}." in described(2, [first, second], 4)
    assert described(2, [first, second], 6) == ""
    assert described(2, [first, second], -1) == ""


async def test_the_request_and_an_equal_one_become_notes_that_change_nothing() -> None:
    seq, skips = skipping(order())
    inner = InProcessInbox()
    inbox = skips.before(inner)
    for again in (order(), order(gateway=2, request=70), order(client_order_id=b"b")):  # The last has the sender alone.
        note = await taken(inbox, inner, again)
        (before,), (after,) = (list(unpack_commands(each.commands)) for each in (again, note))
        assert after.kind == CommandKind.RECORD
        for field in ("request_id", "incarnation", "gateway_id"):
            assert getattr(before, field) == getattr(after, field)
        assert [read_decision(text) for text in note.attachments] == [RequestSkipped(skip=seq)]
    other = order(gateway=2, request=80, client_order_id=b"b")
    assert await taken(inbox, inner, other) == other


async def test_what_an_order_came_with_is_taken_in_without_it() -> None:
    _, skips = skipping(together(b"a", b"b"), place=1)
    inner = InProcessInbox()
    inbox = skips.before(inner)
    for again in (together(b"a", b"b"), together(b"b", b"c", request=70)):
        sent, found = (list(unpack_commands(each.commands)) for each in (again, await taken(inbox, inner, again)))
        kinds = [CommandKind.RECORD if one.client_order_id == b"b" else CommandKind.NEW_ORDER for one in sent]
        assert [one.kind for one in found] == kinds
        assert [one for one in found if one.kind == CommandKind.NEW_ORDER] == [
            one for one in sent if one.client_order_id != b"b"
        ]


async def test_commands_with_an_attachment_are_one_request() -> None:
    account = admin.open_account(SENDER, AccountText(name="one"))
    both = Submission(account.commands + order(request=9).commands, account.attachments)
    seq, skips = skipping(both, place=1)
    inner = InProcessInbox()
    note = await taken(skips.before(inner), inner, both)
    assert [one.kind for one in unpack_commands(note.commands)] == [CommandKind.RECORD] * 2
    assert [read_decision(text) for text in note.attachments] == [RequestSkipped(skip=seq)]


async def test_a_venue_without_skips_has_its_own_inbox() -> None:
    inner, skips = InProcessInbox(), Skips()
    history = History()
    skips.learn(history.batch(opening()))
    skips.learn(history.batch([admin.open_account(SENDER, AccountText(name="command_skipped"))]))
    assert skips.before(inner) is inner


@pytest.mark.parametrize(
    ("request_", "reason", "status", "sentence"),
    [
        ("1-2-3", "why", ExitCode.USAGE, "names no request. Copy it"),
        (f"1-9999999999-3-{'0' * 32}", "why", ExitCode.USAGE, "its incarnation is more than 4294967295"),
        (f"1-2-3-{'0' * 32}", "why" * 40_000, ExitCode.USAGE, "has 120,000 characters, and may have 500"),
        (f"1-2-3-{'0' * 32}", " ", ExitCode.USAGE, "must have a visible text"),
        (f"1-2-3-{'0' * 32}", "bell \a", ExitCode.USAGE, "must have a visible text"),
        (f"1-2-3-{'0' * 32}", "why", ExitCode.TROUBLE, "journal.sqlite"),
    ],
    ids=["no request", "no such number", "a long reason", "no reason", "a control character", "no journal"],
)
def test_what_cannot_be_skipped_is_a_sentence_and_makes_no_file(
    tmp_path: Path, request_: str, reason: str, status: ExitCode, sentence: str
) -> None:
    arguments = ["journal", "skip", request_, "--reason", reason, "--name", "Wang Fang", "--data-dir", str(tmp_path)]
    ended = CliRunner().invoke(app, arguments, env={"COLUMNS": "300"})
    assert ended.exit_code == status
    assert sentence in " ".join(ended.output.split())
    assert list(tmp_path.iterdir()) == []
