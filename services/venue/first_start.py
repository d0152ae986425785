"""Adds what a data folder lacks at a start, as journaled commands: instruments, fees, target, accounts, keys.

At the first start everything is missing, later usually nothing. The missing commands form one submission and so one journal
batch: a start that is killed has added either all of them or none. Secrets are written to `keys.json` (mode 0600) before the
batch that makes them valid; the journal holds only their SHA-256.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from matching_engine.records import Command, pack_commands, unpack_commands
from services.commands.administrative import (
    change_cash,
    change_inventory,
    list_instrument,
    open_account,
    record,
    set_collar,
    set_fees,
    set_volatility_band,
)
from services.commands.attachments import AccountText, InstrumentText, KeyIssued, Scope, TargetSet
from services.data.instruments import InstrumentFacts, load_instruments
from services.files.data_folder import tighten
from services.gateway.limits.rate_limits import UNLIMITED
from services.gateway.order_entry.order_entry import OrderEntry
from services.messaging import Submission
from services.reporting.target import DEFAULT_TARGET_FEN
from services.simulator import demo_accounts
from services.venue.errors import KeysFileRefused
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

KEYS_FILE = "keys.json"
"""The file of a data folder that holds the secrets of its keys."""

OPERATOR = "operator"
PAGES = "pages"
"""The names of the keys that every venue has."""

FEE_PPM = 500
"""The fee of account class 0, the default class: 0.05 % for each side. An assumption of this project."""

TARGET_NAME = "Baotou national-level rare-earth trading platform: 23 billion yuan a year"

MAX_ORDER_LOTS = 100_000
"""The largest order in any shipped instrument: an assumption of this project."""


class Guards(NamedTuple):
    """Collar and volatility band of every instrument. An assumption of this project: real venues set them by instrument."""

    collar_ppm: int
    """How far beyond the last price an order's price may be."""
    volatility_ppm: int
    """How far from the last price a trade may be; one beyond it begins a volatility auction."""
    auction_s: int
    """How long a volatility auction lasts."""


GUARDS = Guards(collar_ppm=30_000, volatility_ppm=20_000, auction_s=120)
DEMO_GUARDS = Guards(collar_ppm=30_000, volatility_ppm=8_000, auction_s=15)
"""Narrower and shorter, so that a visitor of a demo sees volatility auctions begin and end."""

_NO_SENDER = Command()
"""The sender of the parts; `Seeding.submission` sets the real one."""


class IssuedKey(BaseModel):
    """One entry of `keys.json`."""

    model_config = ConfigDict(frozen=True)

    key: str
    account: int
    scopes: tuple[Scope, ...]

    def hash(self) -> bytes:
        """The SHA-256 of the secret; the journal holds it as hex."""
        return hashlib.sha256(self.key.encode()).digest()


@dataclass(frozen=True)
class Existing:
    """What the venue has already: instruments by symbol, accounts by name, valid keys."""

    instruments: dict[str, int]
    accounts: dict[str, int]
    opened: int
    """The number of accounts. Larger than the number of names if accounts share a name."""
    key_hashes: frozenset[bytes]


class Seeding:
    """Collects the commands for everything that a start requires and `existing` lacks."""

    def __init__(self, existing: Existing, keys: dict[str, IssuedKey]) -> None:
        self.instruments = dict(existing.instruments)
        self.accounts = dict(existing.accounts)
        self.opened = existing.opened
        self.key_hashes = existing.key_hashes
        self.keys = dict(keys)
        self.parts: list[Submission] = []

    def venue(self, instruments: tuple[InstrumentFacts, ...], year: int, guards: Guards | None = None) -> None:
        """Instruments, fees, guards and the target. Added only to an empty venue; later, operators change them."""
        if self.instruments:
            return
        self.parts.append(set_fees(_NO_SENDER, maker_rate_ppm=FEE_PPM, taker_rate_ppm=FEE_PPM))
        for number, facts in enumerate(instruments):
            self.instruments[facts.symbol] = number
            self.parts.append(_listing(_NO_SENDER, number, facts))
            if guards is not None:
                self.guards(guards, (number,))
        target = TargetSet(year=year, amount=DEFAULT_TARGET_FEN, name=TARGET_NAME)
        self.parts.append(record(_NO_SENDER, target))

    def guards(self, guards: Guards, instruments: Iterable[int]) -> None:
        """Collar and volatility band of these instruments."""
        for number in instruments:
            self.parts.append(set_collar(_NO_SENDER, number, guards.collar_ppm))
            self.parts.append(set_volatility_band(_NO_SENDER, number, guards.volatility_ppm, guards.auction_s))

    def trader(self, name: str, cash_fen: int, lots: Mapping[str, int]) -> None:
        """An account, funded only when it is opened, with cash and lots of each symbol; and its key."""
        if name not in self.accounts:
            # The engine numbers accounts 1, 2, 3, …, and no other command runs between the commands of one submission.
            self.opened += 1
            account = self.accounts[name] = self.opened
            self.parts.append(open_account(_NO_SENDER, AccountText(name=name)))
            self.parts.append(change_cash(_NO_SENDER, account, cash_fen))
            for symbol, quantity_lots in lots.items():
                number = self.instruments[symbol]
                self.parts.append(change_inventory(_NO_SENDER, account, number, quantity_lots))
        self.key(name, self.accounts[name], ("read", "trade"))

    def key(self, name: str, account: int, scopes: tuple[Scope, ...]) -> None:
        """A key: issued anew unless `keys.json` holds it and the venue knows it."""
        held = self.keys.get(name)
        if held is not None and held.hash() in self.key_hashes:
            return
        issued = IssuedKey(key=f"rex_{secrets.token_urlsafe(32)}", account=account, scopes=scopes)
        self.keys[name] = issued
        text = KeyIssued(key_hash=issued.hash().hex(), account=account, name=name, scopes=scopes, limits=UNLIMITED)
        self.parts.append(record(_NO_SENDER, text))

    def submission(self, sender: Command) -> Submission:
        """All commands as one submission of `sender`, their attachments renumbered."""
        commands: list[Command] = []
        attachments: list[bytes] = []
        for part in self.parts:
            for command in unpack_commands(part.commands):
                number = command.attachment + len(attachments) if command.attachment else 0
                commands.append(
                    command._replace(
                        attachment=number,
                        request_id=sender.request_id,
                        incarnation=sender.incarnation,
                        gateway_id=sender.gateway_id,
                    )
                )
            attachments += part.attachments
        return Submission(pack_commands(commands), tuple(attachments))


