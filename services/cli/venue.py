"""`rex demo` and `rex serve`: a venue in this process until it is stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from services.cli.options import AsJson, DatabaseUrl, DataDir, Port, RedisUrl, settings_of
from services.cli.terminal import out, run, say
from services.processes.exit_codes import ExitCode

if TYPE_CHECKING:
    from services.reporting.checked_report import CheckedReport

Seconds = Annotated[
    float, typer.Option(help="Stop after this many seconds; 0: run until Ctrl-C or SIGTERM.", min=0, metavar="SECONDS")
]
Rate = Annotated[
    float,
    typer.Option(
        help="Orders per second, of all simulated traders together.",
        min=0.1,
        max=2000,
        metavar="N",
        envvar="REX_DEMO_RATE",
    ),
]
Pace = Annotated[
    float,
    typer.Option(
        help="What the simulated traders trade in 24 hours, in days of the plan (23 billion yuan a year: 95 million a day). "
        "More than 2 is a compressed time, and the start says so. At most 1,000 for each order a second.",
        min=0.01,
        max=10_000,
        metavar="DAYS",
        envvar="REX_DEMO_PACE",
    ),
]
History = Annotated[
    bool,
    typer.Option(
        "--history/--no-history",
        help="Whether an empty folder gets a history first: the year up to the last completed trading day, as simulated.",
        metavar="",
        envvar="REX_DEMO_HISTORY",
    ),
]
Seed = Annotated[int, typer.Option(help="Random seed of the simulated traders.", metavar="N", envvar="REX_SEED")]
Schedule = Annotated[
    Literal["always", "exchange"],
    typer.Option(
        help="exchange: on trading days, call auctions at 08:55 and 16:00, continuous trading 09:00–11:30 and 13:30–16:00, "
        "Asia/Shanghai. always: continuous trading, 24 h.",
        envvar="REX_SCHEDULE",
    ),
]
Host = Annotated[str, typer.Option(help="The address to listen on.", metavar="ADDRESS", envvar="REX_HOST")]
AcceptClock = Annotated[
    bool,
    typer.Option(
        "--accept-clock",
        help="Confirm that the clock is right: start although it is behind the last command, or although a day roll skips "
        "a trading day.",
        metavar="",
        envvar="REX_ACCEPT_CLOCK",
    ),
]
New = Annotated[
    bool,
    typer.Option("--new", help="Begin a venue in a folder that holds none; refused where there is one.", metavar=""),
]
FullCheck = Annotated[
    bool,
    typer.Option(
        "--full-check",
        help="Execute the whole journal and compare all of the read database, although there are snapshots.",
        metavar="",
        envvar="REX_FULL_CHECK",
    ),
]


def demo(
    seconds: Seconds = 0,
    port: Port = 8000,
    data_dir: DataDir = Path("rex-data"),
    rate: Rate = 20.0,
    pace: Pace = 1.5,
    history: History = True,
    seed: Seed = 20231201,
    database_url: DatabaseUrl = "",
    redis_url: RedisUrl = "",
    as_json: AsJson = False,
) -> None:
    """Starts a venue with simulated traders in every instrument, open around the clock.

    The first start in a folder makes a history: the current year up to the last completed trading day, simulated through the
    same engine and journal, in about 10 seconds. Reports and pages say that it is simulated. `--no-history` begins
    empty; so does every demo from 17:00 in Shanghai on the year's last trading day until the new year's first trading day has
    ended, at 17:00.

    The simulated traders then go on at the prices of the history. They use the public API like any other client. They place
    `--rate` orders a second, and trade `--pace` days of the plan in 24 hours; at a high pace and a low rate, orders are larger.
    A pace of more than 1,000 days for each order a second is refused. Ctrl-C stops the venue cleanly. The next start in the
    same folder continues with the same books, balances and turnover, also days later: a demo accepts any clock at its start.

    With `--database-url` it runs the scaled mode on that PostgreSQL database: two sequencers, two gateways, a projector and the
    pages, each a process on a free port. It makes the tables and the venue if they are missing, and prints the addresses, with
    `--json` as one object. At its end it prints the year's report, proven as `rex report --prove` does.
    To see a take-over, kill the leading sequencer. The demo starts no process again: it ends with status 1, and names the
    process, when one has ended that no other one replaces. The pages only read. It begins without a history.

    Example without a person: `rex demo --seconds 20 --port 0 --json` stops after 20 seconds and prints one JSON object: counts,
    turnover, target, and the turnover figure by four computations.

    Exit status:

    - 0 the venue was stopped, and the four computations agree
    - 1 the four computations disagree, a process of the scaled demo ended, the demo was stopped before its history was made, or
      the environment refused: port, file or folder
    - 2 to 8 as for `rex serve`
    """
    chosen = settings_of(
        data_dir=data_dir,
        port=port,
        schedule="always",
        demo=True,
        demo_rate=rate,
        demo_pace=pace,
        demo_history=history,
        seed=seed,
        accept_clock=True,
        database_url=database_url,
        redis_url=redis_url,
    )
    _require_carried(rate, pace)
    if database_url:
        from services.cli.scaled_demo import run_demo as run_scaled_demo

        _print_report(run(run_scaled_demo(chosen, seconds, as_json=as_json)), as_json)
    from services.cli.running import run_demo  # here and not above: see there
    from services.read_model.projector_process import ProjectorProcess

    with ProjectorProcess.forked() as projector:
        closing = run(run_demo(chosen, projector, seconds, announce=not as_json))
    if as_json:
        print(json.dumps(closing.to_json()))
    else:
        out.print(closing.render())
    raise typer.Exit(0 if closing.figure.agree else 1)


def _require_carried(rate: float, pace: float) -> None:
    """A pace that so few orders cannot trade is bad usage, exit status 2."""
    from services.simulator import Pace

    if not Pace(rate, pace).carried:
        say(
            f"--pace {pace:g} is too much for --rate {rate:g}: an order a second carries at most 1,000 days of the plan"
        )
        raise typer.Exit(ExitCode.USAGE)


def _print_report(found: CheckedReport, as_json: bool) -> NoReturn:
    """The report at the end of a scaled demo; ends the command."""
    from services.reporting.terminal import render

    if as_json:
        print(json.dumps(found.to_json()))
    else:
        out.print(render(found))
    raise typer.Exit(0 if found.agree else 1)


def serve(
    port: Port = 8000,
    data_dir: DataDir = Path("rex-data"),
    new: New = False,
    schedule: Schedule = "exchange",
    host: Host = "127.0.0.1",
    accept_clock: AcceptClock = False,
    full_check: FullCheck = False,
    as_json: AsJson = False,
) -> None:
    """Starts a venue without simulated traders, on the exchange's schedule.

    It prints its address and the path of the file with its keys, then serves until Ctrl-C or SIGTERM. With `--json` it prints
    them in one line when the venue is ready. The pages are those of a demo, without its buttons to enter it.

    The first start says `--new`, which begins a venue; every other one finds it. A folder without a venue is refused: it may be
    a volume that is not mounted.

    Examples: `rex serve --new --data-dir venue`, then `rex serve --data-dir venue`.

    The venue stops if the clock jumps by more than 5 minutes. It refuses to start if the clock is more than 5 minutes behind
    the last command, or if a day roll would skip a trading day. Check the clock first; if it is right, start with
    `--accept-clock`, for that one start only.

    A start loads the newest good snapshot (`rex snapshot`) and executes the commands after it. The read database is compared
    with the engine's state; `--full-check` also executes what is older, and compares names, keys and every trade of the past,
    as the first proof does a minute after each start.

    Exit status:

    - 0 the venue was stopped
    - 1 the environment refused: port, file or folder
    - 2 an option or a setting is invalid
    - 3 another process has the journal
    - 4 the journal's device failed
    - 5 the journal is damaged, has lost commands, or is of another version
    - 6 the clock jumped, or a day roll would skip a trading day
    - 7 the engine met an impossible state and stopped
    - 8 the process did not end within 10 seconds after a fault or a signal, and its watchdog ended it

    docs/operators.md says what to do for each.
    """
    chosen = settings_of(
        embedded=True,
        data_dir=data_dir,
        host=host,
        port=port,
        schedule=schedule,
        demo=False,
        accept_clock=accept_clock,
        full_check=full_check,
    )
    from services.cli.running import run_venue  # here and not above: see there
    from services.read_model.projector_process import ProjectorProcess

    with ProjectorProcess.forked() as projector:
        run(run_venue(chosen, projector, as_json, new=new))
