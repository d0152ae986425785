"""The options that `python -m load_tests replay` and the Locust file share."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from load_tests.flows.flow_file import RECORDED_SYMBOL
from load_tests.flows.stretch import COMMANDS, Stretch
from services.simulator.year.pace import FEWEST_COMMANDS, MOST_COMMANDS

ACCOUNTS = 8
"""The accounts of a replayed file, unless told otherwise."""

_OF_A_FILE = {
    "accounts": (ACCOUNTS, "each member of a simulated year has an account of its own"),
    "symbol": (RECORDED_SYMBOL, "the orders of a simulated year name their own instruments"),
}
_OF_A_YEAR = {
    "seed": (7, "a file has no seed"),
    "from_day": (1, "a file is replayed from its beginning"),
    "days": (1, "a file is replayed whole, or up to --limit"),
    "commands": (COMMANDS, "a file has its own commands"),
}
"""The options of one source only: their defaults, and why the other source has no such option."""


def add_options(parser: argparse.ArgumentParser | argparse._ArgumentGroup, *, source_required: bool = True) -> None:
    """Adds the options that both share."""
    source = parser.add_mutually_exclusive_group(required=source_required)
    source.add_argument("--flow", type=Path, help="a CSV file, plain, .gz or .xz, in a format of docs/load_tests.md")
    source.add_argument("--year", type=int, metavar="YEAR", help="days of this simulated year instead of a file")
    parser.add_argument("--seed", type=int, metavar="N", help="the seed of the simulated year (default 7)")
    parser.add_argument("--from-day", type=int, metavar="N", help="its first day, numbered from 1 (default 1)")
    parser.add_argument("--days", type=int, metavar="N", help="so many trading days (default 1)")
    parser.add_argument("--commands", type=int, metavar="N", help=f"of the whole year, about (default {COMMANDS:,})")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--rate", type=float, metavar="N", help="send N messages a second")
    pace.add_argument("--speed", type=float, metavar="X", help="send at the flow's own times, X times as fast")
    parser.add_argument("--limit", type=int, metavar="N", help="send only the first N messages")
    parser.add_argument(
        "--accounts", type=int, metavar="N", help=f"spread a file's orders over N accounts (default {ACCOUNTS})"
    )
    parser.add_argument("--symbol", help=f"map a recording to this instrument (default {RECORDED_SYMBOL})")


def check_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Sets the defaults. Ends the program with status 2 for a number outside its bounds, and for an option that the chosen
    source does not have."""
    for name in ("rate", "speed", "limit"):
        value = getattr(options, name)
        if value is not None and not 0 < value < float("inf"):
            parser.error(f"--{name} {value}: must be more than 0")
    _refuse(parser, options, *(("--flow", _OF_A_YEAR) if options.year is None else ("--year", _OF_A_FILE)))
    for name, (default, _) in (_OF_A_FILE | _OF_A_YEAR).items():
        if getattr(options, name) is None:
            setattr(options, name, default)
    if options.year is not None:
        _check_stretch(parser, options)
    if not 2 <= options.accounts <= 1_000:
        parser.error(f"--accounts {options.accounts}: must be 2 to 1000")


def _refuse(
    parser: argparse.ArgumentParser, options: argparse.Namespace, source: str, others: Mapping[str, tuple[object, str]]
) -> None:
    for name, (_, why) in others.items():
        if getattr(options, name) is not None:
            parser.error(f"--{name.replace('_', '-')} with {source}: {why}")


def _check_stretch(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if not 2000 <= options.year <= 2099:
        parser.error(f"--year {options.year}: must be 2000 to 2099")
    if options.seed < 0:
        parser.error(f"--seed {options.seed}: must be 0 or more")
    if not FEWEST_COMMANDS <= options.commands <= MOST_COMMANDS:
        parser.error(f"--commands {options.commands}: must be {FEWEST_COMMANDS} to {MOST_COMMANDS}")
    stretch, of_year = stretch_of(options), stretch_of(options).days_of_year
    if options.from_day < 1 or options.days < 1 or stretch.last_day > of_year:
        parser.error(
            f"--from-day {options.from_day} --days {options.days}: {options.year} has the trading days 1 to {of_year}"
        )


def stretch_of(options: argparse.Namespace) -> Stretch:
    """The days of a simulated year that the options name."""
    return Stretch(options.year, options.seed, options.from_day, options.days, options.commands)
