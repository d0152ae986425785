"""Starts the services of docker-compose.yml as processes of this machine: `make run-scaled [FOLDER=folder]`.

PostgreSQL and Valkey are those of the system, else those of the wheels. HAProxy runs if it is installed. Prometheus and
Grafana are left out. Every port is a free one of 127.0.0.1. Ctrl-C stops everything.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from load_tests.run_scaled.compose_file import read_compose_file
from load_tests.run_scaled.running_venue import RunningVenue, running_venue
from load_tests.servers.server_process import ServerFailed, ServerMissing


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status 1: a process did not start, or another one has the folder."""
    parser = argparse.ArgumentParser(prog="python -m load_tests.run_scaled", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--folder", type=Path, help="keep the venue here, and continue it; default: a temporary folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object when the venue is ready")
    options = parser.parse_args(arguments)
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGINT too: a shell's background job ignores it
        signal.signal(stop, _interrupt)
    try:
        with ExitStack() as opened:
            folder = options.folder or Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="rex-scaled-")))
            config = read_compose_file({"REX_SCHEDULE": "always", **os.environ})
            print("Starting PostgreSQL, Valkey and nine processes of REX ...", file=sys.stderr, flush=True)
            venue = opened.enter_context(running_venue(config, folder.absolute()))
            print(json.dumps(_facts(venue)) if options.json else _lines(venue), flush=True)
            venue.watch(lambda sentence: print(sentence, file=sys.stderr, flush=True))
    except KeyboardInterrupt:
        kept = "the folder keeps the venue" if options.folder else "the venue was in a temporary folder and is gone"
        print(f"Everything is stopped; {kept}.", file=sys.stderr, flush=True)
        return 0
    except (ServerMissing, ServerFailed) as error:
        print(error, file=sys.stderr)
        return 1


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _facts(venue: RunningVenue) -> dict[str, object]:
    return {
        "url": venue.url,
        "keys_file": str(venue.keys_file),
        "logs": str(venue.logs),
        "database_url": venue.database_url,
        "servers": {name: server.pid for name, server in venue.servers.items()},
        "processes": {name: {"url": venue.url_of(name), "pid": venue.pid_of(name)} for name in venue.processes},
    }


def _lines(venue: RunningVenue) -> str:
    processes = [
        f"  {name:12} {venue.url_of(name):24} process {venue.pid_of(name)}" for name in sorted(venue.processes)
    ]
    pages = f"{venue.url if 'haproxy' in venue.processes else venue.url_of('reporting')}/ui/"
    return "\n".join(
        [
            f"The venue answers on {venue.url}, its pages are at {pages}. Ctrl-C stops everything.",
            f"  keys         {venue.keys_file}",
            f"  logs         {venue.logs}",
            f"  database     {venue.database_url}",
            *(f"  {name:37} process {server.pid}" for name, server in venue.servers.items()),
            *processes,
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
