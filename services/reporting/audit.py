"""Redoes a year's turnover from a journal of REX. It shares no code with REX: one file, the standard library only.

    python audit.py JOURNAL YEAR [--seq N] [--calendar FILE] [--json]

JOURNAL is the SQLite file of a whole journal. From PostgreSQL, and from a folder whose first days are in archives, `rex journal
copy` makes one. Where REX is installed, `python -m services.reporting.audit` is the same program. Exit status: 0 all agrees; 1
something disagrees, is damaged or is missing; 2 the command line is wrong.

A row of a journal holds commands (what members, operators and timers sent), events (what the engine answered), a hash that
covers the hash of the row before it, and a CRC. Of the events this program believes what only the matching can know: whether a
command was refused, and which two orders traded how many lots at which price, in an auction or not. (That the engine matched by
its rules is proved elsewhere, by re-execution: `rex journal verify --prove`.) All else it computes from the commands, and
compares with the events:

rows      CRC, hash, the chain of hashes; no sequence number is missing; every command that matters has its event
trades    both orders were sent, by these accounts of two owners, for this instrument, on opposite sides
amounts   lots × ticks × the value of a tick that LIST_INSTRUMENT gave
fees      amount × rate of SET_FEES, rounded half up to the fen, at least 1 fen; in an auction both sides pay the maker's rate.
          A buy pays no more than, by the event, it had reserved: which is less only where rates have risen since it was sent
days      a trade belongs to the day of the last DAY_ROLL, by which the venue journals what its calendar said. A day must come
          after the day before, must not be over when it begins, and holds no trade after 17:00 in Shanghai of its date. With
          --calendar (a line `date`, then each trading day yyyy-mm-dd; in years not listed, every weekday), it must also be the
          trading day of the time at which it begins
busts     the trade was made on the same day, was not busted before, and all that was paid is returned
cash      of each account, from deposits, withdrawals, trades, fees and busts; never below zero
turnover  of each instrument and day, beside that of SETTLED
excluded  the trades that do not count by decision: the texts of RECORD, applied one after another. A decision holds for
          trades made before it that are not busted. It changes no money: net = gross - busted - excluded

Names end with their unit; fen are 0.01 yuan. Rows and records are laid out as in REX's row format 1 and record format 2. A row
of format 2 is a row of format 1 compressed: its header; then, deflated, the first byte of every command, the second byte of
every command, and so on, the same of the events, and the texts; then its hash and CRC; then the CRC of the compressed row.
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import sys
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict, namedtuple
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import date as Date
from datetime import datetime, timedelta
from hashlib import blake2b, sha256
from operator import attrgetter
from pathlib import Path
from struct import Struct
from struct import error as struct_error
from typing import Any

MAGIC, FORMATS, ENGINE_VERSION = b"REXROW\r\n", (1, 2), 5
"""The row and record formats, and the engine version, that this program knows the rules of."""
COMPRESSED, MOST_BYTES = 2, 64 * 2**20
"""The row format of a compressed row, and the most bytes that one may hold."""

# In a Struct, x stands for a byte that does not matter here.
HEADER = Struct("<8sHHI8xQQIII4x16s8x32s")
HASH, CRC = slice(-36, -4), slice(-4, None)
"""Where they stand in a row: behind all else."""
COMMAND, COMMAND_KINDS = Struct("<Qq16xQ32xq4xIIIII2xHHB6xB42x"), slice(110, None, 160)
Command = namedtuple(
    "Command",
    "seq time_ns order_id amount_fen account owner date maker_ppm taker_ppm instrument attachment kind account_class",
)
EVENT, EVENT_KINDS = Struct("<QQQqq8xqqqqIIIIHBxBxBx"), slice(98, None, 104)
Event = namedtuple(
    "Event",
    "seq order_id maker_order_id price_ticks quantity_lots amount_fen fee_fen maker_fee_fen reserve_fen"
    " account maker_account number date instrument kind side phase",
)
LENGTH = Struct("<I")
"""Before each of the texts behind the events of a row; a command's `attachment` is the place of its text, from 1 on."""
ORDER, SENDER = Struct("<2xH2xBB"), Struct("<I")
"""Parts of a command: its instrument, kind and side in the 8 bytes from 104 on; its account in the 4 bytes from 84 on."""
PARTIES = attrgetter("account", "maker_account", "instrument", "side", "price_ticks", "quantity_lots")
MONEY = attrgetter("amount_fen", "fee_fen", "maker_fee_fen")

