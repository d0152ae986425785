"""Command flows for the engine's properties: a small venue, then whatever chance brings, sensible and hostile."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import numpy as np

from matching_engine.records import (
    ALL_INSTRUMENTS,
    COMMAND,
    Command,
    CommandKind,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    pack_commands,
)

HOSTILE_NUMBERS = (-(2**63), -(10**16), -1, 0, 1, 2, 10**9, 10**15, 10**16, 10**16 + 1, 2**62, 2**63 - 1)
DATES = (0, 20221231, 20230100, 20231232, 20241399, 100000101, 2**32 - 1)
CLIENT_IDS = (b"", b"", b"", b"a", b"b", b"a" * 36, b"b" * 35, b"\0x")
KINDS = [kind.value for kind in CommandKind]
LIMITED = (OrderType.LIMIT, OrderType.LIMIT, OrderType.LIMIT, OrderType.MARKET)


def venue() -> list[Command]:
    """Three instruments, the last very dear, accounts 2 to 6 (3 and 4 of one owner) with money and goods, and fees."""
    commands = [
        Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS),
        Command(kind=CommandKind.SET_FEES, rate_ppm=300, taker_rate_ppm=500),
    ]
    for instrument, tick_value in enumerate((1, 1000, 4_656_612)):
        commands.append(
            Command(
                kind=CommandKind.LIST_INSTRUMENT,
                instrument=instrument,
                amount_fen=tick_value,
                price_ticks=100,
                rate_ppm=50_000,
                quantity_lots=50 if instrument < 2 else 10**9,
            )
        )
    commands += [Command(kind=CommandKind.OPEN_ACCOUNT, owner=owner) for owner in (0, 3, 3, 0, 0)]
    for account in range(2, 7):
        commands.append(Command(kind=CommandKind.DEPOSIT, account=account, amount_fen=account * 500_000))
        commands += [
            Command(kind=CommandKind.RECEIVE, account=account, instrument=i, quantity_lots=60) for i in range(2)
        ]
    return commands


def order(chance: Random) -> Command:
    """An order that mostly can be taken and often trades."""
    order_type = chance.choice(LIMITED)
    limited = order_type == OrderType.LIMIT
    waiting = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC)
    return Command(
        kind=CommandKind.NEW_ORDER,
        account=chance.randint(2, 6),
        instrument=chance.choice((0, 0, 0, 0, 1, 1, 1, 1, 2)),
        side=chance.choice((Side.BUY, Side.SELL)),
        order_type=order_type,
        time_in_force=chance.choice(waiting) if limited else TimeInForce.IOC,
        price_ticks=chance.choice((95, 98, 99, 100, 101, 102, 105)) if limited else 0,
        quantity_lots=chance.choice((1, 2, 3, 7, 20)),
        client_order_id=chance.choice(CLIENT_IDS) if chance.random() < 0.3 else b"%d" % chance.randint(0, 400),
    )


def cancel(chance: Random, last_seq: int) -> Command:
    """A cancel by either kind of id, of an order that may never have been."""
    return Command(
        kind=CommandKind.CANCEL,
        account=chance.choice((0, 0, 0, 2, 3, 4, 5, 6, 9)),
        order_id=chance.choice((0, max(last_seq - chance.randint(0, 20), 0), max(last_seq - chance.randint(0, 9), 0))),
        client_order_id=chance.choice(CLIENT_IDS),
    )


def administration(chance: Random, last_seq: int = 0) -> Command:
    """An administrative command with small numbers; later ones have later dates."""
    day = last_seq // 8
    return Command(
        kind=chance.choice(KINDS[2:]),
        account=chance.randint(0, 7),
        instrument=chance.choice((0, 1, 2, 3, 4, ALL_INSTRUMENTS)),
        amount_fen=chance.choice((0, 1, 1000, 100_000)),
        quantity_lots=chance.choice((0, 1, 10, 40)),
        price_ticks=chance.choice((1, 100, 2**31 - 1)),
        rate_ppm=chance.choice((0, 500, 50_000, 999_999, 1_000_000)),
        taker_rate_ppm=chance.choice((0, 500, 999_999)),
        phase=chance.choice((0, 1, 1, 2, 3)),
        owner=chance.choice((0, 2)),
        date=chance.choice((20230101 + day // 28 * 100 + day % 28, 20230101 + day // 28 * 100, chance.choice(DATES))),
    )


def hostile(chance: Random) -> Command:
    """A sensible order or administrative command with one field made absurd."""
    command = chance.choice((order, administration))(chance)
    name = chance.choice(
        ("price_ticks", "quantity_lots", "display_lots", "trigger_ticks", "amount_fen", "side", "order_type",
         "time_in_force", "self_trade", "flags", "phase", "kind", "instrument", "account", "reserved_u2", "reserved_u4")
    )  # fmt: skip
    if chance.random() < 0.1:
        return command._replace(instrument=2, quantity_lots=10**9, client_order_id=b"")
    bits = 8 * COMMAND[name].itemsize
    value = chance.choice(HOSTILE_NUMBERS) if bits == 64 else chance.randrange(2**bits)
    return Command(**{**command._asdict(), name: value})


def noise(chance: Random) -> Command:
    """Any bytes at all, with a kind that is known half of the time."""
    row = np.frombuffer(chance.randbytes(COMMAND.itemsize), COMMAND)[0]
    command = Command._make(row.tolist())
    return command._replace(kind=chance.choice(KINDS)) if chance.random() < 0.5 else command


def flow(seed: int, count: int) -> list[Command]:
    """The small venue and `count` more commands, numbered from 1."""
    chance = Random(seed)
    commands = venue()
    if chance.random() < 0.05:
        commands = []
    for _ in range(count):
        kind = chance.random()
        if kind < 0.58:
            commands.append(order(chance))
        elif kind < 0.62 and commands:
            commands.append(chance.choice(commands[-20:]))
        elif kind < 0.78:
            commands.append(cancel(chance, len(commands)))
        elif kind < 0.92:
            commands.append(administration(chance, len(commands)))
        elif kind < 0.97:
            commands.append(hostile(chance))
        else:
            commands.append(noise(chance))
        if chance.random() < 0.1:
            # Keep the market open most of the time, so that orders can trade.
            commands.append(Command(kind=CommandKind.RESUME, instrument=ALL_INSTRUMENTS))
            commands.append(Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS))
    return numbered(commands)


def numbered(commands: Iterable[Command], last_seq: int = 0) -> list[Command]:
    """The commands with their sequence numbers."""
    return [command._replace(seq=seq) for seq, command in enumerate(commands, start=last_seq + 1)]


def array(commands: Iterable[Command]) -> np.ndarray:
    """The COMMAND array of commands."""
    return np.frombuffer(pack_commands(commands), COMMAND)
