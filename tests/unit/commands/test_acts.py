"""The acts that may wait for a second person have the names of the log, and none of them protects."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from matching_engine.records import CommandKind
from services.commands.acts import MAY_WAIT
from services.commands.attachments import (
    AccountText,
    BustText,
    ChangeText,
    DelistText,
    HaltText,
    KeyLimits,
    ListingText,
    Recorded,
)
from services.gateway.http.admin_log import OF_A_PERSON, field_name
from services.read_model.actions import FIELDS

PROTECT = {
    "halt", "kill_switch_on", "cancel", "mass_cancel", "measure_imposed", "key_revoked", "user_removed",
    "user_password_changed", "user_role_changed", "user_link_made",
}  # fmt: skip
WITH_A_SECRET = {"key_issued", "user_added"}
ALONE = {"alert_acknowledged", "act_proposed", "proposal_confirmed", "proposal_ended"}
OF_THE_VENUE = {
    "alert_raised", "alert_cleared", "day_closed", "proof_agreed", "day_roll", "time", "new_order", "amend", "record",
    "request_keyed", "reason_given", "request_repeated", "command_skipped", "request_skipped",
}  # fmt: skip
PAGES = Path(__file__).parents[3] / "services/pages"
LISTING = PAGES / "static/control/log.js"
WORDS = PAGES / "words/control.json"
NOT_SHOWN = {"type", "key_hash", "password_hash", "reason", "why", "method", "limits", "reference_ticks"}
"""Fields that no action shows as they are: secrets, the why, which has a column, and what the log shows in another way."""
RECORDS = {kind.model_fields["type"].default: kind for kind in get_args(Recorded) if issubclass(kind, BaseModel)}
TEXTS = {
    "open_account": AccountText, "bust_trade": BustText, "halt": HaltText, "list_instrument": ListingText,
    "change_instrument": ChangeText, "delist_instrument": DelistText,
}  # fmt: skip
NAMED_OTHERWISE = {"open_account", "key_issued", "user_added", "target_set", "command_skipped"}
"""Kinds whose `name` is not that of the person who acts, or which nobody does in a running venue."""


def test_every_act_waits_or_has_a_reason_not_to() -> None:
    """A new kind of command or record needs a decision here."""
    acts = RECORDS.keys() | {kind.name.lower() for kind in CommandKind}
    assert acts - set(MAY_WAIT) == PROTECT | WITH_A_SECRET | ALONE | OF_THE_VENUE
    assert set(MAY_WAIT) <= acts
    assert len(MAY_WAIT) == len(set(MAY_WAIT))


def test_the_log_knows_every_act_its_fields_and_its_person() -> None:
    found = re.search(r"const KINDS = \[(.*?)\]", LISTING.read_text("utf-8"), re.S)
    assert found is not None
    listed = re.findall(r'"(\w+)"', found[1])
    assert sorted(listed) == sorted((set(MAY_WAIT) | PROTECT | WITH_A_SECRET | ALONE) - {"proposal_confirmed"})
    commands = {kind.name.lower() for kind in CommandKind}
    assert {CommandKind(kind).name.lower() for kind in FIELDS} == (set(listed) & commands) | {"day_roll"}
    named = {act for act, text in (RECORDS | TEXTS).items() if "name" in text.model_fields}
    assert named == OF_A_PERSON | NAMED_OTHERWISE


def test_every_field_of_the_log_has_a_word() -> None:
    commands = {field for kind, fields in FIELDS.items() if kind != CommandKind.DAY_ROLL for field in fields}
    acts = (RECORDS | TEXTS).keys() - OF_THE_VENUE - {"proposal_confirmed"}
    said = {field for act in acts for field in (RECORDS | TEXTS)[act].model_fields}
    said |= {*KeyLimits.model_fields, "band_ppm", "collar_ppm", "max_quantity_lots", "reference_price"}
    shown = (commands | said) - NOT_SHOWN
    words = json.loads(WORDS.read_text("utf-8"))
    assert [name for name in map(field_name, sorted(shown)) if f"field.{name}" not in words] == []
