"""Starts a venue in a temporary folder, replays a flow through its gateway, stops the venue: `make flow [FLOW=file]`.

Prints result and verdict as one JSON object on standard output, and the verdict as a sentence on standard error. The exit
status is that of load_tests.replay: 0 only when the verdict is green.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from load_tests.child_process import ChildFailed, venue
from load_tests.replay.options import add_options, check_options
from load_tests.replay.replay import replay_options, run_and_print


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m load_tests.flow", description=(__doc__ or "").split("\n")[0])
    add_options(parser)
    options = parser.parse_args(arguments)
    check_options(parser, options)
    try:
        with tempfile.TemporaryDirectory(prefix="rex-flow-") as folder, venue(Path(folder) / "venue") as started:
            return run_and_print(
                lambda stages: replay_options(options, started.url, started.operator_key, stages), as_json=True
            )
    except ChildFailed as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
