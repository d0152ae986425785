"""Reports take turns; who asks for the same one before its turn, or soon after it, gets the same answer."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from services.read_model.errors import ReadDatabaseSilent
from services.reporting.turns import ReportTurns

pytestmark = pytest.mark.anyio


class Reports:
    """Reports that are made when the test lets them be; `log` has what began and ended."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.may_end = asyncio.Event()

    async def make(self, name: str) -> str:
        self.log.append(f"{name} begins")
        await self.may_end.wait()
        self.log.append(f"{name} ends")
        if name == "broken":
            raise RuntimeError("the read database is away")
        return f"{name} {len(self.log)}"


async def asked(turns: ReportTurns, reports: Reports, *names: str) -> list[asyncio.Task[str]]:
    """Tasks that wait for these reports, each after it has asked."""
    tasks = [asyncio.create_task(turns.take(name, partial(reports.make, name))) for name in names]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_one_report_is_made_at_a_time_and_the_same_one_once() -> None:
    turns, reports = ReportTurns(), Reports()
    tasks = await asked(turns, reports, "year", "ladder", "ladder", "ladder")
    assert reports.log == ["year begins"]
    reports.may_end.set()
    assert await asyncio.gather(*tasks) == ["year 2", "ladder 4", "ladder 4", "ladder 4"]


async def test_who_asks_while_a_report_is_made_waits_for_a_later_one() -> None:
    turns, reports = ReportTurns(), Reports()
    first = await asked(turns, reports, "year")
    second = await asked(turns, reports, "year")
    reports.may_end.set()
    assert await asyncio.gather(*first, *second) == ["year 2", "year 4"]


async def test_a_fresh_report_is_given_to_all_who_ask_and_an_old_one_to_nobody() -> None:
    for fresh_s, expected in ((1e6, "year 2"), (-1.0, "year 4")):
        turns, reports = ReportTurns(fresh_s=fresh_s), Reports()
        reports.may_end.set()
        for name, answer in (("year", "year 2"), ("year", expected)):
            assert await asyncio.gather(*await asked(turns, reports, name)) == [answer]


async def test_a_report_begun_before_the_sequence_number_that_one_names_is_too_old_for_them() -> None:
    """It may lack the trade of which they have just heard."""
    turns, reports = ReportTurns(fresh_s=1e6), Reports()
    reports.may_end.set()
    found = [await turns.take("year", partial(reports.make, "year"), seq) for seq in (7, 7, 0, 8, 7, 0)]
    assert found == ["year 2"] * 3 + ["year 4"] * 3


async def test_an_error_reaches_everyone_who_asked_and_not_the_next() -> None:
    turns, reports = ReportTurns(), Reports()
    tasks = await asked(turns, reports, "year", "broken", "broken", "ladder")
    reports.may_end.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(one) for one in found] == ["year 2", *["the read database is away"] * 2, "ladder 6"]


async def test_one_reader_s_leaving_takes_nothing_from_the_others() -> None:
    turns, reports = ReportTurns(), Reports()
    leaving, staying = await asked(turns, reports, "year", "year")
    leaving.cancel()
    reports.may_end.set()
    assert await staying == "year 2"
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_who_gets_no_turn_in_time_is_told_and_may_ask_again() -> None:
    turns, reports = ReportTurns(wait_s=0), Reports()
    (first,) = await asked(turns, reports, "year")
    with pytest.raises(ReadDatabaseSilent, match="others are answered first"):
        await turns.take("ladder", partial(reports.make, "ladder"))
    reports.may_end.set()
    assert await first == "year 2"
    assert await turns.take("ladder", partial(reports.make, "ladder")) == "ladder 4"


async def test_a_report_made_elsewhere_says_what_it_holds() -> None:
    """Who names a sequence number that the fresh one holds gets it, whatever was asked for when it was begun."""
    asked: list[tuple[str, int]] = []

    async def elsewhere(address: str, at_least_seq: int) -> tuple[str, int]:
        asked.append((address, at_least_seq))
        return f"{address} {len(asked)}", max(at_least_seq, 9)

    turns, reports = ReportTurns(elsewhere, fresh_s=1e6), Reports()
    found = [await turns.take("year", partial(reports.make, "year"), seq) for seq in (7, 9, 0, 10)]
    assert found == ["year 1"] * 3 + ["year 2"]
    assert (asked, reports.log) == ([("year", 7), ("year", 10)], [])


async def test_what_one_reader_names_is_asked_for_nobody_else() -> None:
    """After a failover the read database may be behind it: who names nothing gets the report that there is."""
    asked: list[tuple[str, int]] = []

    async def elsewhere(address: str, at_least_seq: int) -> tuple[str, int]:
        asked.append((address, at_least_seq))
        return address, at_least_seq

    turns, reports = ReportTurns(elsewhere), Reports()
    for name, seq in (("year", 9), ("ladder", 0)):
        await turns.take(name, partial(reports.make, name), seq)
    both = [turns.take("month", partial(reports.make, "month"), seq) for seq in (3, 7)]
    await asyncio.gather(*both)
    assert asked == [("year", 9), ("ladder", 0), ("month", 7)]


async def test_a_report_for_which_nobody_waits_any_more_is_not_begun() -> None:
    turns, reports = ReportTurns(), Reports()
    first, waiting, shared = await asked(turns, reports, "year", "ladder", "months")
    (other,) = await asked(turns, reports, "months")
    for left in (first, waiting, shared):
        left.cancel()
    await asyncio.wait([first, waiting, shared])
    reports.may_end.set()
    assert await other == "months 4"
    assert reports.log == ["year begins", "year ends", "months begins", "months ends"], "one that has begun is made"
    assert await turns.take("ladder", partial(reports.make, "ladder")) == "ladder 6"
