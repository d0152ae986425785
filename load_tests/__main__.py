"""`python -m load_tests replay …`: replays a flow through the venue at `--url`, or without it through one of its own."""

from __future__ import annotations

import sys

from load_tests import flow
from load_tests.replay import replay


def main(arguments: list[str]) -> int:
    """The command line. The exit status is 2 for bad usage, otherwise that of the replay."""
    if arguments[:1] != ["replay"]:
        print("usage: python -m load_tests replay (--flow FILE | --year YEAR) …; docs/load_tests.md", file=sys.stderr)
        return 2
    has_venue = any(argument.split("=")[0] == "--url" for argument in arguments)
    return replay.main(arguments[1:]) if has_venue else flow.main(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
