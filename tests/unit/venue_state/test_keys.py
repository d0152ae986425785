from __future__ import annotations

import hashlib

import pytest

from services.venue_state.errors import NotAllowed
from services.venue_state.keys import ApiKey, key_hash, new_secret

TRADER = ApiKey(1, 2, "desk", frozenset({"read", "trade"}))
OPERATOR = ApiKey(2, 0, "operator", frozenset({"read", "operate", "admin"}))
UNBOUND = ApiKey(3, 0, "odd", frozenset({"trade"}))


def test_a_secret_is_long_and_new() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert first.startswith("rex_")
    assert len(first) == len("rex_") + 43
    assert key_hash(first) == hashlib.sha256(first.encode()).digest()


def test_a_scope_it_has_and_one_it_lacks() -> None:
    TRADER.require("trade")
    with pytest.raises(NotAllowed, match="it lacks the scope `admin`") as caught:
        TRADER.require("admin")
    assert caught.value.code == "scope_missing"


def test_who_may_trade() -> None:
    assert TRADER.trading_account() == 2
    for key, code in ((OPERATOR, "scope_missing"), (UNBOUND, "account_required")):
        with pytest.raises(NotAllowed) as caught:
            key.trading_account()
        assert caught.value.code == code
