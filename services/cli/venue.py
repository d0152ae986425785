"""`rex demo` and `rex serve`: a venue in this process until it is stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from services.cli.options import AsJson, DataDir, Port, settings_of
from services.cli.terminal import out, run

Seconds = Annotated[
    float, typer.Option(help="Stop by itself after so many seconds; 0 runs until Ctrl-C.", min=0, metavar="SECONDS")
]
Rate = Annotated[
    float,
    typer.Option(
        help="Orders a second of all simulated traders together.",
        min=0.1,
        max=2000,
        metavar="N",
        envvar="REX_DEMO_ORDERS_PER_SECOND",
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of the simulated traders.", metavar="N", envvar="REX_SEED")]
Schedule = Annotated[
    Literal["always", "exchange"],
    typer.Option(
        help="exchange: auctions at 08:55 and 16:00, continuous 09:00–11:30 and 13:30–16:00, Asia/Shanghai, on trading "
        "days; always: 24 h.",
        envvar="REX_SCHEDULE",
    ),
]
Host = Annotated[str, typer.Option(help="Address to listen on.", metavar="ADDRESS", envvar="REX_HOST")]
AcceptClock = Annotated[
    bool,
    typer.Option(
        "--accept-clock",
        help="You vouch for the clock: start though it is behind the last command, or though trading days are skipped.",
        metavar="",
        envvar="REX_ACCEPT_CLOCK",
    ),
]


def demo(
    seconds: Seconds = 0,
    port: Port = 8000,
    data_dir: DataDir = Path("rex-data"),
    rate: Rate = 20.0,
    seed: Seed = 20231201,
    as_json: AsJson = False,
) -> None:
    """A venue with simulated traders in every instrument, open around the clock.

    The traders use the public API like anybody else. Ctrl-C stops cleanly; the next start in the same folder carries on
    with the same books, balances and turnover, days later, too: a demo takes the clock it finds. With
    `--seconds 20 --port 0 --json` it runs without a person, stops by itself and prints one JSON object: counts, turnover,
    target and the figure by three computations. Exit status 1 when they disagree; the others are those of `rex serve`.
    """
    chosen = settings_of(
        data_dir=data_dir,
        port=port,
        schedule="always",
        demo=True,
        demo_orders_per_second=rate,
        seed=seed,
        accept_clock=True,
    )
    from services.cli.running import run_demo  # here and not above: see there

    closing = run(run_demo(chosen, seconds, announce=not as_json))
    if as_json:
        print(json.dumps(closing.to_json()))
    else:
        out.print(closing.render())
    raise typer.Exit(0 if closing.figure.agree else 1)


def serve(
    port: Port = 8000,
    data_dir: DataDir = Path("rex-data"),
    schedule: Schedule = "exchange",
    host: Host = "127.0.0.1",
    accept_clock: AcceptClock = False,
    as_json: AsJson = False,
) -> None:
    """A venue without simulated traders, with the exchange's sessions.

    Prints where it listens and where its keys lie, then serves until Ctrl-C or SIGTERM. `--json` prints that as one line when
    the venue is ready. Pages are read-only here.

    A clock that jumps by more than 5 minutes stops the venue, and a start that would skip a trading day is refused: check the
    clock, then start with `--accept-clock`.

    Exit status: 0 stopped, 1 port, file or folder refused, 2 bad usage, 3 another process has the journal, 4 its device failed,
    5 it is damaged, lost commands or is of another version, 6 the clock jumped, 7 the engine stopped at an impossible state,
    8 ended by the watchdog 10 seconds after a fault. docs/operators.md says what to do.
    """
    chosen = settings_of(
        data_dir=data_dir, host=host, port=port, schedule=schedule, demo=False, accept_clock=accept_clock
    )
    from services.cli.running import run_venue  # here and not above: see there

    run(run_venue(chosen, as_json))