Adds = Callable[[Seeding], None]
"""Names what a start requires."""


def _listing(sender: Command, number: int, facts: InstrumentFacts) -> Submission:
    text = InstrumentText(
        symbol=facts.symbol,
        name_en=facts.name_en,
        name_zh=facts.name_zh,
        category=facts.category,
        family=facts.family,
        unit=facts.unit,
        lot_size=facts.lot_size,
        tick_size=str(facts.tick_size),
        reference_price_source=facts.reference_price_source,
        spec=facts.spec,
        note=facts.note,
    )
    return list_instrument(
        sender,
        number,
        tick_value_fen=facts.tick_value_fen,
        reference_ticks=facts.reference_ticks,
        band_ppm=facts.band_ppm,
        max_quantity_lots=MAX_ORDER_LOTS,
        text=text,
    )


_KEYS: TypeAdapter[dict[str, IssuedKey]] = TypeAdapter(dict[str, IssuedKey])


def read_keys(path: Path, *required: str) -> dict[str, IssuedKey]:
    """The keys of `keys.json`; none if there is no such file. Raises KeysFileRefused, also if it lacks a required one."""
    tighten(path)
    try:
        keys = _KEYS.validate_json(path.read_bytes()) if path.exists() else {}
    except ValidationError:
        # `from None`: pydantic's message quotes the file, which holds secrets.
        sentence = (
            f"{path} cannot be read: correct it, or remove it, and the next start issues new keys; the old ones stay valid"
            " until they are revoked (docs/operators.md)"
        )
        raise KeysFileRefused(sentence) from None
    for name in required:
        if name not in keys:
            raise KeysFileRefused(
                f"{path} does not hold the key `{name}`: name the folder (--data-dir, REX_DATA_DIR) into which `rex init` wrote"
                " the keys of this venue"
            )
    return keys


def write_keys(path: Path, keys: dict[str, IssuedKey]) -> None:
    """Replaces `keys.json` atomically; only its owner can read it."""
    draft = path.with_suffix(".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(_KEYS.dump_json(keys, indent=2))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


async def seed(keys_file: Path, state: VenueState, order_entry: OrderEntry, adds: Adds) -> dict[str, IssuedKey]:
    """Adds what this start requires and the venue lacks. Returns the keys of the data folder by name."""
    seeding = Seeding(
        Existing(
            instruments={symbol: instrument.number for symbol, instrument in state.by_symbol.items()},
            accounts={account.name: number for number, account in state.accounts.items()},
            opened=len(state.accounts),
            key_hashes=frozenset(state.keys),
        ),
        read_keys(keys_file),
    )
    adds(seeding)
    if seeding.parts:
        write_keys(keys_file, seeding.keys)
        await order_entry.execute(ApiKey(0, 0, "first start", frozenset()), seeding.submission)
    return seeding.keys


def what_every_venue_has(year: int, *, demo: bool) -> Adds:
    """Instruments, fees, guards, the target of `year`, the keys of operator and pages; in a demo its traders."""

    def adds(seeding: Seeding) -> None:
        seeding.venue(load_instruments(), year=year, guards=DEMO_GUARDS if demo else GUARDS)
        seeding.key(OPERATOR, 0, ("read", "operate", "admin"))
        seeding.key(PAGES, 0, ("read",))
        for trader in demo_accounts() if demo else ():
            seeding.trader(trader.name, trader.cash_fen, trader.lots)

    return adds
