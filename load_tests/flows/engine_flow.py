"""A flow as commands of a whole `Engine`: commands that list instruments and fund accounts, then the flow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from load_tests.flows.book_flows import NARROW, PriceRange, Records
from matching_engine.records import (
    ALL_INSTRUMENTS,
    COMMAND,
    VENUE,
    Command,
    CommandKind,
    OrderType,
    Phase,
    pack_commands,
)

TICK_VALUE_FEN = 10_000
"""The value of a tick at NARROW's reference price; it is less at a higher one, so that orders are worth about the same."""
MAX_QUANTITY_LOTS = 1_000_000
FEE_PPM = 500
START_NS = 1_700_000_000_000_000_000
DEPOSITED_FEN = 4 * 10**15
"""The deposits of all accounts together, in equal parts."""
ACCOUNT_LOTS = 10**8


def engine_records(flow: Records, prices: PriceRange = NARROW, *, client_ids: bool = False) -> tuple[Records, Records]:
    """COMMAND records of the opening and of the flow (from `book_flows`, with accounts); seq counts from 1 through both.

    With `client_ids` each order has a new client order id, which the engine remembers for days.
    """
    instruments, accounts = int(flow["instrument"].max()) + 1, int(flow["account"].max()) - VENUE
    opening = np.frombuffer(pack_commands(_opening(instruments, accounts, prices)), COMMAND).copy()
    records = np.zeros(len(flow), COMMAND)
    for name in ("kind", "instrument", "side", "price_ticks", "quantity_lots", "time_in_force", "flags", "account"):
        records[name] = flow[name]
    is_new = flow["kind"] == CommandKind.NEW_ORDER
    records["order_type"] = np.where(is_new, OrderType.LIMIT, 0)
    records["order_id"] = np.where(is_new, 0, flow["order"] + len(opening) + 1)
    if client_ids:
        records["client_order_id"] = np.where(is_new, np.arange(len(flow)).astype("S36"), b"")
    for part, first_seq in ((opening, 1), (records, len(opening) + 1)):
        part["seq"] = np.arange(first_seq, first_seq + len(part))
        part["time_ns"] = START_NS + part["seq"].astype("i8")
        part["request_id"] = part["seq"]
    return opening, records


def _opening(instruments: int, accounts: int, prices: PriceRange) -> Sequence[Command]:
    tick_value = max(TICK_VALUE_FEN * NARROW.reference_ticks // prices.reference_ticks, 1)
    listed = [
        Command(
            kind=CommandKind.LIST_INSTRUMENT,
            instrument=instrument,
            amount_fen=tick_value,
            price_ticks=prices.reference_ticks,
            rate_ppm=prices.band_ppm,
            quantity_lots=MAX_QUANTITY_LOTS,
        )
        for instrument in range(instruments)
    ]
    rules = [
        Command(kind=CommandKind.SET_FEES, rate_ppm=FEE_PPM, taker_rate_ppm=FEE_PPM),
        Command(kind=CommandKind.DAY_ROLL, date=20231201),
        Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS),
    ]
    funded = []
    for account in range(VENUE + 1, VENUE + 1 + accounts):
        funded.append(Command(kind=CommandKind.OPEN_ACCOUNT))
        funded.append(Command(kind=CommandKind.DEPOSIT, account=account, amount_fen=DEPOSITED_FEN // accounts))
        funded += [
            Command(kind=CommandKind.RECEIVE, account=account, instrument=instrument, quantity_lots=ACCOUNT_LOTS)
            for instrument in range(instruments)
        ]
    return listed + rules + funded
