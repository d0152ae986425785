"""The command line of the load tests.

    python -m load_tests replay --flow FILE
    python -m load_tests replay --year 2023 --from-day 100 --url http://127.0.0.1:8001 --key KEY --json

`replay` without `--url` starts a venue in a temporary folder and stops it at the end: `make flow`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

if find_spec("hdrh") is None:
    sys.exit("load_tests needs the packages of tests and tools; `make setup` installs them")

from load_tests import progress
from load_tests.child_process import venue
from load_tests.replay.account_stream import Json
from load_tests.replay.options import add_options, check_options
from load_tests.replay.replay import replay_options, run_and_print
from services.scaled.launch import DidNotStart

EXAMPLES = """examples:
  python -m load_tests replay --flow load_tests/flows/sample.csv
  python -m load_tests replay --year 2023 --seed 7 --from-day 100 --days 2 --speed 500
  python -m load_tests replay --flow FILE --url http://127.0.0.1:8001 --key KEY --json

--url names a venue without other traders, which would trade with the flow: not that of `make run`, but one of
`rex serve --new --schedule always --data-dir FOLDER --port 8001`. KEY is the operator's in FOLDER/keys.json.

exit status: 0 the verdict is green, 1 it is red or the venue does not answer, 2 bad usage, a flow that cannot be
replayed, or a key that the venue refuses. docs/load_tests.md describes flows, options and the result."""

OTHERS = """other programs of the load tests:
  python -m load_tests.order_flow    writes a flow from a seed
  python -m load_tests.run_scaled    runs the scaled mode without Docker (`make run-scaled`)
  python -m load_tests.benchmarks    measures each hot path beside its limit (`make bench`)
  locust -f load_tests/locust/locustfile.py    replays a flow from many machines"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser, replay = _parsers()
    options = parser.parse_args(arguments)
    check_options(replay, options)
    if (options.url is None) != (options.key is None):
        replay.error("--url and --key: give both, for a venue that is running, or neither")
    try:
        return run_and_print(lambda stages: _replayed(options, stages), as_json=options.json)
    except DidNotStart as error:
        print(error, file=sys.stderr)
        return 1


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """That of the program, and that of `replay`."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m load_tests",
        description="Replays order flow through a venue and gives a verdict.",
        epilog=f"{EXAMPLES}\n\n{OTHERS}",
        formatter_class=form,
    )
    what = "replay a flow, from a file or of a simulated year, through a venue; prints result and verdict"
    replay = parser.add_subparsers(required=True, title="programs", metavar="PROGRAM").add_parser(
        "replay", help=what, description=f"{what.capitalize()}.", epilog=EXAMPLES, formatter_class=form
    )
    add_options(replay)
    replay.add_argument("--url", help="a running venue, without other traders (default: one in a temporary folder)")
    replay.add_argument("--key", help="its key with the scopes read, operate and admin")
    replay.add_argument("--json", action="store_true", help="print the result as one JSON object on standard output")
    return parser, replay


async def _replayed(options: argparse.Namespace, stages: progress.Stages) -> Json:
    if options.url is not None:
        return await replay_options(options, options.url, options.key, stages)
    stages.begin("starting a venue")
    with tempfile.TemporaryDirectory(prefix="rex-flow-") as folder, venue(Path(folder) / "venue") as started:
        return await replay_options(options, started.url, started.operator_key, stages)


if __name__ == "__main__":
    sys.exit(main())
