"""The acts that may wait for a second person have the names of the log, and none of them protects."""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel

from matching_engine.records import CommandKind
from services.commands.acts import MAY_WAIT
from services.commands.attachments import Recorded

PROTECT = {
    "halt", "kill_switch_on", "cancel", "mass_cancel", "measure_imposed", "key_revoked", "user_removed",
    "user_password_changed", "user_role_changed", "user_link_made",
}  # fmt: skip
WITH_A_SECRET = {"key_issued", "user_added"}
ALONE = {"alert_acknowledged", "act_proposed", "proposal_confirmed", "proposal_ended"}
OF_THE_VENUE = {
    "alert_raised", "alert_cleared", "day_closed", "day_roll", "time", "new_order", "amend", "record",
    "upgraded", "request_keyed", "request_repeated", "command_skipped", "request_skipped",
}  # fmt: skip


def test_every_act_waits_or_has_a_reason_not_to() -> None:
    """A new kind of command or record needs a decision here."""
    records = {kind.model_fields["type"].default for kind in get_args(Recorded) if issubclass(kind, BaseModel)}
    acts = records | {kind.name.lower() for kind in CommandKind}
    assert acts - set(MAY_WAIT) == PROTECT | WITH_A_SECRET | ALONE | OF_THE_VENUE
    assert set(MAY_WAIT) <= acts
    assert len(MAY_WAIT) == len(set(MAY_WAIT))