NEW_ORDER, AMEND, SET_PHASE, RESUME, TIME = 1, 3, 34, 36, 41
OPEN_ACCOUNT, DEPOSIT, WITHDRAW, RECEIVE, RELEASE = 16, 17, 18, 19, 20
LIST_INSTRUMENT, SET_FEES, DAY_ROLL, BUST_TRADE, RECORD = 32, 33, 37, 40, 48
REJECTED, TRADE, TRADE_BUSTED, ACCOUNT_OPENED, BALANCE_CHANGED = 3, 4, 12, 16, 17
INSTRUMENT_LISTED, FEES_SET, DAY_ROLLED, SETTLED, RECORDED = 32, 33, 35, 36, 48
ANSWERS = {
    OPEN_ACCOUNT: ACCOUNT_OPENED, DEPOSIT: BALANCE_CHANGED, WITHDRAW: BALANCE_CHANGED, RECEIVE: BALANCE_CHANGED,
    RELEASE: BALANCE_CHANGED, LIST_INSTRUMENT: INSTRUMENT_LISTED, SET_FEES: FEES_SET, DAY_ROLL: DAY_ROLLED,
    BUST_TRADE: TRADE_BUSTED, RECORD: RECORDED,
}  # fmt: skip
"""The commands of operators and timers that matter here, each with its first event unless it was refused."""
COMMANDS_THAT_MATTER = re.compile(b"[" + re.escape(bytes(ANSWERS)) + b"]")
EVENTS_THAT_MATTER = re.compile(b"[" + re.escape(bytes({*ANSWERS.values(), REJECTED, TRADE, SETTLED})) + b"]")

VENUE, BUY, SELL, CALL_AUCTION = 1, 0, 1, 3
MAKER, TAKER = 1, 2  # places in the rates of a class
EPOCH, DAY_NS, DAY_ENDS_NS = datetime(1970, 1, 1), 24 * 3600 * 10**9, 9 * 3600 * 10**9
"""A trading day ends at 17:00 in Shanghai, which is 9:00 UTC."""
SHOWN = 20
"""How many disagreements are listed; all are counted."""

Calendar = Callable[[Date], bool]
"""Whether a date is a trading day."""


class Damaged(Exception):
    """The journal cannot be read, or ends too early. The message is a sentence."""


def yuan_text(amount_fen: int) -> str:
    """An amount in fen as yuan with two decimals."""
    return f"{'-' if amount_fen < 0 else ''}{abs(amount_fen) // 100}.{abs(amount_fen) % 100:02d}"


