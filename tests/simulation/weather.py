"""How bad a seed's world is: what may happen to a message, and how often. Each seed draws its own mix, so that rare pairs of
faults meet and some seeds are calm but for one kind."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.postgres import Answer
    from tests.simulation.world import World

ROW_COLUMNS = 4
"""Of a row of the journal: both sequence numbers, epoch, data."""

_LEVELS = (0.0, 0.0, 0.002, 0.02)


class Weather:
    """The chances of one seed; `calm` ends them all."""

    def __init__(self, chance: Random) -> None:
        self.statement_lost = chance.choice(_LEVELS)
        self.answer_lost = chance.choice(_LEVELS)
        self.late = chance.choice((0.0, 0.002, 0.02, 0.06))
        self.late_s = chance.choice((0.05, 1.0, 5.0, 5.0))
        """A late statement or message takes up to so long."""
        self.damage = chance.choice((0.0, 0.0, 0.0, 0.001))
        """Of a row that is read: a byte of it differs, once."""
        self.request_lost = chance.choice((0.0, 0.01, 0.1))
        self.reply_lost = chance.choice((0.0, 0.01, 0.1))
        self.request_doubled = chance.choice((0.0, 0.02, 0.2))
        self.request_late = chance.choice((0.0, 0.02, 0.2))
        self.link_late = chance.choice(_LEVELS)
        self.write_fails = chance.choice((0.0, 0.0, 0.05))
        """Of a transaction of the projector: it fails, or its answer is lost."""

    def calm(self) -> None:
        """Nothing is lost, late or doubled any more."""
        vars(self).update(dict.fromkeys(vars(self), 0.0))

    def damaged(self, records: list[Answer], chance: Random, world: World) -> list[Answer]:
        """The records as they are read: perhaps with a wrong byte in the last one's row."""
        if not self.damage or not records or chance.random() >= self.damage:
            return records
        *others, last = records
        data = last[-1]
        if len(last) < ROW_COLUMNS or not isinstance(data, bytes):
            return records  # no row of the journal
        place = chance.randrange(len(data))
        wrong = data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]
        world.count("rows read with a wrong byte")
        world.note(f"a byte of the row from {last[-ROW_COLUMNS]} is wrong")
        return [*others, type(last)((*last[:-1], wrong))]
