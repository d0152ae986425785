"""Compares the engine with the naive engine, for any number of seeds:

    python -m tests.property.long_run --seeds 10000 --commands 1000 --jobs 2

Each seed is a hostile flow. A digest of either engine covers, after every command, the events, the next deadline and the
state (balances, orders in their queues, trades, ids), and at the end the events of the whole flow in one batch. Where the
digests differ, the flow runs again side by side, and the first difference is printed. The last line is the number of seeds
that differ.

`--record FILE` keeps the flows and the digests of the naive engine. `--answers FILE` compares another build of the engine with
them, without running the naive engine.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import pickle
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from hashlib import blake2b
from itertools import repeat
from typing import TextIO
from zipfile import ZIP_DEFLATED, ZipFile

from load_tests import progress
from matching_engine import Engine, build_notice
from matching_engine.records import EVENT, Command, Event, EventKind, Reason, unpack_commands, unpack_events
from matching_engine.snapshot import state
from tests.model.naive_engine import NaiveEngine
from tests.model.naive_state import pack_of
from tests.property.engine_flow import array, flow

DIGEST_BYTES = 32
EVENT_PACK = pack_of(EVENT)
kept_answers: list[ZipFile] = []
"""A worker's file of answers, if there is one: by seed the naive engine's digest, and the flow."""


# One seed


def compared(seed: int, count: int, kept: bytes | None) -> tuple[str | None, bytes]:
    """The first difference in the flow of a seed, as text, or None; and the digest of the naive engine and the flow, for the
    record. With those of an earlier run the naive engine does not run."""
    if kept is None:
        commands = flow(seed, count)
        kept = sealed(*answers(NaiveEngine(), commands)) + array(commands).tobytes()
    else:
        commands = list(unpack_commands(kept[DIGEST_BYTES:]))
    try:
        steps, _ = answers(Engine(), commands)
        digest = sealed(steps, Engine().process(array(commands)).tobytes())
    except Exception as fault:
        return difference(seed, commands) or f"seed {seed}: the engine raises {fault!r}, but not again", kept
    if digest == kept[:DIGEST_BYTES]:
        return None, kept
    return difference(seed, commands) or f"seed {seed}: the answers differ from the naive engine's, but not again", kept


def answers(engine: Engine | NaiveEngine, commands: list[Command]) -> tuple[bytes, bytes]:
    """A digest of the events of every command and of the next deadline and the state after it; and all events."""
    steps, batches = blake2b(), []
    for command in commands:
        events = b"".join([EVENT_PACK.pack(*event) for event in engine.submit(command)])
        steps.update(len(events).to_bytes(8, "little") + events)
        steps.update(engine.next_deadline_ns.to_bytes(8, "little", signed=True))
        steps.update(state.snapshot_bytes(engine.state()))
        batches.append(events)
    return steps.digest(), b"".join(batches)


def sealed(steps: bytes, whole: bytes) -> bytes:
    """The digest of a seed: of its answers command by command, and of the events of the whole flow in one batch."""
    return blake2b(steps + whole, digest_size=DIGEST_BYTES).digest()


def difference(seed: int, commands: list[Command]) -> str | None:
    """The first difference in a flow, as text, or None."""
    engine, naive = Engine(), NaiveEngine()
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
            return "\n".join([where, *differing_sections(engine, naive)])
    whole = list(unpack_events(Engine().process(array(commands)).tobytes()))
    return None if whole == expected else f"seed {seed}: the events of one batch differ"


def spoken(record: Command | Event) -> str:
    """The fields of a record that are not 0."""
    fields = {name: value for name, value in record._asdict().items() if value}
    return " ".join(f"{name}={value}" for name, value in fields.items())


def side_by_side(events: list[Event], due: list[Event]) -> Iterator[str]:
    for title, side in (("engine", events), ("naive engine", due)):
        yield f"  {title}:"
        for event in side:
            yield f"    {EventKind(event.kind).name} {Reason(event.reason).name} {spoken(event)}"


def differing_sections(engine: Engine, naive: NaiveEngine) -> Iterator[str]:
    """The sections of the states that differ."""
    due = naive.state()._asdict()
    for name, section in engine.state()._asdict().items():
        if section.tobytes() != due[name].tobytes():
            yield f"  state, {name}:"
            yield f"    engine       {section.tolist()}"
            yield f"    naive engine {due[name].tolist()}"


# Many seeds


def prepare(answers_file: str | None) -> None:
    """Sets up a worker process."""
    gc.disable()
    if answers_file is not None:
        kept_answers.append(ZipFile(answers_file))
    gc.freeze()


def compared_in_a_copy(seed: int, count: int) -> tuple[str | None, bytes]:
    """`compared` in a forked process, which ends with the seed: a crash of the engine does not end the run."""
    if kept_answers and str(seed) not in kept_answers[0].namelist():
        return f"seed {seed}: no answers are kept", b""
    kept = kept_answers[0].read(str(seed)) if kept_answers else None
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with open(writing, "wb") as out:
                pickle.dump(compared(seed, count, kept), out)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writing)
    with open(reading, "rb") as source:
        content = source.read()
    _, status = os.waitpid(child, 0)
    if status:
        return f"seed {seed}: the process ended with {os.waitstatus_to_exitcode(status)}", b""
    return pickle.loads(content)  # type: ignore[no-any-return]


def run(seeds: range, count: int, jobs: int, answers_file: str | None, record: ZipFile | None, out: TextIO) -> int:
    """Compares the seeds and prints the differences to `out`; returns the number of seeds that differ."""
    differences = 0
    workers = ProcessPoolExecutor(jobs, initializer=prepare, initargs=(answers_file,))
    with workers as pool, progress.shown(True) as stages:
        stages.begin("comparing", len(seeds))
        results = pool.map(compared_in_a_copy, seeds, repeat(count), chunksize=8)
        for seed, (found, kept) in zip(seeds, results, strict=True):
            stages.advance()
            if record is not None:
                record.writestr(str(seed), kept)
            if found is not None:
                differences += 1
                out.write(found + "\n")
                out.flush()
    return differences


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the engine with the naive engine on hostile flows.")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--commands", type=int, default=1000)
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, for programs")
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--record", metavar="FILE", help="keep the flows and the naive engine's answers")
    kept.add_argument("--answers", metavar="FILE", help="the flows and answers to compare with, kept by --record")
    options = parser.parse_args()
    seeds = range(options.start, options.start + options.seeds)
    out = sys.stderr if options.json else sys.stdout
    out.write(build_notice() + "\n")
    out.flush()
    with ZipFile(options.record, "w", ZIP_DEFLATED, compresslevel=1) if options.record else nullcontext() as record:
        differences = run(seeds, options.commands, options.jobs, options.answers, record, out)
    sentence = f"{options.seeds} seeds x {options.commands} commands, {differences} differences"
    if options.json:
        counts = {"seeds": options.seeds, "commands": options.seeds * options.commands}
        broken = [sentence] if differences else []
        sys.stdout.write(
            json.dumps({"rig": "long_run", "holds": not broken, "counts": counts, "broken": broken}) + "\n"
        )
    else:
        sys.stdout.write(sentence + "\n")
    return 1 if differences else 0


if __name__ == "__main__":
    raise SystemExit(main())
