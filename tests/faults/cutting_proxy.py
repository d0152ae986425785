"""A TCP proxy that damages connections at random, by seed: cut, delayed, half closed, split into small pieces."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Literal

from tests.faults.tcp_proxy import DIRECTIONS, Direction, Lane, TcpProxy, server_of

Fate = Literal["cut_early", "cut_there", "cut_back", "half_close", "late"]
FATES: dict[Fate, int] = {"cut_early": 1, "cut_there": 3, "cut_back": 5, "half_close": 2, "late": 2}
"""The fates of a connection and their weights: cut before a byte has passed; cut on the way to the venue, or back; half closed
on the client's side; everything delayed, and then cut on the way back."""
ENDS: dict[Fate, Direction] = {
    "cut_there": "to_server",
    "half_close": "to_server",
    "cut_back": "to_client",
    "late": "to_client",
}
MOST_BYTES = 5_000
"""The most bytes before a cut: up to a dozen orders."""
LATE_S = 0.05
PIECE_BYTES = (1, 700)
CHOPPED = 0.3
"""This part of the connections passes in small pieces."""


class CuttingProxy(TcpProxy):
    """Clients use `url` in place of the venue's URL."""

    def __init__(self, venue_url: str, random: Random) -> None:
        super().__init__(server_of(venue_url))
        self._random = random
        self.url = f"http://127.0.0.1:{self.port}"
        self.fates: dict[Fate, int] = dict.fromkeys(FATES, 0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        [fate] = self._random.choices(list(FATES), list(FATES.values()))
        self.fates[fate] += 1
        if fate == "cut_early":
            writer.transport.abort()
            return
        lanes = {direction: Lane() for direction in DIRECTIONS}
        ending = lanes[ENDS[fate]]
        ending.left_bytes, ending.half_closes = self._random.randrange(MOST_BYTES), fate == "half_close"
        for lane in lanes.values() if self._random.random() < CHOPPED else ():
            lane.piece_bytes = self._random.randint(*PIECE_BYTES)
        for lane in lanes.values() if fate == "late" else ():
            lane.delay_s = LATE_S
        await self._forward(reader, writer, lanes)
