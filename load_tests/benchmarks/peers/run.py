"""Runs one peer on a flow, within the peer's own virtual environment: `python run.py ADAPTER FLOW RUNS` prints JSON.

FLOW is a file of 64-bit integers, five a message: action (0 an order that may rest, 1 an immediate-or-cancel order, 2 a
cancel), the order's number, side (0 buy, 1 sell), price, quantity. An adapter's `prepare` converts the messages to the peer's
own arguments, untimed. It returns the timed function, and a function that returns the traded quantity afterwards.
"""

import gc
import json
import sys
from array import array
from importlib import import_module
from time import process_time


def main(adapter: str, path: str, runs: int) -> None:
    """Prints the peer's processor time in seconds, the median of `runs` runs, and the quantity traded in the last."""
    prepare = import_module(adapter).prepare
    with open(path, "rb") as file:
        numbers = array("q", file.read())
    messages = list(zip(*[numbers[field::5] for field in range(5)], strict=True))
    seconds = []
    for _ in range(runs):
        run, traded = prepare(messages)
        gc.collect()
        gc.disable()
        start = process_time()
        run()
        seconds.append(process_time() - start)
        gc.enable()
    python = ".".join(map(str, sys.version_info[:3]))
    print(json.dumps({"seconds": sorted(seconds)[len(seconds) // 2], "traded_lots": traded(), "python": python}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
