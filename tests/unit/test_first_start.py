"""What a start adds to a data folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from matching_engine.records import Command, CommandKind, unpack_commands
from services.first_start import IssuedKey, KeysFileRefused, Missing, Present, read_keys, write_keys


def test_a_trader_is_funded_in_the_account_that_is_opened_for_it() -> None:
    # Accounts may share a name, so there are more accounts than names: venue 1, and two of an operator's.
    missing = Missing(
        Present(instruments={"A": 0}, accounts={"venue": 1, "twin": 2}, opened=3, key_hashes=frozenset()), {}
    )
    missing.trader("first", 100, {"A": 5})
    missing.trader("second", 200, {})
    commands = list(unpack_commands(missing.submission(Command()).commands))
    assert [(c.kind, c.account, c.amount_fen, c.quantity_lots) for c in commands if c.kind != CommandKind.RECORD] == [
        (CommandKind.OPEN_ACCOUNT, 0, 0, 0),
        (CommandKind.DEPOSIT, 4, 100, 0),
        (CommandKind.RECEIVE, 4, 0, 5),
        (CommandKind.OPEN_ACCOUNT, 0, 0, 0),
        (CommandKind.DEPOSIT, 5, 200, 0),
    ]
    assert {name: key.account for name, key in missing.keys.items()} == {"first": 4, "second": 5}


def test_a_key_is_issued_anew_where_the_folder_or_the_venue_has_lost_it() -> None:
    held = IssuedKey(key="rex_held", account=0, scopes=("read",))
    for keys, known in (({}, {held.hash()}), ({"pages": held}, set())):
        missing = Missing(Present({}, {}, 1, frozenset(known)), keys)
        missing.key("pages", 0, ("read",))
        assert missing.keys["pages"].key != held.key
        assert len(missing.parts) == 1
    missing = Missing(Present({}, {}, 1, frozenset({held.hash()})), {"pages": held})
    missing.key("pages", 0, ("read",))
    assert (missing.keys["pages"], missing.parts) == (held, [])


def test_keys_come_back_as_they_were_written_and_damage_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    assert read_keys(path) == {}
    keys = {"pages": IssuedKey(key="rex_held", account=0, scopes=("read",))}
    write_keys(path, keys)
    assert read_keys(path) == keys
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text('{"pages": {"key": "rex_sec')
    with pytest.raises(KeysFileRefused, match=r"keys\.json cannot be read.*the next start issues new keys") as refused:
        read_keys(path)
    assert "rex_sec" not in str(refused.value)
