"""What an administrative request is called: in the log, in proposals, and in the setting REX_FOUR_EYES."""

from __future__ import annotations

from collections.abc import Iterator

from matching_engine.records import CommandKind, unpack_commands
from services.commands.attachments import read_decision
from services.messaging import Submission

MAY_WAIT: tuple[str, ...] = (
    "bust_trade",
    "deposit",
    "withdraw",
    "receive",
    "release",
    "set_order_limits",
    "set_turnover_limit",
    "kill_switch_off",
    "resume",
    "set_phase",
    "set_collar",
    "set_volatility_band",
    "set_fees",
    "list_instrument",
    "change_instrument",
    "delist_instrument",
    "open_account",
    "trades_decided",
    "target_set",
    "control_declared",
    "control_ended",
    "measure_lifted",
    "context_stated",
    "key_limits_set",
)
"""The acts that a venue may have confirmed by a second person.

PROTECTS never waits. Nor do keys, users and passwords: a proposal is in the journal, and their requests and answers have
secrets.
"""

PROTECTS = frozenset({"halt", "kill_switch_on", "cancel", "mass_cancel", "measure_imposed", "key_revoked"})
"""What protects the market: it cannot wait for a second person."""


def names_of(submission: Submission) -> Iterator[str]:
    """What the commands of a submission are called: each by its kind, a recorded decision by its type."""
    for command in unpack_commands(submission.commands):
        if command.kind == CommandKind.RECORD:
            yield read_decision(submission.attachments[command.attachment - 1]).type
        else:
            yield CommandKind(command.kind).name.lower()
