from __future__ import annotations

from services.data.instruments import load_instruments
from services.simulator.accounts import VALUE_SHARE_BP, demo_accounts

MAGNET_FAMILIES = {"sintered_ndfeb", "bonded_ndfeb", "hot_pressed_ndfeb", "smco"}
FEEDSTOCK = {"NDFEB-SC", "PRND-MET", "PRND-OX"}


def test_every_shipped_instrument_has_a_share_and_the_shares_are_the_whole() -> None:
    assert set(VALUE_SHARE_BP) == {facts.symbol for facts in load_instruments()}
    assert sum(VALUE_SHARE_BP.values()) == 10_000
    assert min(VALUE_SHARE_BP.values()) > 0


def test_magnets_and_prnd_make_91_percent_of_the_value() -> None:
    families = {facts.symbol: facts.family for facts in load_instruments()}
    share = sum(
        value for symbol, value in VALUE_SHARE_BP.items() if families[symbol] in MAGNET_FAMILIES or symbol in FEEDSTOCK
    )
    assert share == 9_100


def test_accounts_have_names_of_their_own_and_something_to_trade_with() -> None:
    accounts = demo_accounts()
    assert len({account.name for account in accounts}) == len(accounts)
    assert all(account.cash_fen > 0 and set(account.lots) == set(VALUE_SHARE_BP) for account in accounts)
    assert [account.role for account in accounts].count("desk") == 1
    assert accounts[-1].role == "desk"
