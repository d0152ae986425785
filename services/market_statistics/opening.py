"""What stands when each trading day begins, from the journal's events from the first on."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np

from matching_engine.records import ALL_INSTRUMENTS, EventKind, Phase
from services.market_statistics.contracts import LEVEL, Events, Levels, Opening

_RARE = (EventKind.PHASE_CHANGED, EventKind.INSTRUMENT_LISTED)
_Level = tuple[int, int, int]

_BEFORE_ALL_DAYS = Opening(
    trading_date=0,
    first_seq=1,
    began_ns=0,
    levels=np.array([], LEVEL),
    phase_of_all=int(Phase.CLOSED),
    phases={},
    listed=frozenset(),
)
"""What stands when a journal begins. The commands before its first trading day are of the date 0."""


class Openings:
    """Takes all commands and events of a journal in order, and keeps the `Opening` of each trading day."""

    def __init__(self) -> None:
        self.seq = 0
        """The last command that was taken."""
        self._levels: dict[_Level, tuple[int, int]] = {}
        """Shown lots and number of orders by instrument, side and price; 0 where they were taken away."""
        self._phase_of_all = int(Phase.CLOSED)
        self._phases: dict[int, int] = {}
        self._listed: set[int] = set()
        self._days = {0: _BEFORE_ALL_DAYS}
        self._lock = Lock()

    @property
    def latest_date(self) -> int:
        """The latest trading day that has begun, yyyymmdd; 0 before the first one."""
        return max(self._days)

    def of(self, trading_date: int) -> Opening | None:
        """What stands when this day begins, of date 0 when the journal begins; None for a day that was not taken."""
        return self._days.get(trading_date)

    def take(self, commands: Any, events: Events) -> None:
        """Takes whole commands and their events; those up to `seq` have been taken before. Any thread may call it."""
        with self._lock:
            commands, events = (part[part["seq"] > self.seq] for part in (commands, events))
            if not len(commands):
                return
            rolls = np.flatnonzero(events["kind"] == EventKind.DAY_ROLLED).tolist()
            self._apply(events[: rolls[0] if rolls else len(events)])
            for begin, end in zip(rolls, [*rolls[1:], len(events)], strict=False):
                self._begin(commands, events[begin])
                self._apply(events[begin:end])
            self.seq = int(commands["seq"][-1])

    def _begin(self, commands: Any, rolled: Any) -> None:
        date, seq = int(rolled["date"]), int(rolled["seq"])
        self._days[date] = Opening(
            trading_date=date,
            first_seq=seq,
            began_ns=int(commands["time_ns"][seq - int(commands["seq"][0])]),
            levels=self._standing(),
            phase_of_all=self._phase_of_all,
            phases=dict(self._phases),
            listed=frozenset(self._listed),
        )

    def _standing(self) -> Levels:
        self._levels = {level: shown for level, shown in self._levels.items() if shown[0]}
        return np.array([(*level, *shown) for level, shown in self._levels.items()], LEVEL)

    def _apply(self, events: Events) -> None:
        levels = events[events["kind"] == EventKind.LEVEL]
        prices = (levels[name].tolist() for name in ("instrument", "side", "price_ticks"))
        shown = (levels[name].tolist() for name in ("quantity_lots", "number"))
        self._levels.update(zip(zip(*prices, strict=True), zip(*shown, strict=True), strict=True))
        for event in events[np.isin(events["kind"], _RARE)]:
            instrument = int(event["instrument"])
            if event["kind"] == EventKind.INSTRUMENT_LISTED:
                self._listed.add(instrument)
            elif instrument == ALL_INSTRUMENTS:
                self._phase_of_all = int(event["phase"])
                self._phases.clear()
            else:
                self._phases[instrument] = int(event["phase"])
