"""What a start finds missing in a data folder, as journaled commands: instruments, fees, target, accounts, keys.

The first start finds everything missing, a later one usually nothing. What is missing becomes one submission, so it stands in
one journal row: a start that is killed has either added all of it or none. Secrets are written to `keys.json` (mode 0600)
before the row that makes them valid; the journal holds only their SHA-256.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

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
from services.commands.attachments import AccountText, InstrumentText, KeyIssued, TargetSet
from services.data.instruments import InstrumentFacts, load_instruments
from services.data_folder import tighten
from services.gateway.order_entry.order_entry import OrderEntry
from services.messaging import Submission
from services.reporting.target import DEFAULT_TARGET_FEN
from services.simulator import demo_accounts
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

Scope = Literal["read", "trade", "operate", "admin"]

OPERATOR = "operator"
PAGES = "pages"
"""The names of the keys that every venue has."""

FEE_PPM = 500
"""0.05 % each side, of accounts of class 0, which all are unless they are opened in another: an assumption of this project."""

TARGET_NAME = "Baotou national-level rare-earth trading platform: 23 billion yuan a year"

MAX_ORDER_LOTS = 100_000
"""The largest order in any shipped instrument: an assumption of this project."""


class Guards(NamedTuple):
    """What keeps prices from running away: an assumption of this project, as real venues' are set instrument by instrument."""

    collar_ppm: int
    """How far beyond the last price an order may reach."""
    volatility_ppm: int
    """How far from the last price an order may trade."""
    auction_s: int
    """How long the auction lasts that a trade beyond it begins."""


GUARDS = Guards(collar_ppm=30_000, volatility_ppm=20_000, auction_s=120)
DEMO_GUARDS = Guards(collar_ppm=30_000, volatility_ppm=8_000, auction_s=15)
"""Narrower and shorter, so that a visitor sees an auction now and then and its end."""

_NOBODY = Command()
"""Sender and actor of what REX itself adds."""


class KeysFileRefused(Exception):
    """`keys.json` is not what REX wrote; a sentence says what to do."""


class IssuedKey(BaseModel):
    """One entry of `keys.json`."""

    model_config = ConfigDict(frozen=True)

    key: str
    account: int
    scopes: tuple[Scope, ...]

    def hash(self) -> bytes:
        """What the journal knows of it."""
        return hashlib.sha256(self.key.encode()).digest()


@dataclass(frozen=True)
class Present:
    """What the venue has already."""

    instruments: dict[str, int]
    accounts: dict[str, int]
    opened: int
    """How many accounts there are: more than names, where some share one."""
    key_hashes: frozenset[bytes]


class Missing:
    """Collects the commands that bring a venue from `present` to what a start wants."""

    def __init__(self, present: Present, keys: dict[str, IssuedKey]) -> None:
        self.instruments = dict(present.instruments)
        self.accounts = dict(present.accounts)
        self.opened = present.opened
        self.key_hashes = present.key_hashes
        self.keys = dict(keys)
        self.parts: list[Submission] = []

    def venue(self, instruments: tuple[InstrumentFacts, ...], year: int, guards: Guards | None = None) -> None:
        """Instruments, fees, guards and the target seed an empty venue only: later they are the operators' to change."""
        if self.instruments:
            return
        self.parts.append(set_fees(_NOBODY, maker_rate_ppm=FEE_PPM, taker_rate_ppm=FEE_PPM))
        for number, facts in enumerate(instruments):
            self.instruments[facts.symbol] = number
            self.parts.append(_listing(_NOBODY, number, facts))
            if guards is not None:
                self.parts.append(set_collar(_NOBODY, number, guards.collar_ppm))
                self.parts.append(set_volatility_band(_NOBODY, number, guards.volatility_ppm, guards.auction_s))
        target = TargetSet(year=year, amount_fen=DEFAULT_TARGET_FEN, name=TARGET_NAME)
        self.parts.append(record(_NOBODY, target))

    def trader(self, name: str, cash_fen: int, lots: Mapping[str, int]) -> None:
        """An account with lots of each symbol, funded when it is opened and never again, and its key."""
        if name not in self.accounts:
            # The engine numbers accounts densely, and one submission's commands run without others between them.
            self.opened += 1
            account = self.accounts[name] = self.opened
            self.parts.append(open_account(_NOBODY, AccountText(name=name)))
            self.parts.append(change_cash(_NOBODY, account, cash_fen))
            for symbol, quantity_lots in lots.items():
                number = self.instruments[symbol]
                self.parts.append(change_inventory(_NOBODY, account, number, quantity_lots))
        self.key(name, self.accounts[name], ("read", "trade"))

    def key(self, name: str, account: int, scopes: tuple[Scope, ...]) -> None:
        """A key that the folder holds and the venue knows; issued anew where either has lost it."""
        held = self.keys.get(name)
        if held is not None and held.hash() in self.key_hashes:
            return
        issued = IssuedKey(key=f"rex_{secrets.token_urlsafe(32)}", account=account, scopes=scopes)
        self.keys[name] = issued
        text = KeyIssued(key_hash=issued.hash().hex(), account=account, name=name, scopes=scopes)
        self.parts.append(record(_NOBODY, text))

    def submission(self, sender: Command) -> Submission:
        """All of it at once: sent by `sender`, attachments numbered through."""
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


def read_keys(path: Path) -> dict[str, IssuedKey]:
    """The keys a data folder holds; none where the file is not there yet. Raises KeysFileRefused."""
    tighten(path)
    try:
        return _KEYS.validate_json(path.read_bytes()) if path.exists() else {}
    except ValidationError:
        # What pydantic says quotes the file, and the file holds secrets.
        sentence = (
            f"{path} cannot be read: put it right, or remove it, and the next start issues new keys; the old ones stay valid"
            " until they are revoked (docs/operators.md)"
        )
        raise KeysFileRefused(sentence) from None


def write_keys(path: Path, keys: dict[str, IssuedKey]) -> None:
    """Replaces `keys.json` in one step; readable by its owner only."""
    draft = path.with_suffix(".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(_KEYS.dump_json(keys, indent=2))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


async def complete(
    keys_file: Path, state: VenueState, order_entry: OrderEntry, *, year: int, demo: bool
) -> dict[str, IssuedKey]:
    """Adds to the venue what this start wants and it lacks; returns the keys of its data folder."""
    missing = Missing(
        Present(
            instruments={symbol: instrument.number for symbol, instrument in state.by_symbol.items()},
            accounts={account.name: number for number, account in state.accounts.items()},
            opened=len(state.accounts),
            key_hashes=frozenset(state.keys),
        ),
        read_keys(keys_file),
    )
    missing.venue(load_instruments(), year=year, guards=DEMO_GUARDS if demo else GUARDS)
    missing.key(OPERATOR, 0, ("read", "operate", "admin"))
    missing.key(PAGES, 0, ("read",))
    if demo:
        for trader in demo_accounts():
            missing.trader(trader.name, trader.cash_fen, trader.lots)
    if missing.parts:
        write_keys(keys_file, missing.keys)
        await order_entry.execute(ApiKey(0, 0, "first start", frozenset()), missing.submission)
    return missing.keys
