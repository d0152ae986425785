"""What the processes of a soak change in themselves, so that hours show what takes weeks. No promise depends on it."""

from __future__ import annotations

import os
import tempfile
import time
from functools import partial
from pathlib import Path

from services.cli import running
from services.journal.postgres import lag
from services.read_model import database
from services.scaled import sequencer
from services.venue.bootstrap import open_venue
from services.venue_state.orders import VenueOrders

DAYS_FASTER = 1_440
"""A day takes a minute: the client order ids of five days, which an engine remembers, are there before the warm-up ends."""
FEW_ENDED = 2_000
"""So many ended orders are remembered, as many as come in two minutes: the table is full before the warm-up ends."""
FEW_LOOKS = 500
"""So many ends of the journal are remembered: two minutes of looks, instead of a quarter of an hour."""
FEW_KIB = 1_000
"""So much of the read database does the projector's connection keep in memory. Its own bound is reached after three hours."""


def soaked(began_ns: int, temporary: Path) -> None:
    """Days pass DAYS_FASTER times as fast since began_ns; few ended orders, looks and pages are remembered; temporary
    files go there."""
    os.environ |= {"TMPDIR": str(temporary), "REX_ACCEPT_CLOCK": "true"}
    tempfile.tempdir = None
    VenueOrders.__init__.__defaults__ = (FEW_ENDED,)
    vars(lag)["LOOKS"] = FEW_LOOKS
    vars(database)["CACHE_KIB"] = FEW_KIB
    read_ns = began_ns

    def clock() -> int:
        nonlocal read_ns
        read_ns = began_ns + (time.time_ns() - began_ns) * DAYS_FASTER
        return read_ns

    def steady() -> int:
        """The guarded clock reads this one after the other: a pause between the two is no jump."""
        return read_ns

    vars(running)["open_venue"] = partial(open_venue, clock=clock, steady=steady)
    vars(sequencer)["open_sequencer"] = partial(sequencer.open_sequencer, clock=clock, steady=steady)
