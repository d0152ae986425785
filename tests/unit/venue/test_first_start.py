"""What a start adds to a data folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from matching_engine.limits import MAX_AUCTION_S
from matching_engine.records import Command, CommandKind, unpack_commands
from services.data.instruments import load_instruments
from services.venue.errors import KeysFileRefused
from services.venue.first_start import (
    DEMO_GUARDS,
    FEE_PPM,
    GUARDS,
    Existing,
    Guards,
    IssuedKey,
    Seeding,
    read_keys,
    write_keys,
)


def test_a_trader_is_funded_in_the_account_that_is_opened_for_it() -> None:
    # Accounts may share a name, so there are more accounts than names: venue 1, and two of an operator's.
    seeding = Seeding(
        Existing(instruments={"A": 0}, accounts={"venue": 1, "twin": 2}, opened=3, key_hashes=frozenset()), {}
    )
    seeding.trader("first", 100, {"A": 5})
    seeding.trader("second", 200, {})
    commands = list(unpack_commands(seeding.submission(Command()).commands))
    assert [(c.kind, c.account, c.amount_fen, c.quantity_lots) for c in commands if c.kind != CommandKind.RECORD] == [
        (CommandKind.OPEN_ACCOUNT, 0, 0, 0),
        (CommandKind.DEPOSIT, 4, 100, 0),
        (CommandKind.RECEIVE, 4, 0, 5),
        (CommandKind.OPEN_ACCOUNT, 0, 0, 0),
        (CommandKind.DEPOSIT, 5, 200, 0),
    ]
    assert {name: key.account for name, key in seeding.keys.items()} == {"first": 4, "second": 5}


def test_an_empty_venue_gets_instruments_with_guards_and_one_that_has_any_gets_nothing() -> None:
    instruments = load_instruments()
    seeding = Seeding(Existing({}, {"venue": 1}, 1, frozenset()), {})
    seeding.venue(instruments, 2023, GUARDS)
    commands = list(unpack_commands(seeding.submission(Command()).commands))
    assert [(c.kind, c.account_class, c.rate_ppm, c.taker_rate_ppm) for c in commands[:1]] == [
        (CommandKind.SET_FEES, 0, FEE_PPM, FEE_PPM)
    ]
    assert [(c.kind, c.instrument, c.time_s) for c in commands[1:-1]] == [
        (kind, number, seconds)
        for number in range(len(instruments))
        for kind, seconds in (
            (CommandKind.LIST_INSTRUMENT, 0),
            (CommandKind.SET_COLLAR, 0),
            (CommandKind.SET_VOLATILITY_BAND, GUARDS.auction_s),
        )
    ]
    assert {c.rate_ppm for c in commands if c.kind == CommandKind.SET_COLLAR} == {GUARDS.collar_ppm}
    assert {c.rate_ppm for c in commands if c.kind == CommandKind.SET_VOLATILITY_BAND} == {GUARDS.volatility_ppm}
    later = Seeding(Existing({"A": 0}, {"venue": 1}, 1, frozenset()), {})
    later.venue(instruments, 2023, GUARDS)
    assert later.parts == []


@pytest.mark.parametrize("guards", [GUARDS, DEMO_GUARDS])
def test_the_guards_fit_every_shipped_instrument(guards: Guards) -> None:
    """A volatility band inside the collar inside the day's band, and ticks enough in each to trade."""
    for facts in load_instruments():
        assert guards.volatility_ppm < guards.collar_ppm < facts.band_ppm
        assert facts.reference_ticks * guards.volatility_ppm >= 5 * 1_000_000
    assert 1 <= guards.auction_s <= MAX_AUCTION_S


def test_a_key_is_issued_anew_where_the_folder_or_the_venue_has_lost_it() -> None:
    held = IssuedKey(key="rex_held", account=0, scopes=("read",))
    for keys, known in (({}, {held.hash()}), ({"pages": held}, set())):
        seeding = Seeding(Existing({}, {}, 1, frozenset(known)), keys)
        seeding.key("pages", 0, ("read",))
        assert seeding.keys["pages"].key != held.key
        assert len(seeding.parts) == 1
    seeding = Seeding(Existing({}, {}, 1, frozenset({held.hash()})), {"pages": held})
    seeding.key("pages", 0, ("read",))
    assert (seeding.keys["pages"], seeding.parts) == (held, [])


def test_keys_come_back_as_they_were_written_and_damage_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    assert read_keys(path) == {}
    keys = {"pages": IssuedKey(key="rex_held", account=0, scopes=("read",))}
    write_keys(path, keys)
    path.chmod(0o644)
    assert read_keys(path) == keys
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text('{"pages": {"key": "rex_sec')
    with pytest.raises(KeysFileRefused, match=r"keys\.json cannot be read.*the next start issues new keys") as refused:
        read_keys(path)
    assert "rex_sec" not in str(refused.value)
