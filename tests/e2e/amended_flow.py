"""The begin of the sample flow, with amends."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from services.data.instruments import load_instruments

SAMPLE = Path(__file__).parents[2] / "load_tests" / "flows" / "sample.csv"


def write_amended_flow(flow: Path, messages: int) -> None:
    """Writes the first messages of the sample. Every fourth order that may rest is amended: its price by two ticks up or down,
    its quantity by a lot or two."""
    header, *lines = SAMPLE.read_text().splitlines()[: messages + 1]
    ticks = {facts.symbol: facts.tick_size for facts in load_instruments()}
    with flow.open("w") as file:
        print(header, file=file)
        for number, line in enumerate(lines):
            print(line, file=file)
            time_ms, action, symbol, _, order_type, time_in_force, price, quantity, client_order_id = line.split(",")
            if number % 4 == 0 and (action, order_type) == ("new", "limit") and time_in_force != "ioc":
                price = str(Decimal(price) + ticks[symbol] * (2 if number % 8 else -2))
                lots = max(int(quantity) + (number % 3 or -1), 1)
                print(f"{time_ms},amend,,,,,{price},{lots},{client_order_id}", file=file)
