"""Which commands are actions: the two ways to find them agree, and a new kind of command needs its fields."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from matching_engine.records import Command, CommandKind, pack_commands
from services.commands.attachments import ReasonGiven, Recorded
from services.journal.batch import NO_HASH, JournalBatch
from services.read_model import actions as module
from services.read_model.actions import actions

KINDS = [kind for kind in CommandKind if kind != CommandKind.RECORD]
COMMANDS = st.builds(
    lambda kind, actor, account: Command(kind=kind, actor=actor, account=account),
    st.sampled_from(KINDS),
    st.integers(0, 1),
    st.integers(0, 2),
)


def batch_of(commands: list[Command]) -> JournalBatch:
    numbered = [command._replace(seq=seq) for seq, command in enumerate(commands, start=1)]
    return JournalBatch(bytes(16), 1, 1, len(numbered), 0, NO_HASH, pack_commands(numbered), b"")


@given(st.lists(COMMANDS, min_size=1, max_size=30))
def test_small_and_large_batches_have_the_same_actions(commands: list[Command]) -> None:
    batch = batch_of(commands)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "FEW_COMMANDS", 0)
        large = list(actions(batch))
    assert large == list(actions(batch))


@pytest.mark.parametrize("fewest", [0, 128])
def test_a_reason_is_that_of_the_commands_right_before_it(fewest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEW_COMMANDS", fewest)
    said = ReasonGiven(why="margin call", commands=2).to_bytes()
    forged = ReasonGiven(why="forged", commands=2).to_bytes()
    kinds = [CommandKind.DEPOSIT, CommandKind.SET_ORDER_LIMITS, CommandKind.SET_TURNOVER_LIMIT, CommandKind.RECORD]
    commands = [Command(kind=kind, actor=7) for kind in kinds[:3]] + [Command(kind=kinds[3], attachment=1)]
    commands += [Command(kind=CommandKind.DEPOSIT, actor=7), Command(kind=CommandKind.RECORD, actor=7, attachment=2)]
    batch = replace(batch_of(commands), attachments=(said, forged))
    reasons = [json.loads(action.text).get("reason") for action in actions(batch)]
    assert reasons[:4] == [None, "margin call", "margin call", None], "one with an actor is nobody's reason"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_an_action_has_fields(kind: CommandKind) -> None:
    by_key = list(actions(batch_of([Command(kind=kind, actor=7)])))
    assert not list(actions(batch_of([Command(kind=kind)]))), "the venue's own commands have no actor"
    if kind in (CommandKind.NEW_ORDER, CommandKind.AMEND, CommandKind.TIME):
        assert not by_key
    else:
        ((seq, _, actor, name, text),) = by_key
        assert (seq, actor, name) == (1, 7, kind.name.lower())
        assert text != "{}"


def test_no_action_shows_the_hash_of_a_secret() -> None:
    """A new kind of record with such a field needs a decision: it is left out, or it is a hash of what is public."""
    kinds = [kind for kind in get_args(Recorded) if issubclass(kind, BaseModel)]
    hashes = {name for kind in kinds for name in kind.model_fields if "hash" in name or "secret" in name}
    assert hashes - module._SECRET == {"row_hash"}, "that of a row of the journal"
