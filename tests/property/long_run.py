"""The engine beside the naive engine for as long as one likes:

    python -m tests.property.long_run --seeds 10000 --commands 1000 --jobs 2

Each seed is a hostile flow. After every command the event lists, the next deadlines and the states (balances, orders in
their queues, trades, ids) are compared, at the end the events of the whole flow given in one batch. The first difference of
each seed is printed; the last line says how many seeds differ.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from load_tests import progress
from matching_engine import Engine, build_notice
from matching_engine.records import Command, Event, EventKind, Reason, unpack_events
from tests.property.engine_flow import array, flow
from tests.property.naive_engine import NaiveEngine


def difference(seed: int, count: int) -> str | None:
    """The first difference in a seed's flow, as text, or None."""
    engine, naive = Engine(), NaiveEngine()
    commands = flow(seed, count)
    expected: list[Event] = []
    for number, command in enumerate(commands, start=1):
        where = f"seed {seed}, command {number}: {spoken(command)}"
        due = naive.submit(command)
        expected += due
        try:
            events = engine.submit(command)
        except Exception as fault:
            return f"{where}\n  the engine raises {fault!r}"
        if events != due:
            return "\n".join([where, *side_by_side(events, due)])
        if engine.next_deadline_ns != naive.next_deadline_ns:
            return f"{where}\n  next deadline: engine {engine.next_deadline_ns}, naive engine {naive.next_deadline_ns}"
        if engine.state_hash() != naive.state_hash():
            return "\n".join([where, *told_apart(engine, naive)])
    whole = list(unpack_events(Engine().process(array(commands)).tobytes()))
    return None if whole == expected else f"seed {seed}: the events of one batch differ"


def spoken(record: Command | Event) -> str:
    """A record's fields that aren't 0."""
    fields = {name: value for name, value in record._asdict().items() if value}
    return " ".join(f"{name}={value}" for name, value in fields.items())


def side_by_side(events: list[Event], due: list[Event]) -> Iterator[str]:
    for title, side in (("engine", events), ("naive engine", due)):
        yield f"  {title}:"
        for event in side:
            yield f"    {EventKind(event.kind).name} {Reason(event.reason).name} {spoken(event)}"


def told_apart(engine: Engine, naive: NaiveEngine) -> Iterator[str]:
    """The sections of the state that differ."""
    due = naive.state()._asdict()
    for name, section in engine.state()._asdict().items():
        if section.tobytes() != due[name].tobytes():
            yield f"  state, {name}:"
            yield f"    engine       {section.tolist()}"
            yield f"    naive engine {due[name].tolist()}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the engine with the naive engine on hostile flows.")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--commands", type=int, default=1000)
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    seeds = range(options.start, options.start + options.seeds)
    differences = 0
    out = sys.stdout
    out.write(build_notice() + "\n")
    with ProcessPoolExecutor(options.jobs) as pool, progress.shown(True) as stages:
        stages.begin("comparing", options.seeds)
        for found in pool.map(difference, seeds, [options.commands] * len(seeds), chunksize=8):
            stages.advance()
            if found is not None:
                differences += 1
                out.write(found + "\n")
                out.flush()
    out.write(f"{options.seeds} seeds x {options.commands} commands, {differences} differences\n")
    return 1 if differences else 0


if __name__ == "__main__":
    raise SystemExit(main())
