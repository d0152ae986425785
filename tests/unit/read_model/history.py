"""A venue's history in miniature: commands go through the naive engine and come out as journal batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from matching_engine.records import (
    ALL_INSTRUMENTS,
    EVENT,
    Command,
    CommandKind,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    pack_commands,
    unpack_commands,
)
from services.commands import administrative as admin
from services.commands.attachments import (
    AccountText,
    ActProposed,
    AlertAcknowledged,
    AlertCleared,
    AlertRaised,
    BustText,
    ChangeText,
    DayClosed,
    DelistText,
    InstrumentText,
    KeyIssued,
    KeyLimits,
    KeyLimitsSet,
    KeyRevoked,
    ProofAgreed,
    ProposalEnded,
    RateLimit,
    TargetSet,
    TradesDecided,
    UserAdded,
    UserLinkMade,
    UserPasswordChanged,
    UserRemoved,
    UserRoleChanged,
)
from services.gateway.order_entry.four_eyes import confirming
from services.journal.batch import NO_HASH, JournalBatch
from services.messaging import Submission
from services.venue_state.keys import ApiKey
from tests.model.naive_engine import NaiveEngine

JOURNAL_ID = bytes(range(16))
SENDER = Command(gateway_id=1, incarnation=7, actor=5)
OPERATOR = ApiKey(key_id=SENDER.actor, account=0, name="operator", scopes=frozenset({"operate", "admin"}))
REFERENCE_TICKS = 1_000
TICK_VALUE_FEN = (1_000, 333)
ACCOUNTS = (2, 3, 4)
START_NS = 1_672_617_600_000_000_000


class History:
    """Makes the next journal batch of submissions; `engine` has processed all batches made so far."""

    def __init__(self, engine: Any = None, journal_id: bytes = JOURNAL_ID, epoch: int = 0) -> None:
        self.engine = NaiveEngine() if engine is None else engine
        self.journal_id = journal_id
        self.epoch = epoch
        self.last_hash = NO_HASH
        self.start_ns = START_NS
        """The time of a command is this plus its seq."""

    def batch(self, submissions: Sequence[Submission]) -> JournalBatch:
        commands: list[Command] = []
        attachments: list[bytes] = []
        first_seq = self.engine.last_seq + 1
        for submission in submissions:
            for command in unpack_commands(submission.commands):
                seq = first_seq + len(commands)
                number = command.attachment + len(attachments) if command.attachment else 0
                commands.append(command._replace(seq=seq, time_ns=self.start_ns + seq, attachment=number))
            attachments += submission.attachments
        events = np.array(
            [event for command in commands for event in self.engine.submit(command)], dtype=EVENT
        ).tobytes()
        batch = JournalBatch(
            self.journal_id, self.epoch, first_seq, commands[-1].seq, 0, self.last_hash, pack_commands(commands), events,
            tuple(attachments),
        )  # fmt: skip
        self.last_hash = batch.hash
        return batch


def batches_of(commands: Iterable[Command], chance: Random) -> Iterator[tuple[NaiveEngine, JournalBatch]]:
    """The batches of a flow of commands, each with the text its kind needs, and the engine as it stands after each batch."""
    waiting, engine, last_hash = list(commands), NaiveEngine(), NO_HASH
    while waiting:
        size = chance.randint(1, 40)
        taken, waiting = waiting[:size], waiting[size:]
        texts = {place: text for place, command in enumerate(taken) if (text := _text(command)) is not None}
        numbers = {place: number for number, place in enumerate(texts, start=1)}
        numbered = [command._replace(attachment=numbers.get(place, 0), actor=5) for place, command in enumerate(taken)]
        events = np.array([event for command in numbered for event in engine.submit(command)], dtype=EVENT)
        batch = JournalBatch(
            JOURNAL_ID, 0, taken[0].seq, taken[-1].seq, 0, last_hash, pack_commands(numbered), events.tobytes(),
            tuple(texts.values()),
        )  # fmt: skip
        last_hash = batch.hash
        yield engine, batch


def _text(command: Command) -> bytes | None:
    match command.kind:
        case CommandKind.OPEN_ACCOUNT:
            return AccountText(name="somebody").to_bytes()
        case CommandKind.LIST_INSTRUMENT:
            text = instrument_text(command.instrument % 2)
            return text.model_copy(update={"symbol": f"I-{command.instrument}"}).to_bytes()
        case CommandKind.CHANGE_INSTRUMENT:
            name, named = f"after {command.seq}", ("name_en", "name_zh", "note")[: command.seq % 4]
            return ChangeText(**dict.fromkeys(named, name), reason="a decision").to_bytes()
        case CommandKind.DELIST_INSTRUMENT:
            return DelistText(reason="a decision").to_bytes()
        case CommandKind.BUST_TRADE:
            return BustText(reason="a mistake").to_bytes()
        case CommandKind.RECORD:
            return TargetSet(year=2023, amount=1, name="a target").to_bytes()
    return None


def instrument_text(number: int) -> InstrumentText:
    return InstrumentText(
        symbol=("ND-OX", "NDFEB-N42")[number],
        name_en=("Neodymium oxide", "Sintered magnet")[number],
        name_zh=("氧化钕", "烧结钕铁硼")[number],
        category=("deep_processed", "magnetic_material")[number],
        family=("separated_oxide", "sintered_ndfeb")[number],
        unit=("t", "kg")[number],
        lot_size=(1, 100)[number],
        tick_size=("10.00", "0.0333")[number],
        reference_price_source="assumed",
        spec="spec",
        note="note",
    )


def day_roll(sender: Command, date: int) -> Submission:
    """What the venue's schedule sends at 17:00: the trading day `date` (yyyymmdd) begins."""
    return admin.submission(sender._replace(kind=CommandKind.DAY_ROLL, date=date))


