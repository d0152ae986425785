"""Makes a venue with a simulated year behind it: journal, read database and labels in a data folder (`rex simulate-year`).

The commands run through the engine of every venue and the schedule `exchange`, at simulated times; `rex serve` continues in the
folder. The files get their names when all is written: an interrupted run leaves no venue.
"""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np

from matching_engine import Engine
from matching_engine.records import Command
from services.commands.administrative import change_cash, change_inventory, open_account, record
from services.commands.attachments import AccountText, TargetSet
from services.data.calendar import TradingCalendar
from services.data.instruments import InstrumentFacts, load_instruments
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE, private_folder
from services.journal import JournalRefused
from services.messaging import Submission
from services.reporting.figure import Figure, ignore_progress
from services.reporting.proven_figure import figure_at
from services.reporting.target import DEFAULT_TARGET_FEN, SIMULATED
from services.sequencer.schedule import ExchangeHours
from services.simulator import DemoAccount, demo_accounts
from services.simulator.year import day_shape
from services.simulator.year.fair_prices import january_ticks, make_fair_prices
from services.simulator.year.labels import LABELS_FILE, Labels
from services.simulator.year.members import Member, members
from services.simulator.year.orders import make_market
from services.simulator.year.pace import make_pace
from services.simulator.year.plan import YearPlan, make_plan
from services.simulator.year.receipts import Endowment, KeptBalances
from services.simulator.year.recording import Recording
from services.simulator.year.sequencing import SimulatedSequencer, Sink
from services.simulator.year.trading import YearTrading
from services.venue.first_start import DEMO_GUARDS, GUARDS, Existing, Seeding

DEFAULT_REACH = Decimal("1.02")
DEFAULT_COMMANDS = 4_800_000

_NOTHING_KEPT = DemoAccount("", "desk", 0, {})

FIRST_ACCOUNT = 2
"""The engine numbers accounts from 2 on: 1 is the venue's own."""

OnProgress = Callable[[date, int, int, int], None]
"""Called after each day with its date, its number from 1, the number of days to simulate, and the net turnover in fen."""


def _silent(_day: date, _number: int, _of: int, _turnover_fen: int) -> None:
    """Reports no progress."""


@dataclass(frozen=True)
class YearWish:
    """What to simulate. `days`: the first so many trading days only."""

    year: int
    seed: int
    reach: Decimal = DEFAULT_REACH
    """The year's turnover as a multiple of the target."""
    commands: int = DEFAULT_COMMANDS
    """About so many a whole year."""
    days: int | None = None
    for_demo: bool = False
    """The members that a demo's simulated traders continue with hold the demo's opening balances, too, and never touch them;
    at the end every instrument gets the demo's guards."""


@dataclass(frozen=True)
class SimulatedYear:
    """The outcome."""

    plan: YearPlan
    days: int
    last_seq: int
    trading_date: int
    state_hash: str
    turnover_fen: int
    due_fen: int
    """What the plan had for these days."""
    reached_on: date | None
    """The trading day that reached the target of 23 billion yuan."""
    labels: Labels

    @property
    def verdict(self) -> str:
        """Whether the simulated days reached the target, in words."""
        distance = f"{Decimal(abs(self.turnover_fen - DEFAULT_TARGET_FEN)).scaleb(-11):,.3f} bn yuan"
        if self.reached_on is not None:
            return f"reached on {self.reached_on}, passed by {distance}"
        return f"missed by {distance}" if self.days == len(self.plan.days) else f"not reached yet, {distance} to go"


async def simulate_year(
    data_dir: Path, wish: YearWish, calendar: TradingCalendar, on_progress: OnProgress = _silent
) -> SimulatedYear:
    """Makes the venue in the folder, which must hold none.

    Raises JournalRefused if it does, ValueError for a number of commands out of bounds, and the errors of the device.
    """
    if (data_dir / READ_DATABASE_FILE).exists():
        raise JournalRefused(
            f"{data_dir / READ_DATABASE_FILE} exists: a year is simulated only in a folder without a venue"
        )
    with private_folder(data_dir):
        made = await _record(data_dir, wish, calendar, on_progress)
        with (data_dir / LABELS_FILE).open("wb") as file:
            file.write(made.labels.to_bytes())
            file.flush()
            os.fsync(file.fileno())
    return made


async def _record(data_dir: Path, wish: YearWish, calendar: TradingCalendar, on_progress: OnProgress) -> SimulatedYear:
    """Journal and read database."""
    recording = Recording(data_dir / JOURNAL_FILE, data_dir / READ_DATABASE_FILE, secrets.token_bytes(16))
    gc.disable()  # No cycle is made, and a collection would walk the rows of a transaction again and again.
    try:
        await recording.begin()
        made = await run_year(recording.journal_id, recording.take, wish, calendar, on_progress)
        await recording.finish()
    finally:
        gc.enable()
        await recording.close()
    return made


