"""`rex init`, `rex gateway`, `rex sequencer`, `rex projector`, `rex reporting`: the processes of the scaled mode."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.options import AsJson, DatabaseUrl, DataDir, Port, RedisUrl, settings_of
from services.cli.terminal import out, run, say
from services.cli.venue import AcceptClock, FullCheck, Host, Schedule

LinkPort = Annotated[
    int,
    typer.Option(
        help="The TCP port for the links of gateways; 0 selects a free port.",
        min=0,
        max=65535,
        metavar="PORT",
        envvar="REX_LINK_PORT",
    ),
]
ReadOnly = Annotated[
    bool, typer.Option("--read-only", help="Serve market data, history and reports, and refuse orders.", metavar="")
]


def init(
    database_url: DatabaseUrl = "",
    data_dir: DataDir = Path("rex-data"),
    with_demo: Annotated[
        bool, typer.Option("--demo", help="Also open the accounts of the simulated traders.", metavar="")
    ] = False,
    if_empty: Annotated[
        bool,
        typer.Option(
            "--if-empty", help="End with status 0 also if the database holds a venue; change nothing then.", metavar=""
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fills a new database with what every venue has: instruments, fees, guards, the target, and the operator's key.

    Run `rex migrate` first: it makes the tables. The keys are written to `keys.json` in the data folder; the database holds
    only their SHA-256. `rex serve` needs neither command: an embedded venue does both at its first start.

    Example: `rex migrate && rex init --data-dir keys`, with REX_DATABASE_URL set.

    Exit status:

    - 0 the venue was initialised
    - 1 the database holds a venue already (not with --if-empty), or the environment refused; nothing was changed
    - 2 an option or a setting is invalid
    - 4 the database failed
    """
    chosen = settings_of(database_url=database_url, data_dir=data_dir, schedule="always", demo=with_demo)
    from services.scaled.init import initialise, initialise_if_empty

    done = run(initialise_if_empty(chosen) if if_empty else initialise(chosen))
    if done is None:
        say("the database holds a venue; nothing was changed")
    elif as_json:
        keys_file = str(done.keys_file.absolute())
        print(json.dumps({"journal_id": done.journal_id, "last_seq": done.last_seq, "keys_file": keys_file}))
    else:
        sentence = f"The venue is initialised at seq {done.last_seq}. Its keys are in {done.keys_file}."
        out.print(sentence, highlight=False, soft_wrap=True)


def sequencer(
    database_url: DatabaseUrl = "",
    redis_url: RedisUrl = "",
    host: Host = "127.0.0.1",
    port: Port = 8010,
    link_port: LinkPort = 0,
    schedule: Schedule = "exchange",
    accept_clock: AcceptClock = False,
    full_check: FullCheck = False,
    as_json: AsJson = False,
) -> None:
    """Runs a sequencer: it executes the journal, stands by, and leads the venue when no other sequencer does.

    It begins with the newest good snapshot (`rex snapshot`), and executes what came after it; with `--full-check`, everything.
    While it stands by, it takes the next snapshots.

    Run two or more, on different machines. One leads: it numbers commands, runs the engine and writes the journal. The others
    follow the journal; one of them takes over about 1.5 seconds after the leader falls silent, and at once after it stops
    cleanly. A leader that another sequencer has deposed ends with exit status 3: start it again, and it stands by.

    REX_LINK_SECRET, at least 32 characters, must be the same for all gateways and sequencers. --port serves /healthz, /readyz
    and /metrics.

    Example: `rex sequencer --port 8010 --link-port 8011 --schedule always`.

    Exit status:

    - 0 the process was stopped
    - 1 the environment refused: port, Redis
    - 2 an option or a setting is invalid
    - 3 another sequencer has taken over
    - 4 the database failed
    - 5 the journal is damaged, has lost commands, or is of another version
    - 6 the clock jumped, or a day roll would skip a trading day
    - 7 the engine met an impossible state and stopped
    - 8 the process did not end within 10 seconds after a fault or a signal, and its watchdog ended it
    """
    chosen = _chosen(
        database_url,
        redis_url,
        host,
        port,
        link_port=link_port,
        schedule=schedule,
        accept_clock=accept_clock,
        full_check=full_check,
    )
    from services.cli.scaled_running import run_sequencer

    run(run_sequencer(chosen, as_json))


def gateway(
    database_url: DatabaseUrl = "",
    redis_url: RedisUrl = "",
    host: Host = "127.0.0.1",
    port: Port = 8000,
    read_only: ReadOnly = False,
    as_json: AsJson = False,
) -> None:
    """Runs a gateway: REST and WebSocket, orders, market data, history and reports. Run as many as the load needs.

    It keeps one link to the leading sequencer and follows it to the next one. A request that was not executed when a leader
    died is sent to the next leader; a client sees one answer. `--read-only` runs without a link and refuses orders.

    Example: `rex gateway --port 8000 --json`.

    Exit status: as `rex sequencer`; 3 does not occur.
    """
    chosen = _chosen(database_url, redis_url, host, port)
    from services.cli.scaled_running import run_gateway

    run(run_gateway(chosen, as_json, read_only=read_only))


def projector(
    database_url: DatabaseUrl = "",
    redis_url: RedisUrl = "",
    host: Host = "127.0.0.1",
    port: Port = 8020,
    as_json: AsJson = False,
) -> None:
    """Runs the projector: it writes the journal's orders, trades and balances into the read database. Run one.

    It continues from the position in the read database. A venue without a projector trades on; history and reports then fall
    behind. --port serves /healthz, /readyz and /metrics.

    Example: `rex projector --json`.

    Exit status: as `rex sequencer`; 3: another projector writes the read database.
    """
    chosen = _chosen(database_url, redis_url, host, port)
    from services.cli.scaled_running import run_projector

    run(run_projector(chosen, as_json))


def reporting(
    database_url: DatabaseUrl = "",
    redis_url: RedisUrl = "",
    data_dir: DataDir = Path("rex-data"),
    host: Host = "127.0.0.1",
    port: Port = 8030,
    as_json: AsJson = False,
) -> None:
    """Runs reports and pages: a read-only gateway with the web pages.

    The pages use the key `pages` of `keys.json` in the data folder, which `rex init` wrote.

    Example: `rex reporting --data-dir keys --port 8030`.

    Exit status: as `rex sequencer`; 3 does not occur.
    """
    chosen = _chosen(database_url, redis_url, host, port, data_dir=data_dir)
    from services.cli.scaled_running import run_gateway

    run(run_gateway(chosen, as_json, read_only=True, with_pages=True))


def _chosen(database_url: str, redis_url: str, host: str, port: int, **options: Any) -> Any:
    return settings_of(database_url=database_url, redis_url=redis_url, host=host, port=port, **options)