def opening(date: int = 20230103) -> list[Submission]:
    """Two instruments, three funded accounts (the last two of one owner), fees, a target, a trading day under way."""
    parts = [
        admin.set_fees(SENDER, maker_rate_ppm=300, taker_rate_ppm=700),
        admin.record(SENDER, TargetSet(year=2023, amount=2_300_000_000_000, name="23 billion")),
        admin.record(SENDER, KeyIssued(key_hash="ab" * 32, account=2, name="first", scopes=("read", "trade"))),
    ]
    for number in (0, 1):
        parts.append(
            admin.list_instrument(
                SENDER, number, tick_value_fen=TICK_VALUE_FEN[number], reference_ticks=REFERENCE_TICKS, band_ppm=50_000,
                max_quantity_lots=1_000, text=instrument_text(number),
            )
        )  # fmt: skip
    for account in ACCOUNTS:
        parts.append(admin.open_account(SENDER, AccountText(name=f"trader {account}"), owner=3 if account == 4 else 0))
        parts.append(admin.change_cash(SENDER, account, 1_000_000_000))
        parts += [admin.change_inventory(SENDER, account, number, 500) for number in (0, 1)]
    return [*parts, admin.set_phase(SENDER, Phase.CONTINUOUS), day_roll(SENDER, date)]


def order(
    account: int, side: int, price_ticks: int, quantity_lots: int, *, instrument: int = 0, client_order_id: bytes = b"",
    order_type: int = OrderType.LIMIT, time_in_force: int = TimeInForce.GTC,
) -> Submission:  # fmt: skip
    return admin.submission(
        SENDER._replace(
            kind=CommandKind.NEW_ORDER, account=account, side=side, price_ticks=price_ticks, quantity_lots=quantity_lots,
            instrument=instrument, client_order_id=client_order_id, order_type=order_type, time_in_force=time_in_force,
        )
    )  # fmt: skip


def cancel(order_id: int, account: int = 0) -> Submission:
    return admin.submission(SENDER._replace(kind=CommandKind.CANCEL, order_id=order_id, account=account))


def _order(account: int, side: int, ticks: int, lots: int, instrument: int, kind: int, client: int) -> Submission:
    order_type, time_in_force = (
        (OrderType.LIMIT, TimeInForce.GTC),
        (OrderType.LIMIT, TimeInForce.DAY),
        (OrderType.LIMIT, TimeInForce.IOC),
        (OrderType.MARKET, TimeInForce.IOC),
    )[kind]
    return order(
        account, side, 0 if order_type == OrderType.MARKET else REFERENCE_TICKS + ticks, lots, instrument=instrument,
        client_order_id=f"c{client}".encode() if client < 20 else b"", order_type=order_type, time_in_force=time_in_force,
    )  # fmt: skip


