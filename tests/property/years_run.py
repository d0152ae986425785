"""The memory of engine and gateway over simulated years with the same flow every day:

    python -m tests.property.years_run --years 10 --days 245 --trades 100

What it feeds: an engine, the requests under way and the window of a gateway, the inbox of a leader, the state and the market
data of a gateway, and the alerts that a leader follows. Every day members trade, leave orders open, cancel, are refused;
operators book money with idempotency keys, bust a trade, issue and revoke keys and users; the venue raises alerts that nobody
acknowledges. After each year it counts the entries of every table, list and dictionary that these objects hold.

It prints them by year, with the resident memory. Exit status 1: after the last year one of them holds more than after the
second. The turnover of ended years has a row for each year (24 bytes), and is not compared. What is remembered up to a bound
(ended orders, keyed requests, cleared alerts) has a bound that is reached in the first two years.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections import deque
from collections.abc import Callable
from datetime import date, timedelta
from types import ModuleType
from typing import NamedTuple

from load_tests import progress
from matching_engine import build_notice
from matching_engine.records import EventKind, Phase, Side, TimeInForce
from services.commands import administrative as admin
from services.commands.attachments import (
    AlertCleared,
    AlertRaised,
    BustText,
    KeyIssued,
    KeyRevoked,
    UserAdded,
    UserRemoved,
)
from services.gateway.order_entry.idempotency import RequestKey, with_key
from services.journal.batch import JournalBatch
from services.messaging import Submission
from services.sequencer import repeats
from services.venue_state import alerts, keyed_requests
from services.venue_state.orders import ENDED_LIMIT
from tests.faults.process_figures import figures
from tests.property.years_venue import Sizes, Venue
from tests.unit.read_model.history import ACCOUNTS, REFERENCE_TICKS, SENDER, day_roll, opening

DAYS = 245
"""Trading days of a year, about as many as the exchange has."""
FIRST_YEAR = 2024
OPEN_DAYS = 3
"""For so many days an order stays open, is then canceled."""
_SECOND_NS = 10**9
GROWS_BY_YEAR = frozenset({"Engine.years"})


class Year(NamedTuple):
    """What is held at the end of a year."""

    year: int
    commands: int
    sizes: Sizes
    rss_mb: int


class Days:
    """Equal trading days of a venue, one after the other."""

    def __init__(self, venue: Venue, trades: int) -> None:
        self._venue = venue
        self._trades = trades
        self._open: deque[str] = deque()
        """The orders that are still open."""
        self._made: list[Submission] = []
        """What revokes the key and removes the user of the last day."""

    async def pass_one(self, day: date) -> None:
        """One trading day."""
        venue, text, at_ns = self._venue, day.strftime("%Y%m%d"), _ns(day)
        await venue.run(day_roll(SENDER, int(text)), admin.set_phase(SENDER, Phase.CONTINUOUS), at_ns=at_ns)
        await self._order(text)
        traded = await venue.run(at_ns=at_ns + _SECOND_NS)
        await self._administer(text, traded, at_ns + 2 * _SECOND_NS)
        await venue.run(admin.set_phase(SENDER, Phase.CLOSED), at_ns=at_ns + 4 * _SECOND_NS)

    async def _order(self, text: str) -> None:
        """Members trade; one order stays open for OPEN_DAYS, one until the day ends, one is refused."""
        venue, (one, other) = self._venue, ACCOUNTS[:2]
        for name, below, lasts in (
            ("open", 20, TimeInForce.GTC),
            ("day", 10, TimeInForce.DAY),
            ("far", -900, TimeInForce.DAY),
        ):
            await venue.order(one, Side.BUY, REFERENCE_TICKS - below, f"{text}-{name}", lasts)
        self._open.append(f"{text}-open")
        if len(self._open) > OPEN_DAYS:
            await venue.cancel(one, self._open.popleft())
        for pair in range(self._trades):
            seller, buyer = (one, other) if pair % 2 else (other, one)
            await venue.order(seller, Side.SELL, REFERENCE_TICKS, f"{text}-s{pair}", TimeInForce.GTC)
            await venue.order(buyer, Side.BUY, REFERENCE_TICKS, f"{text}-b{pair}", TimeInForce.GTC)

    async def _administer(self, text: str, traded: JournalBatch, at_ns: int) -> None:
        """What operators and the venue itself do every day."""
        trade = next(event for event in traded.event_list if event.kind == EventKind.TRADE)
        deposit = admin.change_cash(SENDER._replace(request_id=int(text)), ACCOUNTS[0], 10**6)
        raised = AlertRaised(kind="pace", key=text, subject=text[:4], severity="warning", sentence="s", sentence_zh="s")
        issued = KeyIssued(key_hash=text * 8, account=0, name=text, scopes=("read",))
        added = UserAdded(name=text, role="auditor", password_hash="$argon2id$")
        batch = await self._venue.run(
            with_key(deposit, RequestKey(f"deposit-{text}", "d" * 64, SENDER.actor)),
            admin.bust_trade(SENDER, trade.trade_id, BustText(reason="a mistake")),
            admin.recorded(SENDER, [raised]),
            admin.record(SENDER, issued),
            admin.record(SENDER, added),
            at_ns=at_ns,
        )
        alert, key, user = range(batch.last_seq - 2, batch.last_seq + 1)
        await self._venue.run(
            admin.recorded(SENDER, [AlertCleared(alert=alert)]), *self._made, at_ns=at_ns + _SECOND_NS
        )
        ends = KeyRevoked(key_id=key), UserRemoved(user_id=user)
        self._made = [admin.record(SENDER, end) for end in ends]


async def live(
    venue: Venue, *, years: int, days: int, trades: int, advance: Callable[[], None] = lambda: None
) -> list[Year]:
    """Runs the years, and returns what is held at the end of each."""
    found = []
    await venue.run(*opening(FIRST_YEAR * 10_000 + 101), at_ns=_ns(date(FIRST_YEAR, 1, 1)))
    flow = Days(venue, trades)
    for year in range(FIRST_YEAR, FIRST_YEAR + years):
        for number in range(days):
            await flow.pass_one(date(year, 1, 2) + timedelta(days=number * 360 // days))
            advance()
        found.append(Year(year, venue.engine.last_seq, venue.sizes(), figures(os.getpid()).rss_mb))
    return found


def remember_few(count: int, *modules: ModuleType) -> None:
    """Makes the bounds of what is remembered smaller than what two years bring."""
    for module in modules:
        vars(module)["REMEMBERED"] = min(count, vars(module)["REMEMBERED"])


def grown(found: list[Year]) -> dict[str, tuple[int, int]]:
    """What holds more after the last year than after the second: the entries of both."""
    second, last = found[1].sizes, found[-1].sizes
    return {
        place: (second.get(place, 0), size)
        for place, size in last.items()
        if size > second.get(place, 0) and place not in GROWS_BY_YEAR
    }


def _ns(day: date) -> int:
    return (day.toordinal() - date(1970, 1, 1).toordinal()) * 86_400 * _SECOND_NS


def table(found: list[Year]) -> str:
    """The entries by place and year, the largest first."""
    places = sorted(found[-1].sizes, key=lambda place: -found[-1].sizes[place])
    rows = [("commands", [year.commands for year in found]), ("rss_mb", [year.rss_mb for year in found])]
    rows += [(place, [year.sizes.get(place, 0) for year in found]) for place in places if found[-1].sizes[place]]
    head = "place".ljust(52) + "".join(f"{year.year:>11}" for year in found)
    return "\n".join([head, *(name[:52].ljust(52) + "".join(f"{n:>11,}" for n in counts) for name, counts in rows)])


def main() -> int:
    """Exit status 1 if something has grown."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.property.years_run", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--days", type=int, default=DAYS, help="trading days of a year, at most 360")
    parser.add_argument("--trades", type=int, default=100, help="trades of a day")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, for programs")
    options = parser.parse_args()
    remember_few(options.days, repeats, keyed_requests, alerts)
    ended_limit = min(ENDED_LIMIT, options.days * options.trades)
    with progress.shown(True) as stages:
        stages.begin("days", options.years * options.days)
        work = live(
            Venue(ended_limit), years=options.years, days=options.days, trades=options.trades, advance=stages.advance
        )
        found = asyncio.run(work)
    more = grown(found)
    if options.json:
        told = {
            "rig": "years_run",
            "holds": not more,
            "broken": [f"{name} grows: {sizes}" for name, sizes in more.items()],
        }
        counts = {"years": options.years, "commands": found[-1].commands, "rss_mb": [year.rss_mb for year in found]}
        sys.stdout.write(json.dumps({**told, "counts": counts}) + "\n")
    else:
        sys.stdout.write(f"{build_notice()}\n{table(found)}\n")
        sys.stdout.writelines(
            f"GROWS: {name}: {was:,} after the second year, {now:,} now\n" for name, (was, now) in more.items()
        )
    return 1 if more else 0


if __name__ == "__main__":
    sys.exit(main())
