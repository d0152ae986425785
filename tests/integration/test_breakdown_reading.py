"""The breakdown reads both kinds of the read database alike, and its sums are those of the single trades."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from random import Random

import pytest

from matching_engine.records import Side
from services.commands import administrative as admin
from services.data.calendar import TradingCalendar
from services.messaging import Submission
from services.reporting.breakdown import reading
from services.reporting.breakdown.bridge import make_bridges, net_bought, read_bridge
from services.reporting.breakdown.documents import Quantity
from services.reporting.breakdown.months import read_months
from services.reporting.breakdown.reading import Period, Release
from services.reporting.breakdown.splits import read_split
from services.reporting.breakdown.variance import read_variance
from services.reporting.queries import read_year
from services.surveillance.changed_hands import changed_hands_by_product
from services.surveillance.reading import read_changed_hands, read_changed_hands_by_instrument
from tests.integration.read_databases import ReadDatabase
from tests.integration.test_read_database_kinds import flow_of, write_in_parts
from tests.integration.test_surveillance_reading import rows_of
from tests.long import some
from tests.unit.read_model.history import REFERENCE_TICKS, SENDER, TICK_VALUE_FEN, History, day_roll, opening, order

pytestmark = pytest.mark.anyio

EVER = Period(0, 99_991_231)


@pytest.mark.parametrize("seed", some(range(2)))
async def test_the_sums_are_those_of_the_trades(read_database: ReadDatabase, seed: int) -> None:
    await write_in_parts(read_database.writer(), flow_of(seed, 1_000), Random(seed))
    dump = await read_database.dump()
    made = rows_of(dump, "trades")
    counting = [row for row in made if row["busted_seq"] is None and row["excluded_seq"] is None]
    async with read_database.opened() as engine, engine.connect() as connection:
        listed, accounts = await reading.read_listed(connection), await reading.read_accounts(connection)
        counted = await reading.read_counted(connection, EVER, listed)
        traded = await reading.read_account_sums(connection, EVER, listed)
        phases = await reading.read_phase_sums(connection, EVER, listed)
        days = await reading.read_days(connection, EVER, listed)
        hands = await read_changed_hands_by_instrument(connection, *EVER)
        assert sum(hands.values()) == await read_changed_hands(connection, *EVER) > 0
    assert {
        number: fen for number, fen in changed_hands_by_product(net_bought(traded, accounts)).items() if fen
    } == hands
    whole = make_bridges(listed, counted, hands, traded, []).whole
    assert (whole.gross.trades, whole.gross.amount_fen) == (len(made), sum(row["amount_fen"] for row in made))
    assert whole.net == whole.delivered == Quantity.total(line.sold for line in traded)
    assert whole.net.amount_fen == sum(row["amount_fen"] for row in counting)
    assert 0 < whole.changed_hands_fen <= whole.net.amount_fen
    assert Quantity.total(one for _, one in phases) == whole.net
    assert [sum(day.kilograms for day in days), sum(day.amount_fen for day in days)] == [
        whole.net.kilograms,
        whole.net.amount_fen,
    ]
    assert sum(line.fees_fen for line in traded) == sum(
        row["taker_fee_fen"] + row["maker_fee_fen"] for row in made if row["busted_seq"] is None
    )
    bought: Counter[tuple[int, int]] = Counter()
    for row in counting:
        buyer = row["taker_account"] if row["taker_side"] == Side.BUY else row["maker_account"]
        bought[buyer, row["instrument"]] += row["amount_fen"]
    assert {(line.account, line.instrument): line.bought.amount_fen for line in traded if line.bought.trades} == dict(
        bought
    )
    owners = {row["account"]: row["owner"] or row["account"] for row in rows_of(dump, "accounts")}
    assert {number: account.member for number, account in accounts.items()} == owners


def trade(price_ticks: int, lots: int, instrument: int = 0) -> list[Submission]:
    return [
        order(3, Side.SELL, price_ticks, lots, instrument=instrument),
        order(2, Side.BUY, price_ticks, lots, instrument=instrument),
    ]


async def test_two_years_and_the_goods_that_left(read_database: ReadDatabase) -> None:
    """2023: 10 lots of oxide at 1,000 ticks on 3 January, 4 more on 10 January. 2024: 12 lots at 990 on 3 January.

    On 5 January 2024 the year has come as far as 3 January 2023 plus two days: the trades of 10 January 2023 are not compared.
    In fen per tonne: p₀ = 1,000,000, p₁ = 990,000. Price −10,000 × 22 / 2 = −110,000; tonnage 2 × 995,000 = 1,990,000.
    """
    history = History()

    def roll(date: int) -> Submission:
        return day_roll(SENDER, date)

    days = [
        *opening(), *trade(REFERENCE_TICKS, 10), roll(20230110), *trade(REFERENCE_TICKS, 4), roll(20240103),
        *trade(REFERENCE_TICKS - 10, 12), admin.change_inventory(SENDER, 2, 0, -3), roll(20240105),
        admin.change_inventory(SENDER, 2, 0, -1), admin.change_inventory(SENDER, 2, 0, 5),
    ]  # fmt: skip
    await write_in_parts(read_database.writer(), [history.batch(days)], Random(0))
    calendar = TradingCalendar.load()
    async with read_database.opened() as engine, engine.connect() as connection:
        releases = await reading.read_releases(connection, reading.whole_year(2024))
        traded, year = await reading.read_member_year(connection, 2024), await read_year(connection, 2024)
        assert traded is not None
        assert year is not None
        ladder = await read_bridge(connection, traded)
        effects = await read_variance(connection, 2024)
        whole = await read_variance(connection, 2023)
        months = await read_months(connection, 2024, year, calendar)
    assert releases == [Release(20240103, 0, 3, REFERENCE_TICKS - 10), Release(20240105, 0, 1, None)]
    assert TICK_VALUE_FEN[0] == 1_000
    assert ladder.ladder.taken_out.model_dump() == {"amount": "39600.00", "tonnes": "4.000", "unsettled": "9900.00"}
    assert (ladder.ladder.churn, ladder.ladder.net.kilograms) == (Fraction(3), 12_000)
    assert effects is not None
    assert (effects.last_date, effects.last_date_before, effects.days_before) == (20240105, 20230105, 1)
    total = effects.total
    assert (total.net_before_fen, total.net_fen) == (10_000_000, 11_880_000)
    assert (total.price_fen, total.tonnage_fen, total.difference_fen) == (-110_000, 1_990_000, 1_880_000)
    assert whole is not None
    assert (whole.total.net_fen, whole.total.new_fen, whole.last_date) == (14_000_000, 14_000_000, 20231231)
    january, february = months.months[:2]
    assert (january.actual_fen, january.last_year_fen, february.actual_fen) == (11_880_000, 14_000_000, None)


async def test_a_database_without_a_position_has_no_answer(read_database: ReadDatabase) -> None:
    async with read_database.opened() as engine, engine.connect() as connection:
        assert await reading.read_member_year(connection, 2023) is None
        assert await read_split(connection, 2023, "product") is None
        assert await read_split(connection, 2023, "member") is None
        assert await read_variance(connection, 2023) is None
