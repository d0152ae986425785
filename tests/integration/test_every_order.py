"""Forgeries in the past (single trades, ended orders, sums of days): a start that compares all finds each, a proof too."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest

from matching_engine import Engine
from matching_engine.records import Side
from services.commands import administrative as admin
from services.commands.attachments import BustText
from services.files.data_folder import READ_DATABASE_FILE
from services.reporting.checked_report import report_at_rest
from tests.integration.test_read_database_opening import dump, open_folder, rebuilt
from tests.integration.test_reporting_folder import deals, journal_of
from tests.unit.read_model.history import REFERENCE_TICKS, SENDER, History, cancel, day_roll, opening, order

pytestmark = pytest.mark.anyio

TRADE = "trade_id = (SELECT min(trade_id) FROM trades)"
ENDED = "order_id = (SELECT min(order_id) FROM orders WHERE state = 'canceled')"

FIRST_TWO = "CASE {0}_id WHEN (SELECT min({0}_id) FROM {0}s) THEN 1 ELSE -1 END WHERE {0}_id IN " + (
    "(SELECT {0}_id FROM {0}s ORDER BY {0}_id LIMIT 2)"
)

TRADES = {
    f"UPDATE trades SET price_ticks = 1000.5 WHERE {TRADE}": ["price_ticks 1000.5 in the read database, 1000 in the journal"],
    f"UPDATE trades SET time_ns = time_ns - 1, taker_account = 4, maker_order_id = 1, phase = 4 WHERE {TRADE}": [
        "time_ns 16", "taker_account 4 in the read database, 3 in the journal", "maker_order_id 1 in the", "phase 4 in the",
    ],
    f"UPDATE trades SET taker_side = 1 - taker_side WHERE {TRADE}": ["taker_side "],
    f"UPDATE trades SET quantity_lots = quantity_lots + {FIRST_TWO.format('trade')}": ["quantity_lots 3 in the"],
}  # fmt: skip
"""Each leaves every sum of the day unchanged, or is in no sum."""

ORDERS_AND_DAYS = {
    f"UPDATE orders SET state = 'filled', reason = 9, account = 4 WHERE {ENDED}": [
        "state filled in the read database, canceled in the journal", "reason 9 in the", "account 4 in the read database, 2 in",
    ],
    "UPDATE orders SET updated_ns = 1, quantity_lots = 900, client_order_id = 'mine' WHERE client_order_id = 'gone'": [
        "updated_ns 1 in the", "quantity_lots 900 in the read database, 4 in", "client_order_id mine in the read database, gone"
    ],
    f"UPDATE orders SET filled_fen = filled_fen + {FIRST_TWO.format('order')}": ["filled_fen "],
    "UPDATE daily_turnover SET prevented = 0, prevented_lots = 77 WHERE prevented": [
        "instrument 0: prevented 0 in the read database, 1 in", "prevented_lots 77 in the read database, 1 in the journal",
    ],
    "UPDATE daily_turnover SET settlement_ticks = 1, largest_trade_id = 1 WHERE trading_date < 20230104": [
        "settlement_ticks 1 in the read database", "largest_trade_id 1 in the read database",
    ],
}  # fmt: skip
"""These are in no sum that the engine has."""

KEYS = {
    f"UPDATE trades SET trade_id = 5 WHERE {TRADE}": ["trade_id 5 is in the read database", "is missing in the"],
    f"UPDATE orders SET order_id = 5, client_order_id = 'new' WHERE {ENDED}": ["order_id 5 is in the read database"],
}


@pytest.fixture(scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> Path:
    """Two days: trades on both, an order that was canceled, one that its owner's other account ended, a bust on the first."""
    folder, history = tmp_path_factory.mktemp("made"), History(Engine())
    ended = [
        order(2, Side.BUY, REFERENCE_TICKS - 10, 4, client_order_id=b"gone"),
        order(3, Side.BUY, REFERENCE_TICKS - 5, 1),
        order(4, Side.SELL, REFERENCE_TICKS - 5, 1),
        order(2, Side.BUY, REFERENCE_TICKS - 20, 4, client_order_id=b"resting"),
    ]
    await journal_of(folder, history, [opening(), deals(4), ended])
    bust = admin.bust_trade(SENDER, _last_trade_id(folder), BustText(reason="a mistake"))
    canceled = cancel(_order_id(folder, "gone"))
    await journal_of(folder, history, [[bust, canceled], [day_roll(SENDER, 20230104)], deals(2)])
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return shutil.copytree(made, tmp_path, dirs_exist_ok=True)


@pytest.fixture(scope="module")
async def true(made: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the read database of that history must contain."""
    return await rebuilt(made, tmp_path_factory.mktemp("true") / "venue")


def _last_trade_id(folder: Path) -> int:
    return int(_one(folder, "SELECT max(trade_id) FROM trades"))


def _order_id(folder: Path, name: str) -> int:
    return int(_one(folder, f"SELECT order_id FROM orders WHERE client_order_id = '{name}'"))


def _one(folder: Path, query: str) -> int:
    with closing(sqlite3.connect(folder / READ_DATABASE_FILE)) as connection:
        return int(connection.execute(query).fetchone()[0])


def forge(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / READ_DATABASE_FILE)) as connection, connection:
        assert connection.execute(statement).rowcount > 0, "nothing was forged"


async def proof(folder: Path) -> tuple[str, ...]:
    """The differences that `rex report --prove` and `rex journal verify --prove` report."""
    figure = (await report_at_rest(folder, 2023, prove=True)).figure
    assert figure is not None
    return figure.differences


async def test_a_true_one_is_proved(folder: Path) -> None:
    assert await proof(folder) == ()
    assert await open_folder(folder) == []


@pytest.mark.parametrize("forgeries", [TRADES, ORDERS_AND_DAYS, KEYS], ids=["trades", "orders and days", "keys"])
async def test_a_start_and_a_proof_find_every_forgery_of_the_past(
    folder: Path, true: list[str], forgeries: dict[str, list[str]]
) -> None:
    for statement in forgeries:
        forge(folder, statement)
    named = await proof(folder)
    for said in chain.from_iterable(forgeries.values()):
        assert any(said in difference for difference in named), said
    assert tuple(await open_folder(folder)) == named
    assert dump(folder / READ_DATABASE_FILE) == true


async def test_what_a_forger_adds_up_anew_is_found(folder: Path) -> None:
    """Forges the price of a past trade and all that derives from it: its amount, both orders, the day, its largest trade."""
    forge(folder, f"UPDATE trades SET price_ticks = 1100, amount_fen = amount_fen + 200000 WHERE {TRADE}")
    forge(
        folder,
        "UPDATE daily_turnover SET amount_fen = amount_fen + 200000, largest_fen = largest_fen + 200000 WHERE trades = 3",
    )
    forge(folder, "UPDATE orders SET filled_fen = filled_fen + 200000 WHERE order_id IN (SELECT taker_order_id FROM trades"
                  f" WHERE {TRADE} UNION SELECT maker_order_id FROM trades WHERE {TRADE})")  # fmt: skip
    assert await open_folder(folder) != []
    assert await proof(folder) == ()
