"""The inbox of a leader takes in each request with an idempotency key once, whichever gateways send it."""

from __future__ import annotations

import pytest

from matching_engine.records import Command, CommandKind, unpack_commands
from services.commands import administrative as admin
from services.commands.attachments import AccountText, RequestKeyed, RequestRepeated, read_decision
from services.gateway.order_entry.idempotency import RequestKey, with_key
from services.messaging import InboxFull, Submission
from services.messaging.in_process import InProcessInbox
from services.sequencer.repeats import OnceInbox
from tests.unit.read_model.history import ACCOUNTS, SENDER, History, opening

pytestmark = pytest.mark.anyio

MANY = 1_000_000


def deposit(name: str, gateway: int = 1, request: int = 1, amount_fen: int = 100) -> Submission:
    sender = SENDER._replace(gateway_id=gateway, incarnation=gateway * 100, request_id=request)
    return with_key(admin.change_cash(sender, ACCOUNTS[0], amount_fen), RequestKey(name, "a digest", SENDER.actor))


def commands(submission: Submission) -> list[Command]:
    return list(unpack_commands(submission.commands))


async def taken(inbox: InProcessInbox) -> list[Submission]:
    return await inbox.take(MANY, MANY)


def test_the_record_of_a_key_has_the_sender_of_its_request() -> None:
    """The link counts a gateway's commands by their sender, and finds a submission by its request."""
    deposited, recorded = commands(deposit("k", gateway=3, request=8))
    assert deposited.kind == CommandKind.DEPOSIT
    assert (recorded.kind, recorded.actor) == (CommandKind.RECORD, 0)
    for command in (deposited, recorded):
        assert (command.request_id, command.incarnation, command.gateway_id) == (8, 300, 3)


async def test_a_repeat_of_another_gateway_changes_nothing() -> None:
    inner = InProcessInbox()
    inbox = OnceInbox(inner)
    first, other, plain = deposit("k"), deposit("k2"), admin.change_cash(SENDER, ACCOUNTS[0], 5)
    for submission in (first, plain, other, plain, deposit("k", gateway=2, request=9)):
        await inbox.put(submission)
    *before, repeat = await taken(inner)
    assert before == [first, plain, other, plain]
    assert [(each.kind, each.request_id, each.gateway_id, each.actor) for each in commands(repeat)] == [
        (CommandKind.RECORD, 9, 2, 0)
    ] * 2
    assert [read_decision(text) for text in repeat.attachments] == [RequestRepeated(actor=SENDER.actor, key="k")]


async def test_a_text_with_the_word_of_the_record_is_no_key() -> None:
    inner = InProcessInbox()
    inbox = OnceInbox(inner)
    opened = admin.open_account(SENDER, AccountText(name="request_keyed"))
    await inbox.put(opened)
    assert await taken(inner) == [opened]


async def test_what_found_no_room_may_be_sent_again() -> None:
    inner = InProcessInbox(max_commands=2)
    inbox = OnceInbox(inner)
    await inbox.put(deposit("k"))
    with pytest.raises(InboxFull):
        await inbox.put(deposit("k2"))
    await taken(inner)
    await inbox.put(deposit("k2"))
    assert await taken(inner) == [deposit("k2")]


async def test_a_new_leader_knows_what_the_journal_has_and_a_refused_request_may_come_again() -> None:
    history = History()
    history.batch(opening())
    batch = history.batch([deposit("carried out"), deposit("refused", amount_fen=-(10**15))])
    inner = InProcessInbox()
    inbox = OnceInbox(inner)
    for name in ("refused", "carried out", "new"):
        await inbox.put(deposit(name))
    inbox.learn(batch)
    for name in ("refused", "carried out", "new"):
        await inbox.put(deposit(name, gateway=2))
    kinds = [commands(submission)[0].kind for submission in await taken(inner)]
    assert kinds == [
        CommandKind.DEPOSIT, CommandKind.DEPOSIT, CommandKind.DEPOSIT,
        CommandKind.DEPOSIT, CommandKind.RECORD, CommandKind.RECORD,
    ]  # fmt: skip
    fresh = OnceInbox(inner)
    fresh.learn(batch)
    await fresh.put(deposit("carried out", gateway=2))
    assert [read_decision(text) for each in await taken(inner) for text in each.attachments] == [
        RequestRepeated(actor=SENDER.actor, key="carried out")
    ]
    assert RequestKeyed.model_validate_json(batch.attachments[0]).key == "carried out"