_orders = st.builds(
    _order,
    st.sampled_from([*ACCOUNTS * 3, 9]), st.sampled_from(list(Side)), st.integers(-3, 3), st.integers(0, 60),
    st.sampled_from([0, 0, 0, 0, 1, 1, 5]), st.integers(0, 3), st.integers(0, 60),
)  # fmt: skip
_PHASES = [Phase.CLOSED, Phase.CONTINUOUS, Phase.CONTINUOUS, Phase.CONTINUOUS]
_instrument = st.sampled_from([0, 1, ALL_INSTRUMENTS])
_decisions = st.one_of(
    st.builds(lambda n: KeyIssued(key_hash=f"{n:064x}", account=0, name="k", scopes=("read",)), st.integers(0, 2**250)),
    st.builds(
        lambda key_id, per_s: KeyLimitsSet(key_id=key_id, limits=KeyLimits(reads=RateLimit(per_s=per_s, burst=1))),
        st.integers(1, 4),
        st.integers(0, 5),
    ),
    st.builds(lambda n: KeyRevoked(key_id=n), st.integers(1, 4)),
    st.builds(lambda n: TargetSet(year=2023, amount=n, name="new"), st.integers(1, 10**14)),
    st.builds(
        lambda decision, seqs: TradesDecided(
            decision=decision, trade_ids=tuple(seq << 20 | 1 for seq in seqs), reason="a ring", name="Li"
        ),
        st.sampled_from(["exclude", "exclude", "include"]),
        st.lists(st.integers(20, 60), min_size=1, max_size=30),
    ),
    st.builds(lambda n: UserAdded(name=f"user {n}", role="auditor", password_hash="$argon2id$"), st.integers(1, 9)),
    st.builds(lambda n: UserPasswordChanged(user_id=n, password_hash="$argon2id$v=19$"), st.integers(20, 60)),
    st.builds(lambda n: UserLinkMade(user_id=n), st.integers(20, 60)),
    st.builds(lambda n: UserRoleChanged(user_id=n, role="trader", account=2), st.integers(20, 60)),
    st.builds(lambda n: UserRemoved(user_id=n), st.integers(20, 60)),
    st.builds(lambda n: AlertAcknowledged(alert=n, name="Li Na", note="seen"), st.integers(20, 60)),
    st.builds(lambda n: ActProposed(act="resume", scope="operate", method="POST", path=f"/{n}"), st.integers(0, 9)),
    st.builds(lambda n: ProposalEnded(proposal=n, outcome="rejected", reason="no"), st.integers(20, 60)),
)
_found_by_the_venue = st.one_of(
    st.builds(
        lambda n: AlertRaised(
            kind="pace", key=f"k{n}", subject="2023", severity="warning", sentence="s", sentence_zh="句"
        ),
        st.integers(0, 3),
    ),
    st.builds(lambda n: AlertCleared(alert=n), st.integers(20, 60)),
    st.builds(
        lambda n, seq: DayClosed(date=20230103 + n, revision=1 + n % 2, at_seq=seq, row_hash="ab", sha256="cd"),
        st.integers(0, 2),
        st.integers(1, 60),
    ),
    st.builds(lambda n: ProofAgreed(year=2022 + n % 2, proven_seq=n), st.integers(1, 60)),
)
_administration = st.one_of(
    st.builds(
        lambda a, f, n: confirming(admin.change_cash(SENDER, a, f), OPERATOR, n),
        st.sampled_from(ACCOUNTS), st.integers(-(10**6), 10**6), st.integers(20, 60),
    ),
    st.builds(lambda a, f: admin.change_cash(SENDER, a, f), st.sampled_from(ACCOUNTS), st.integers(-(10**6), 10**6)),
    st.builds(
        lambda a, i, q: admin.change_inventory(SENDER, a, i, q),
        st.sampled_from(ACCOUNTS), st.integers(0, 1), st.integers(-20, 20),
    ),
    st.builds(lambda i: admin.halt(SENDER, i), _instrument),
    st.just(admin.resume(SENDER)),
    st.builds(lambda i: admin.resume(SENDER, i), _instrument),
    st.builds(lambda p, i: admin.set_phase(SENDER, p, i), st.sampled_from(_PHASES), _instrument),
    st.builds(lambda day: day_roll(SENDER, 20230103 + day), st.integers(0, 20)),
    st.just(day_roll(SENDER, 20240102)),
    st.builds(lambda r: admin.set_fees(SENDER, maker_rate_ppm=r, taker_rate_ppm=r // 2), st.integers(0, 10_000)),
    st.builds(lambda d: admin.record(SENDER, d), _decisions),
    st.builds(lambda changes: admin.recorded(SENDER, changes), st.lists(_found_by_the_venue, min_size=1, max_size=4)),
)  # fmt: skip


@st.composite
def submissions(draw: st.DrawFn) -> Submission:
    """Commands, mostly orders that trade: three accounts around one price, in two instruments."""
    kind = draw(st.integers(0, 19))
    if kind < 15:
        return draw(_orders)
    return cancel(draw(st.integers(20, 120))) if kind < 18 else draw(_administration)


requests = st.lists(st.lists(submissions(), min_size=1, max_size=16), min_size=1, max_size=12)
