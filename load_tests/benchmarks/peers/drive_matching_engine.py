"""matching-engine (Python, msgspec records): takes commands with a sequence number, returns a list of events."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

Message = tuple[int, int, int, int, int]


def prepare(messages: list[Message]) -> tuple[Callable[[], None], Callable[[], int]]:
    """See run.py."""
    domain: Any = import_module("matching_engine.domain")
    trade: Any = import_module("matching_engine.events").Trade
    process: Any = import_module("matching_engine.engine").MatchingEngine().process
    sides, tifs = (domain.Side.BUY, domain.Side.SELL), (domain.TimeInForce.GTC, domain.TimeInForce.IOC)
    commands = []
    for seq, (action, number, side, price, lots) in enumerate(messages, start=1):
        command = (
            domain.CancelOrder(number, 1)
            if action == 2
            else domain.NewOrder(
                number, 1, sides[side], price, lots, tif=tifs[action], stp=domain.SelfTradePrevention.NONE
            )
        )
        commands.append(domain.SequencedCommand(seq, 0, command))
    outcome: list[list[Any]] = []

    def run() -> None:
        for command in commands:
            outcome.append(process(command))

    return run, lambda: sum(event.qty for events in outcome for event in events if type(event) is trade)
