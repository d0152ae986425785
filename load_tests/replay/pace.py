"""The due time of each message of a flow."""

from __future__ import annotations

from dataclasses import dataclass

from load_tests.flows.flow_message import FlowMessage

CLOSED_WINDOW = 64
OPEN_WINDOW = 2_048
"""Messages under way on one account: CLOSED_WINDOW without a schedule, OPEN_WINDOW with one. On a schedule a message waits for
room only if the venue is far behind, and its latency counts from the schedule."""


@dataclass(frozen=True)
class Pace:
    """`rate` messages a second, or the flow's own times, `speed` times as fast. With neither, as fast as acks allow."""

    rate: float | None = None
    speed: float | None = None

    @property
    def is_scheduled(self) -> bool:
        """Whether each message has a time at which it is due."""
        return self.rate is not None or self.speed is not None

    @property
    def window(self) -> int:
        """How many messages of one account may be under way at once."""
        return OPEN_WINDOW if self.is_scheduled else CLOSED_WINDOW

    def due_after(self, number: int, message: FlowMessage) -> float | None:
        """Seconds after the start at which the message (numbered from 0) is due; None: as soon as there is room."""
        if self.rate is not None:
            return number / self.rate
        if self.speed is not None:
            return message.time_ms / 1000 / self.speed
        return None

    def __str__(self) -> str:
        if self.rate is not None:
            return f"{self.rate:g} messages a second"
        return "as fast as acks allow" if self.speed is None else f"{self.speed:g} times the flow's own speed"
