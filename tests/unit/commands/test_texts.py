"""Texts that the venue stores for people: without control characters, shown without harm where a journal holds some."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from rich.console import Console

from services.cli.target import _line
from services.commands.attachments import TargetSet, read_decision
from services.commands.texts import control_character, visible
from services.gateway import app  # noqa: F401  imports every route, so that each body is a subclass of Request
from services.gateway.schemas import Request
from services.gateway.wording import worded

HARMFUL = ["\0", "\n", "\x1b", "\x7f", "\x9b", "\u2028", "\u202e", "\u2066"]
NOT_STORED = {
    "password",
    "new_password",
    "token",
    "symbol",
    "scope",
    "addresses",
    "trade_ids",
    "account",
    "key",
    "order_id",
    "client_order_id",
}
"""Compared or looked up; a password is stored as its hash and may have any character."""


def bodies(of: type[Request] = Request) -> Iterator[type[Request]]:
    for body in of.__subclasses__():
        yield body
        yield from bodies(body)


def free_texts() -> list[tuple[type[Request], str]]:
    """The fields of all bodies that take any characters."""
    found = []
    for body in bodies():
        for name, schema in body.model_json_schema()["properties"].items():
            forms = [schema, *schema.get("anyOf", [])]
            if name not in NOT_STORED and any(
                form.get("type") == "string" and not form.keys() & {"enum", "const"} for form in forms
            ):
                found.append((body, name))
    return found


def refused(body: type[Request], name: str, text: str) -> list[str]:
    """The messages for the field."""
    example: Any = body.model_config["json_schema_extra"]
    with pytest.raises(ValidationError) as caught:
        body.model_validate({**example["example"], name: text})
    return [worded(error) for error in caught.value.errors() if error["loc"] == (name,)]


def test_no_text_is_taken_in_with_a_control_character() -> None:
    fields = free_texts()
    assert {"name", "why", "reason", "note", "finding", "figure", "source", "unit"} <= {name for _, name in fields}
    for body, name in fields:
        for harmful in HARMFUL:
            assert len(refused(body, name, f"a{harmful}b")) == 1, (body, name, harmful)


def test_the_refusal_names_the_character() -> None:
    body = next(body for body in bodies() if body.__name__ == "TargetRequest")
    assert refused(body, "name", "a\x1b[2Jb") == ["must not have the control character U+001B"]


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"])))
def test_every_other_text_is_as_it_is(text: str) -> None:
    assert (control_character(text), visible(text)) == (None, text)


@given(st.text())
def test_what_is_shown_has_no_control_character(text: str) -> None:
    assert control_character(visible(text)) is None


def test_what_a_forged_journal_says_is_read_and_a_terminal_shows_it_without_harm() -> None:
    written = TargetSet(year=2031, amount=1, name="\x1b[2Jplan", why="a\nb\u202e")
    target = read_decision(written.to_bytes())
    assert target == written
    shown = StringIO()
    line = _line({**target.model_dump(), "seq": 5, "in_force": True, "set_by": target.name})
    Console(file=shown, width=200).print(line, markup=False, highlight=False, soft_wrap=True)
    assert shown.getvalue().endswith("  \\u001b[2Jplan: a\\u000ab\\u202e (\\u001b[2Jplan)\n")