async def run_year(
    journal_id: bytes, take: Sink, wish: YearWish, calendar: TradingCalendar, on_progress: OnProgress = _silent
) -> SimulatedYear:
    """Runs the year in a new engine and passes its batches to `take`, in order; writes nothing. Accounts are numbered from
    FIRST_ACCOUNT on in the order of `members()`, instruments in that of `load_instruments()`."""
    instruments = tuple(_as_in_january(facts) for facts in load_instruments())
    plan = make_plan(wish.year, wish.seed, calendar, int(wish.reach * DEFAULT_TARGET_FEN))
    engine = Engine()
    sequencer = SimulatedSequencer(
        engine,
        ExchangeHours(calendar),
        journal_id,
        take,
        longest_ns=GUARDS.auction_s * day_shape.SECOND_NS,
    )
    trading = _trading(plan, wish, instruments, engine, sequencer)
    start_ns = day_shape.at(plan.days[0], day_shape.FIRST_START)
    await sequencer.submit(_first_start(plan, wish, instruments, trading.endowment), start_ns)
    days = trading.labels.days
    reached_on = None
    for number, day in enumerate(plan.days[:days], start=1):
        await trading.day(number - 1)
        turnover_fen = engine.turnover_fen(wish.year)
        if reached_on is None and turnover_fen >= DEFAULT_TARGET_FEN:
            reached_on = day
        on_progress(day, number, days, turnover_fen)
        await asyncio.sleep(0)
    await sequencer.flush()
    trading.labels.held_at_end = _held(engine, instruments)
    if wish.for_demo:
        seeding = Seeding(Existing({}, {}, 1, frozenset()), {})
        seeding.guards(DEMO_GUARDS, range(len(instruments)))
        await sequencer.submit(seeding.submission(Command()), day_shape.at(plan.days[days - 1], day_shape.END_OF_DAY))
    return SimulatedYear(
        plan, days, engine.last_seq, engine.trading_date, engine.state_hash(), engine.turnover_fen(wish.year),
        plan.due_fen(days), reached_on, trading.labels,
    )  # fmt: skip


def _held(engine: Engine, instruments: tuple[InstrumentFacts, ...]) -> dict[str, dict[str, int]]:
    """The lots of the members that a demo's traders continue with."""
    names = {account.name for account in demo_accounts()}
    return {
        member.name: {facts.symbol: engine.holding(account, number)[0] for number, facts in enumerate(instruments)}
        for account, member in enumerate(members(), start=FIRST_ACCOUNT)
        if member.name in names
    }


def _as_in_january(facts: InstrumentFacts) -> InstrumentFacts:
    return replace(
        facts,
        reference_price=january_ticks(facts) * facts.tick_size,
        reference_price_source="assumed",
        note=f"{SIMULATED}. Listed at an assumed January price. {facts.note}",
    )


def _trading(
    plan: YearPlan,
    wish: YearWish,
    instruments: tuple[InstrumentFacts, ...],
    engine: Engine,
    sequencer: SimulatedSequencer,
) -> YearTrading:
    everyone = members()
    market = make_market(instruments, everyone, range(FIRST_ACCOUNT, FIRST_ACCOUNT + len(everyone)))
    references = [facts.reference_ticks for facts in instruments]
    days = min(wish.days or len(plan.days), len(plan.days))
    pace = make_pace(wish.commands, len(plan.days), len(instruments))
    order_fen = pace.order_fen(plan.target_fen / len(plan.days))
    return YearTrading(
        plan=plan,
        prices=make_fair_prices(plan, wish.seed, load_instruments()),
        market=market,
        endowment=Endowment(
            market, plan.target_fen, order_fen, references, _kept(everyone, instruments, wish.for_demo)
        ),
        pace=pace,
        instruments=instruments,
        venue=engine,
        sequencer=sequencer,
        labels=Labels(wish.year, wish.seed, wish.commands, str(wish.reach), days),
        seed=wish.seed,
    )


def _kept(everyone: tuple[Member, ...], instruments: tuple[InstrumentFacts, ...], for_demo: bool) -> KeptBalances:
    """What members hold for the demo that continues."""
    opening = {account.name: account for account in demo_accounts()} if for_demo else {}
    held = [opening.get(member.name, _NOTHING_KEPT) for member in everyone]
    lots = [[account.lots.get(facts.symbol, 0) for facts in instruments] for account in held]
    return KeptBalances(np.array([account.cash_fen for account in held]), np.array(lots))


def _first_start(
    plan: YearPlan, wish: YearWish, instruments: tuple[InstrumentFacts, ...], endowment: Endowment
) -> Submission:
    """What a first start adds to an empty venue, and the members with their balances. No keys: `rex serve` issues them."""
    seeding = Seeding(Existing({}, {}, 1, frozenset()), {})
    seeding.venue(instruments, year=plan.year, guards=GUARDS)
    name = f"{SIMULATED}: {plan.year}, seed {wish.seed}"
    seeding.parts.append(record(Command(), TargetSet(year=plan.year, amount=DEFAULT_TARGET_FEN, name=name)))
    for number, member in enumerate(members()):
        seeding.parts += _opened(FIRST_ACCOUNT + number, member, endowment, number)
    return seeding.submission(Command())


def _opened(account: int, member: Member, endowment: Endowment, number: int) -> list[Submission]:
    sender = Command()
    return [
        open_account(sender, AccountText(name=member.name)),
        change_cash(sender, account, int(endowment.cash_fen[number])),
        *(change_inventory(sender, account, at, lots) for at, lots in enumerate(endowment.lots[number].tolist())),
    ]


async def prove(
    data_dir: Path, made: SimulatedYear, on_progress: Callable[[int, int], None] = ignore_progress
) -> Figure:
    """The year's turnover by four computations: the engine that ran the year, the trades of the read database, the journal
    re-executed in a fresh engine, and the auditor's decoder. Calls on_progress as `compute_figure` does."""
    return await figure_at(
        data_dir, None, made.plan.year, made.last_seq, made.turnover_fen, on_progress, is_closed=True
    )
