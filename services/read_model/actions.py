"""What people did with keys of operators and administrators: one action for each of their commands that the engine carried out.

Commands of the venue itself (its first start, its schedule, its alerts) have no actor and are no actions. A member's mass
cancel is one, too: only the keys say whose it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from matching_engine.records import COMMAND, EVENT, Command, CommandKind, EventKind, unpack_commands
from services.commands.administrative import changed_terms
from services.commands.attachments import ReasonGiven, UnknownRecord, read_decision
from services.journal.batch import JournalBatch

FIELDS: dict[int, dict[str, str]] = {
    CommandKind.CANCEL: {"order_id": "order_id"},
    CommandKind.MASS_CANCEL: {"account": "account", "instrument": "instrument", "side": "side"},
    CommandKind.OPEN_ACCOUNT: {"owner": "owner", "account_class": "account_class"},
    CommandKind.DEPOSIT: {"account": "account", "amount_fen": "amount_fen"},
    CommandKind.WITHDRAW: {"account": "account", "amount_fen": "amount_fen"},
    CommandKind.RECEIVE: {"account": "account", "instrument": "instrument", "quantity_lots": "quantity_lots"},
    CommandKind.RELEASE: {"account": "account", "instrument": "instrument", "quantity_lots": "quantity_lots"},
    CommandKind.SET_ORDER_LIMITS: {
        "account": "account",
        "max_order_lots": "quantity_lots",
        "max_order_fen": "amount_fen",
        "max_open_orders": "number",
    },
    CommandKind.SET_TURNOVER_LIMIT: {"account": "account", "max_day_fen": "amount_fen"},
    CommandKind.KILL_SWITCH_ON: {"account": "account"},
    CommandKind.KILL_SWITCH_OFF: {"account": "account"},
    CommandKind.LIST_INSTRUMENT: {
        "instrument": "instrument",
        "reference_ticks": "price_ticks",
        "band_ppm": "rate_ppm",
        "max_quantity_lots": "quantity_lots",
    },
    CommandKind.CHANGE_INSTRUMENT: {"instrument": "instrument"},  # and the terms that it sets
    CommandKind.DELIST_INSTRUMENT: {"instrument": "instrument"},
    CommandKind.SET_FEES: {
        "account_class": "account_class",
        "maker_rate_ppm": "rate_ppm",
        "taker_rate_ppm": "taker_rate_ppm",
    },
    CommandKind.SET_PHASE: {"instrument": "instrument", "phase": "phase"},
    CommandKind.HALT: {"instrument": "instrument"},
    CommandKind.RESUME: {"instrument": "instrument"},
    CommandKind.DAY_ROLL: {"date": "date"},
    CommandKind.SET_COLLAR: {"instrument": "instrument", "rate_ppm": "rate_ppm"},
    CommandKind.SET_VOLATILITY_BAND: {"instrument": "instrument", "rate_ppm": "rate_ppm", "auction_s": "time_s"},
    CommandKind.BUST_TRADE: {"trade_id": "order_id"},
}
"""By kind of command: the fields of the action, and the command's."""

FEW_COMMANDS = 128
"""A smaller batch is decoded anyway (vectorized_write_batch.py)."""

_CANCEL, _MASS_CANCEL, _TIME = int(CommandKind.CANCEL), int(CommandKind.MASS_CANCEL), int(CommandKind.TIME)

_REASON_GIVEN = b'{"type":"reason_given"'

_SECRET = {"type", "key_hash", "password_hash"}
"""Fields of recorded decisions that no action shows; the type is its kind."""


class OperatorAction(NamedTuple):
    """A row of the table `actions`."""

    seq: int
    time_ns: int
    actor: int
    """The key_id."""
    kind: str
    """The name of the command's kind; of a recorded decision its type."""
    text: str
    """The fields, as JSON."""


def actions(batch: JournalBatch) -> Iterator[OperatorAction]:
    """The actions of a batch, in order."""
    found = _of_operators(batch) if batch.command_count < FEW_COMMANDS else _of_operators_in_many(batch)
    if not found:
        return
    events = np.frombuffer(batch.events, EVENT)
    refused = set(events["seq"][events["kind"] == EventKind.REJECTED].tolist())
    reasons = _reasons(batch)
    for command in found:
        if command.seq not in refused:
            attachment = batch.attachments[command.attachment - 1] if command.attachment else b""
            yield _action(command, attachment, reasons.get(command.seq, ""))


def _reasons(batch: JournalBatch) -> dict[int, str]:
    """Why, by the seqs of the commands that it was said of. A record with an actor says nothing of the commands before it."""
    found: dict[int, str] = {}
    if not any(attachment.startswith(_REASON_GIVEN) for attachment in batch.attachments):
        return found
    for command in batch.command_list:
        if command.kind == CommandKind.RECORD and not command.actor:
            given = read_decision(batch.attachments[command.attachment - 1])
            if isinstance(given, ReasonGiven):
                found |= dict.fromkeys(range(command.seq - given.commands, command.seq), given.why)
    return found


def _of_operators(batch: JournalBatch) -> list[Command]:
    """The commands that are actions unless they were refused. A cancel without an account is an operator's."""
    return [
        command
        for command in batch.command_list
        if (
            (command.kind >= _MASS_CANCEL and command.kind != _TIME)
            or (command.kind == _CANCEL and not command.account)
        )
        and command.actor
    ]


def _of_operators_in_many(batch: JournalBatch) -> list[Command]:
    """The same, without decoding a large batch."""
    commands = np.frombuffer(batch.commands, COMMAND)
    kind = commands["kind"]
    chosen = (kind >= _MASS_CANCEL) & (kind != _TIME) | (kind == _CANCEL) & (commands["account"] == 0)
    return list(unpack_commands(commands[chosen & (commands["actor"] != 0)].tobytes()))


def _action(command: Command, attachment: bytes, why: str) -> OperatorAction:
    kind = CommandKind(command.kind).name.lower()
    fields = {name: getattr(command, field) for name, field in FIELDS.get(command.kind, {}).items()}
    if command.kind == CommandKind.RECORD:
        decision = read_decision(attachment)
        kind = decision.type
        if not isinstance(decision, UnknownRecord):  # Nobody knows which of its fields are secret.
            fields = decision.model_dump(mode="json", exclude=_SECRET)
    elif attachment:
        fields |= json.loads(attachment)
    if command.kind == CommandKind.CHANGE_INSTRUMENT:
        fields |= changed_terms(command)
    if why:
        fields["reason"] = why
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return OperatorAction(command.seq, command.time_ns, command.actor, kind, text)