def fee_fen(amount_fen: int, rate_ppm: int) -> int:
    """A fee: the amount times a rate in millionths, rounded half up to the fen, at least 1 fen."""
    return max(1, (amount_fen * rate_ppm + 500_000) // 1_000_000)


def own_sha256() -> str:
    """The SHA-256 of this file, in hex: it names the program that computed a number."""
    return sha256(Path(__file__).read_bytes()).hexdigest()


@dataclass
class Audit:
    """A year's turnover as this program computes it, exact at `seq`. Cash is that of the whole journal up to there."""

    year: int
    seq: int = 0
    row_hash: str = ""
    """The hash of the row that holds seq."""
    journal_id: str = ""
    gross_fen: int = 0
    busted_fen: int = 0
    excluded_fen: int = 0
    """Of the trades that do not count by decision; none of them is busted."""
    trades: int = 0
    """All trades of the year, those too that do not count."""
    busted_trades: int = 0
    excluded_trades: int = 0
    buyers_fees_fen: int = 0
    sellers_fees_fen: int = 0
    """Fees of the year, without those that busts returned."""
    deposited_fen: int = 0
    """Deposits less withdrawals: the cash of all accounts."""
    cash_fen: dict[int, int] = field(default_factory=dict)
    """By account; 1 is the venue."""
    disagreements: list[str] = field(default_factory=list)
    """The first ones, as sentences."""
    disagreement_count: int = 0
    program_sha256: str = ""

    @property
    def traded_fen(self) -> int:
        """Gross less busted: what an engine counts, which knows no decisions."""
        return self.gross_fen - self.busted_fen

    @property
    def net_fen(self) -> int:
        """Gross less busted less excluded."""
        return self.traded_fen - self.excluded_fen

    @property
    def agree(self) -> bool:
        """Whether nothing disagrees."""
        return not self.disagreement_count

    def to_json(self) -> dict[str, Any]:
        """All fields, the net turnover, and gross, busted, excluded and net as yuan."""
        yuan = {"gross": self.gross_fen, "busted": self.busted_fen, "excluded": self.excluded_fen, "net": self.net_fen}
        yuan_texts = {name: yuan_text(amount_fen) for name, amount_fen in yuan.items()}
        return {**yuan_texts, "net_fen": self.net_fen, "agree": self.agree, **asdict(self)}

    def lines(self) -> Iterator[str]:
        """The same for people, without the cash of each account."""
        for name, value in self.to_json().items():
            if name not in ("cash_fen", "disagreements"):
                yield f"{name:20} {value}"
        yield from self.disagreements
        yield "Everything agrees." if self.agree else "THE JOURNAL DISAGREES with what follows from its commands."


class Decoder:
    """Takes the rows of a journal, from the first one on, and adds up what they hold up to `to_seq` (None: all of it)."""

    def __init__(self, year: int, to_seq: int | None = None, calendar: Calendar | None = None) -> None:
        self.audit = Audit(year, program_sha256=own_sha256())
        self._to_seq = sys.maxsize if to_seq is None else to_seq
        self._calendar = calendar
        self._hash, self._journal_id = bytes(32), b""
        self._date, self._ends_ns, self._trade_ns = 0, sys.maxsize, -sys.maxsize
        self._owners, self._classes = {VENUE: VENUE}, {VENUE: 0}
        self._tick_values_fen: dict[int, int] = {}
        self._rates_ppm: dict[int, list[tuple[int, int, int]]] = defaultdict(lambda: [(0, 0, 0)])
        """By class: the seq of each SET_FEES, the maker's and the taker's rate."""
        self._orders, self._senders = bytearray(), bytearray()
        """The parts ORDER and SENDER of every command so far."""
        self._last_trade = 0
        self._today: dict[int, tuple[Event, tuple[int, int, int]]] = {}
        """The day's trades that are not busted, by id, with amount, taker's and maker's fee as computed."""
        self._trade_ids, self._amounts_fen = array("Q"), array("q")
        """Of all trades of the year; the ids rise."""
        self._busted: set[int] = set()
        self._excluded_fen: dict[int, int] = {}
        """The amounts of the year's trades that do not count by decision, by id."""
        self._texts = b""
        """The texts of the present row."""
        self._turnover: dict[int, tuple[int, int]] = {}
        self._unsettled: dict[int, tuple[int, int]] = {}
        """Lots and fen by instrument: of the day, and of the day that was ended by the present row."""

    def take(self, row: bytes) -> None:
        """Checks the next row and adds up what it holds. Rows after `to_seq` are ignored. Raises Damaged."""
        if self.audit.seq >= self._to_seq:
            return
        first_seq, commands, events = self._opened(row)
        self._orders += memoryview(commands).cast("Q")[13::20].tobytes()
        self._senders += memoryview(commands).cast("I")[21::40].tobytes()
        unanswered = {first_seq + found.start() for found in COMMANDS_THAT_MATTER.finditer(commands[COMMAND_KINDS])}
        for command, event in self._pairs(first_seq, commands, events):
            if event.seq in unanswered:
                unanswered.remove(event.seq)
                self._decide(command, event)
            elif event.kind == TRADE:
                self._trade(command, event)
            elif event.kind == SETTLED:
                turnover = self._unsettled.pop(event.instrument, (0, 0))
                self._compare(event.seq, "the day's lots and fen", (event.quantity_lots, event.amount_fen), turnover)
            elif event.kind != REJECTED:
                self._disagree(event.seq, f"a command of kind {command.kind} has an event of kind {event.kind}")
        for seq in sorted(seq for seq in unanswered if seq <= self.audit.seq):
            self._disagree(seq, "the command has no event")
        if any(amount_fen for _, amount_fen in self._unsettled.values()):
            self._disagree(self.audit.seq, "a day ended without a settlement of all that was traded")
        self._unsettled = {}

    def _opened(self, row: bytes) -> tuple[int, bytes, bytes]:
        """The first seq, the commands and the events of the row. Raises Damaged unless the row continues the chain."""
        if len(row) < HEADER.size + 36 or not row.startswith(MAGIC):
            raise Damaged(
                f"The row after seq {self.audit.seq:,} is damaged: it does not begin like a row of a journal."
            )
        if HEADER.unpack_from(row)[1] == COMPRESSED:
            row = decompressed(row)
        fields = HEADER.unpack_from(row)
        _, *formats, version, first_seq, last_seq, size, command_count, event_count, journal_id, previous_hash = fields
        end_of_commands = HEADER.size + command_count * COMMAND.size
        end_of_events = end_of_commands + event_count * EVENT.size
        view = memoryview(row)
        for is_wrong, what in (
            (zlib.crc32(view[: CRC.start]) != int.from_bytes(row[CRC], "little"), "is damaged: its CRC is wrong"),
            (tuple(formats) != FORMATS, f"has the formats {formats}, which this program does not know"),
            (version != ENGINE_VERSION, f"is of engine version {version}, which this program does not know"),
            (blake2b(view[: HASH.start], digest_size=32).digest() != row[HASH], "was rewritten: its hash is wrong"),
            (journal_id != (self._journal_id or journal_id), "belongs to another journal"),
            (first_seq != self.audit.seq + 1, f"does not follow seq {self.audit.seq:,}: commands are missing"),
            (previous_hash != self._hash, "does not continue the hash chain: a row before it was changed"),
            (size != len(row) or end_of_events > size - 36, "has another size than its header says"),
            (not 0 < command_count == last_seq + 1 - first_seq, "has another number of commands than its header says"),
        ):
            if is_wrong:
                raise Damaged(f"The row from seq {first_seq:,} {what}.")
        self._hash, self._journal_id = row[HASH], journal_id
        self.audit.seq = min(last_seq, self._to_seq)
        self.audit.row_hash, self.audit.journal_id = row[HASH].hex(), journal_id.hex()
        self._texts = row[end_of_events : HASH.start]
        return first_seq, row[HEADER.size : end_of_commands], row[end_of_commands:end_of_events]

    def _pairs(self, first_seq: int, commands: bytes, events: bytes) -> Iterator[tuple[Command, Event]]:
        """Each event that matters, up to `to_seq`, with its command."""
        seqs = range(first_seq, first_seq + len(commands) // COMMAND.size)
        command = Command._make(COMMAND.unpack_from(commands))
        for found in EVENTS_THAT_MATTER.finditer(events[EVENT_KINDS]):
            event = Event._make(EVENT.unpack_from(events, found.start() * EVENT.size))
            if event.seq in seqs and event.seq > command.seq:
                command = Command._make(COMMAND.unpack_from(commands, (event.seq - first_seq) * COMMAND.size))
            if event.seq != command.seq:
                raise Damaged(f"The row from seq {first_seq:,} has commands or events out of order.")
            if event.seq > self.audit.seq:
                return
            yield command, event

    # Commands of operators and timers

    def _decide(self, command: Command, event: Event) -> None:
        """A command that changes money, fees or days, with its first event."""
        seq, kind = command.seq, command.kind
        if event.kind == REJECTED:
            return
        if event.kind != ANSWERS[kind]:
            self._disagree(seq, f"a command of kind {kind} has an event of kind {event.kind}")
        elif kind in (DEPOSIT, WITHDRAW, RECEIVE, RELEASE):
            amount_fen = {DEPOSIT: command.amount_fen, WITHDRAW: -command.amount_fen}.get(kind, 0)
            self._compare(seq, "account and amount", (event.account, event.amount_fen), (command.account, amount_fen))
            self.audit.deposited_fen += amount_fen
            self._pay(seq, command.account, amount_fen)
        elif kind == OPEN_ACCOUNT:
            account = len(self._owners) + 1
            self._compare(seq, "the account's number", event.account, account)
            self._owners[account], self._classes[account] = command.owner or account, command.account_class
        elif kind == LIST_INSTRUMENT:
            instrument = len(self._tick_values_fen)
            self._compare(seq, "the instrument's number", event.instrument, instrument)
            self._tick_values_fen[instrument] = command.amount_fen
        elif kind == SET_FEES:
            self._rates_ppm[command.account_class].append((seq, command.maker_ppm, command.taker_ppm))
        elif kind == DAY_ROLL:
            self._begin_day(command, event)
        elif kind == RECORD:
            self._record(command)
        else:
            self._bust(command, event)

    def _begin_day(self, command: Command, event: Event) -> None:
        self._compare(command.seq, "the trading day", event.date, command.date)
        in_shanghai = EPOCH + timedelta(hours=8, microseconds=command.time_ns // 1000)
        earliest = in_shanghai.date() + timedelta(days=in_shanghai.hour >= 17)
        try:
            day = Date(command.date // 10_000, command.date // 100 % 100, command.date % 100)
        except ValueError:
            day = Date.min
        if day < earliest or command.date <= self._date:
            self._disagree(command.seq, f"the day {command.date} is over at {in_shanghai}, or not after {self._date}")
        elif self._calendar is not None and day != first_from(earliest, self._calendar):
            self._disagree(command.seq, f"by the calendar, {command.date} is not the trading day of {in_shanghai}")
        self._date, self._ends_ns = command.date, (day - EPOCH.date()).days * DAY_NS + DAY_ENDS_NS
        self._unsettled, self._turnover, self._today = self._turnover, {}, {}

    def _bust(self, command: Command, event: Event) -> None:
        if command.order_id not in self._today:
            self._disagree(command.seq, f"{command.order_id} is no trade of this day, or was busted before")
            return
        trade, money = self._today.pop(command.order_id)
        made, busted = (command.order_id, PARTIES(trade), money), (event.order_id, PARTIES(event), MONEY(event))
        self._compare(command.seq, "the busted trade", busted, made)
        self._settle(command.seq, trade, money, -1)
        self._busted.add(command.order_id)
        self._excluded_fen.pop(command.order_id, None)
        self._add_up_excluded()

    # Decisions about trades

    def _record(self, command: Command) -> None:
        if not command.attachment:
            return
        try:
            text = self._text(command.attachment)
            if b"trades_decided" not in text:
                return  # a key, a target
            told = json.loads(text)
            if told["type"] == "trades_decided":
                self._apply(told["decision"] == "exclude", told["trade_ids"])
        except (ValueError, LookupError, TypeError, struct_error):
            self._disagree(command.seq, "the text of what was recorded cannot be read")

    def _text(self, number: int) -> bytes:
        place = 0
        for _ in range(number - 1):
            place += LENGTH.size + LENGTH.unpack_from(self._texts, place)[0]
        begin = place + LENGTH.size
        return self._texts[begin : begin + LENGTH.unpack_from(self._texts, place)[0]]

    def _apply(self, exclude: bool, trade_ids: list[int]) -> None:
        """Other ids are of trades of other years, of busted ones, or of none."""
        for trade_id in trade_ids:
            place = bisect_left(self._trade_ids, trade_id)
            if trade_id not in self._trade_ids[place : place + 1] or trade_id in self._busted:
                continue
            if exclude:
                self._excluded_fen[trade_id] = self._amounts_fen[place]
            else:
                self._excluded_fen.pop(trade_id, None)
        self._add_up_excluded()

    def _add_up_excluded(self) -> None:
        self.audit.excluded_fen, self.audit.excluded_trades = sum(self._excluded_fen.values()), len(self._excluded_fen)

    # Trades

    def _trade(self, command: Command, event: Event) -> None:
        self._check_parties(event)
        in_auction = event.phase == CALL_AUCTION
        if command.kind not in (
            (SET_PHASE, RESUME, TIME) if in_auction else (NEW_ORDER, AMEND, SET_PHASE, RESUME, TIME)
        ):
            self._disagree(event.seq, f"a command of kind {command.kind} makes a trade in phase {event.phase}")
        if not self._trade_ns <= command.time_ns < self._ends_ns:
            self._disagree(event.seq, f"the trade is after the end of day {self._date}, or before the trade before it")
        trade_id = event.seq << 20 | event.number
        if trade_id != max(event.seq << 20, self._last_trade) + 1:
            self._disagree(event.seq, f"{event.number} is not the next number of a trade")
        self._trade_ns, self._last_trade = command.time_ns, trade_id

        amount_fen = event.quantity_lots * event.price_ticks * self._tick_values_fen.get(event.instrument, 0)
        rates, maker_rates = self._rates_of(event.account), self._rates_of(event.maker_account)
        fee = fee_fen(amount_fen, rates[-1][MAKER if in_auction else TAKER])
        maker_fee = fee_fen(amount_fen, maker_rates[-1][MAKER])
        if event.side == BUY:
            fee = self._within_reserve(event, amount_fen, fee, event.order_id, rates)
        else:
            maker_fee = self._within_reserve(event, amount_fen, maker_fee, event.maker_order_id, maker_rates)
        money = amount_fen, fee, maker_fee
        self._compare(event.seq, "amount, taker's fee and maker's fee", MONEY(event), money)
        self._today[trade_id] = event, money
        if self._date // 10_000 == self.audit.year:
            self._trade_ids.append(trade_id)
            self._amounts_fen.append(amount_fen)
        self._settle(event.seq, event, money, 1)

    def _check_parties(self, trade: Event) -> None:
        """Both accounts are open, of two owners, and have sent these orders."""
        owner, maker_owner = self._owners.get(trade.account), self._owners.get(trade.maker_account)
        if owner is None or maker_owner is None or owner == maker_owner:
            self._disagree(trade.seq, f"accounts {trade.account} and {trade.maker_account} are not of two owners")
        side, other_side = (BUY, SELL) if trade.side == BUY else (SELL, BUY)
        self._check_order(trade, trade.order_id, trade.account, side)
        self._check_order(trade, trade.maker_order_id, trade.maker_account, other_side)

    def _check_order(self, trade: Event, order_id: int, account: int, side: int) -> None:
        """The command `order_id` is an order of this account that came before and can make this trade."""
        if (
            not 0 < order_id <= trade.seq
            or ORDER.unpack_from(self._orders, 8 * order_id - 8) != (trade.instrument, NEW_ORDER, side)
            or SENDER.unpack_from(self._senders, 4 * order_id - 4) != (account,)
        ):
            self._disagree(trade.seq, f"account {account} sent no order {order_id} that can make this trade")

    def _within_reserve(
        self, trade: Event, amount_fen: int, by_rate_fen: int, order_id: int, rates: list[tuple[int, int, int]]
    ) -> int:
        """The fee of a buy: by its rate, but at most what the event says the buy had reserved for it. That holds the fee by the
        lowest rate that was in force since the buy was sent."""
        fee: int = min(by_rate_fen, -trade.reserve_fen - amount_fen)
        if fee < by_rate_fen:
            since = rates[bisect_right(rates, (order_id, 0, 0)) - 1 :]
            if fee < fee_fen(amount_fen, min(max(maker_ppm, taker_ppm) for _, maker_ppm, taker_ppm in since)):
                self._disagree(trade.seq, f"order {order_id} pays less than by any rate since it was sent")
        return fee

    def _settle(self, seq: int, trade: Event, money: tuple[int, int, int], sign: int) -> None:
        """Books a trade (sign 1), or takes it back (sign -1)."""
        amount_fen, fee, maker_fee = money
        sides = (trade.account, fee, trade.maker_account, maker_fee)
        buyer, buyer_fee, seller, seller_fee = sides if trade.side == BUY else sides[2:] + sides[:2]
        self._pay(seq, seller, sign * (amount_fen - seller_fee))
        self._pay(seq, buyer, -sign * (amount_fen + buyer_fee))
        self._pay(seq, VENUE, sign * (buyer_fee + seller_fee))
        lots, day_fen = self._turnover.get(trade.instrument, (0, 0))
        self._turnover[trade.instrument] = lots + sign * trade.quantity_lots, day_fen + sign * amount_fen
        audit = self.audit
        if self._date // 10_000 != audit.year:
            return
        audit.buyers_fees_fen += sign * buyer_fee
        audit.sellers_fees_fen += sign * seller_fee
        if sign > 0:
            audit.gross_fen += amount_fen
            audit.trades += 1
        else:
            audit.busted_fen += amount_fen
            audit.busted_trades += 1

    def _pay(self, seq: int, account: int, amount_fen: int) -> None:
        cash_fen = self.audit.cash_fen
        cash_fen[account] = cash_fen.get(account, 0) + amount_fen
        if cash_fen[account] < 0 or account not in self._owners:
            self._disagree(seq, f"account {account} is not open, or pays more than it has")

    def _rates_of(self, account: int) -> list[tuple[int, int, int]]:
        return self._rates_ppm[self._classes.get(account, 0)]

    def _compare(self, seq: int, what: str, in_event: object, computed: object) -> None:
        if in_event != computed:
            self._disagree(seq, f"{what}: {in_event} in the event, {computed} computed")

    def _disagree(self, seq: int, what: str) -> None:
        self.audit.disagreement_count += 1
        if len(self.audit.disagreements) < SHOWN:
            self.audit.disagreements.append(f"Seq {seq:,}: {what}.")


def decompressed(row: bytes) -> bytes:
    """The row of format 1 that this one of format 2 holds. Raises Damaged."""
    _, _, record_format, _, first_seq, _, size, command_count, event_count, _, _ = HEADER.unpack_from(row)
    end_of_commands = command_count * COMMAND.size
    end_of_events = end_of_commands + event_count * EVENT.size
    body_bytes = size - HEADER.size - 36
    for is_wrong, what in (
        (
            zlib.crc32(memoryview(row)[: CRC.start]) != int.from_bytes(row[CRC], "little"),
            "is damaged: its CRC is wrong",
        ),
        (
            record_format != FORMATS[1],
            f"has the formats {[COMPRESSED, record_format]}, which this program does not know",
        ),
        (body_bytes < end_of_events or size > MOST_BYTES, "has another size than its header says"),
    ):
        if is_wrong:
            raise Damaged(f"The row from seq {first_seq:,} {what}.")
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        body = inflate.decompress(row[HEADER.size : -40], body_bytes + 1)
    except zlib.error as error:
        raise Damaged(f"The row from seq {first_seq:,} cannot be decompressed: {error}.") from error
    if len(body) != body_bytes or not inflate.eof or inflate.unused_data:
        raise Damaged(f"The row from seq {first_seq:,} has another size than its header says.")
    commands = records_of(body[:end_of_commands], COMMAND.size)
    events = records_of(body[end_of_commands:end_of_events], EVENT.size)
    header = MAGIC + FORMATS[0].to_bytes(2, "little") + row[len(MAGIC) + 2 : HEADER.size]
    return b"".join((header, commands, events, body[end_of_events:], row[-40:-4]))


def records_of(columns: bytes, record_bytes: int) -> bytes:
    """Records from their first bytes, their second bytes, and so on."""
    count = len(columns) // record_bytes
    if count < record_bytes:  # fewer slices
        return b"".join([columns[number::count] for number in range(count)])
    records = bytearray(len(columns))
    for place in range(record_bytes):
        records[place::record_bytes] = columns[place * count : (place + 1) * count]
    return bytes(records)


def first_from(day: Date, calendar: Calendar) -> Date:
    """The first trading day that is not before `day`."""
    while not calendar(day):
        day += timedelta(days=1)
    return day


def read_calendar(path: Path) -> Calendar:
    """The calendar of a file: the header `date`, then a date on each line. Raises OSError and ValueError."""
    days = {Date.fromisoformat(line) for line in path.read_text().split()[1:]}
    years = {day.year for day in days}
    return lambda day: day in days if day.year in years else day.weekday() < 5


def audit_file(path: Path, year: int, to_seq: int | None = None, calendar: Calendar | None = None) -> Audit:
    """The audit of a journal's SQLite file up to to_seq (None: its end). Raises Damaged."""
    decoder = Decoder(year, to_seq, calendar)
    audit = decoder.audit
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            for (row,) in connection.execute("SELECT data FROM rows ORDER BY first_seq"):
                decoder.take(row if isinstance(row, bytes) else b"")
                if audit.seq == to_seq:
                    break
    except sqlite3.Error as error:
        raise Damaged(f"{path} cannot be read as a journal after seq {audit.seq:,}: {error}.") from error
    if to_seq is not None and audit.seq < to_seq:
        raise Damaged(f"The journal ends at seq {audit.seq:,}, before seq {to_seq:,}.")
    return audit


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        description="Redoes a year's turnover from a journal of REX, sharing no code with REX."
    )
    parser.add_argument(
        "journal", type=Path, help="its SQLite file; from PostgreSQL or archives, `rex journal copy` makes one"
    )
    parser.add_argument("year", type=int, metavar="YEAR", help="2000 to 2099")
    parser.add_argument("--seq", type=int, help="stop at this sequence number; default: the journal's end")
    parser.add_argument("--calendar", type=Path, help="a file of trading days that the journal's days must follow")
    parser.add_argument("--json", action="store_true", help="write JSON, with the cash of every account")
    chosen = parser.parse_args(arguments)
    if not 2000 <= chosen.year <= 2099 or (chosen.seq or 0) < 0:
        parser.error("YEAR must be from 2000 to 2099, and --seq not negative")
    try:
        calendar = None if chosen.calendar is None else read_calendar(chosen.calendar)
    except (OSError, ValueError) as error:
        parser.error(f"--calendar: {error}")
    try:
        found = audit_file(chosen.journal, chosen.year, chosen.seq, calendar)
    except Damaged as damage:
        sys.stderr.write(f"{damage}\n")
        return 1
    if chosen.json:
        sys.stdout.write(json.dumps(found.to_json()) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in found.lines()))
    return 0 if found.agree else 1


if __name__ == "__main__":
    sys.exit(main())
