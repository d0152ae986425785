"""`rex journal verify`, `rex journal export`, `rex journal copy` and `rex journal skip`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import ArchivesDir, AsJson, DatabaseUrl, DataDir, chosen_of, settings_of, warn_of_password
from services.cli.terminal import err, out, progress, run


def verify(
    context: typer.Context,
    database_url: DatabaseUrl = "",
    data_dir: DataDir = Path("rex-data"),
    prove: Annotated[
        bool,
        typer.Option(
            "--prove", help="Also re-execute every command, and compare the events and the read database.", metavar=""
        ),
    ] = False,
    expect: Annotated[
        list[str],
        typer.Option(metavar="SEQ:HASH", help="Require a row that ends at SEQ and has this hash. May be repeated."),
    ] = [],  # noqa: B006  (typer copies it)
    archives: ArchivesDir = None,
    as_json: AsJson = False,
) -> None:
    """Checks the journal's hash chain: the hash, the CRC and the previous hash of every row. The venue may be running.

    It prints the number of good rows and commands, and the last sequence number with its hash as `SEQ:HASH`. Keep that line
    elsewhere. A later `rex journal verify --expect SEQ:HASH` fails if a row up to SEQ was changed, even with all later hashes
    recomputed, or if the journal ends before SEQ.

    The read database is a second witness: the check fails if the journal ends before the read database does (commands are
    lost), or if the read database belongs to another journal. With `--prove` it also fails if the content of the read database
    differs from the journal. So is each intact snapshot (`rex snapshot`), of its row, and with `--prove` of the state there.

    `--database-url`, or REX_DATABASE_URL without `--data-dir`, checks a journal in PostgreSQL. There `--prove` compares a copy
    of the read database at one position, made in the folder for temporary files (TMPDIR).

    Days that `rex archive` has moved are part of the chain: their rows are read from the archives. Each file of every archived
    day is compared with its manifest, also where the day's rows stay in the journal. A day that is missing or damaged is named.


    Exit status:

    - 0 no check failed
    - 1 a check failed (the output names the sequence number of the first bad row), or the environment refused: file, folder,
      server, no journal there
    - 2 an option or a setting is invalid
    """
    from services.cli.verifying import document, lines, verify_journal, witness_of  # here and not above: see there

    witnesses = [witness_of(text) for text in expect]
    place = chosen_of(context, database_url, data_dir)
    assert place is not None
    found = run(
        verify_journal(place, prove, witnesses, show=not as_json and err.is_terminal, archives=archives), is_check=True
    )
    if as_json:
        print(json.dumps(document(found, witnesses)))
    else:
        for line in lines(found):
            out.print(line, highlight=False, soft_wrap=True)
    raise typer.Exit(0 if found.good else 1)


def export(
    context: typer.Context,
    database_url: DatabaseUrl = "",
    data_dir: DataDir = Path("rex-data"),
    first_seq: Annotated[
        int, typer.Option("--from", help="The first command, by its sequence number.", min=1, metavar="SEQ")
    ] = 1,
    last_seq: Annotated[
        int | None, typer.Option("--to", help="The last command; without it: up to the end.", min=1, metavar="SEQ")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write to this new file instead of standard output. Only its owner may read it.", metavar="FILE"
        ),
    ] = None,
) -> None:
    """Prints the journal as JSON Lines, for people and programs: commands, their events and texts. The venue may be running.

    A line with `row` begins a row of the journal and has its sequence numbers and hashes. Each other line is one command of
    that row: `command` (kind, sender and the fields of its kind), `text` (names, reasons, hashes of keys, targets; or null) and
    `events`. Prices are ticks, quantities lots, money fen, times nanoseconds since 1970 UTC; codes have their names.
    `docs/migrations.md` explains the fields. The lines hold accounts and names of members: treat them as you treat the journal.

    Examples: `rex journal export --data-dir venue --from 1000 --to 2000`, `rex journal export --output journal.jsonl`.

    Exit status:

    - 0 all commands that were asked for were printed
    - 1 the environment refused: file, folder, server, no journal there
    - 2 an option or a setting is invalid
    - 4 the device or the server failed
    - 5 the journal is damaged (the lines up to there are printed), has lost commands, or is of another version
    """
    place = chosen_of(context, database_url, data_dir)
    assert place is not None
    if last_seq is not None and last_seq < first_seq:
        raise typer.BadParameter(f"{last_seq} is before --from {first_seq}", param_hint="--to")
    from services.cli.exporting import export_journal  # here and not above: see there

    done = run(export_journal(place, first_seq, last_seq, output))
    (err if output is None else out).print(done, highlight=False, soft_wrap=True)


def copy(
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="PLACE",
            help="The journal to copy: a folder or a database URL.",
            callback=warn_of_password,
        ),
    ],
    target: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="PLACE",
            help="An empty place for it: a folder or a database URL.",
            callback=warn_of_password,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Copies a journal from a data folder to PostgreSQL, or back, and reads the copy back. Stop the venue first.

    A place is a data folder, or postgresql://user@host:port/name. Keep passwords out of the list of processes: a URL without
    one takes it from PGPASSWORD or ~/.pgpass.

    The copy has the same batches, byte for byte, so it has the same hashes and the same journal id; it prints the last sequence
    number and hash of both. Its rows are compressed where that makes them smaller. The target must hold no journal and no read
    database, and a database must have its tables (`rex migrate`). The source is not changed. If it is interrupted, the target
    stays empty. The read database is not copied: the venue makes it again. Start only one of the two afterwards: rows added to
    both make two journals of one id.

    Example: `rex journal copy --from venue --to postgresql://rex@db/rex`.

    Exit status:

    - 0 the journal was copied, and the copy has the same last hash
    - 1 the environment refused: file, folder, server, no journal at the source
    - 2 an option or a setting is invalid
    - 3 another process has the journal of the source folder
    - 4 the device or the server failed
    - 5 the journal is damaged, has lost commands, or grew meanwhile; or the target is not empty
    """
    settings_of()
    from services.cli.copying import copy_journal  # here and not above: see there

    done = run(copy_journal(_place(source), _place(target), show=not as_json and err.is_terminal))
    if as_json:
        print(json.dumps(done.to_json()))
    else:
        for line in done.lines():
            out.print(line, highlight=False, soft_wrap=True)


def skip(
    context: typer.Context,
    request: Annotated[
        str, typer.Argument(metavar="REQUEST", help="The request, as the sequencer that stopped has named it.")
    ],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why. Recorded in the journal.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="Who decides. Recorded in the journal.")],
    database_url: DatabaseUrl = "",
    data_dir: DataDir = Path("rex-data"),
    as_json: AsJson = False,
) -> None:
    """Takes out a request that stops the venue (exit status 7): one of its commands trips an assertion of the engine.

    Such a command is not in the journal, but gateways and members send it again. Stop the venue first, in the scaled mode every
    sequencer. This re-executes the journal and adds one row, which names the request. A venue that is started within the next
    100,000 commands answers this request, and every request with the same content, with 409 `command_skipped`: its outcome is
    known, nothing of it was executed.

    Nothing is written if the request was executed, or is skipped already. `docs/runbook.md`, "A command stops the venue", has
    every step.

    Example: `rex journal skip 1-2882343476-7-0123456789abcdef0123456789abcdef --reason "stops the venue" --name "Wang Fang"`.

    Exit status:

    - 0 the row was added
    - 1 the environment refused: file, folder, server, no journal there
    - 2 an option or a setting is invalid
    - 3 a venue writes the journal
    - 4 the device or the server failed
    - 5 the request was executed or is skipped already; or the journal is damaged, has lost commands, or is of another version
    """
    place = chosen_of(context, database_url, data_dir)
    assert place is not None
    from services.commands.texts import control_character
    from services.sequencer.skips import SkippedRequest
    from services.venue.skipping import skip as skip_request

    for option, text, most in (("--reason", reason, 500), ("--name", name, 80)):
        if not text.strip() or control_character(text):
            raise typer.BadParameter("must have a visible text, without control characters", param_hint=option)
        if len(text) > most:
            raise typer.BadParameter(f"has {len(text):,} characters, and may have {most}", param_hint=option)
    try:
        named = SkippedRequest.parse(request)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="REQUEST") from error
    with progress(not as_json and err.is_terminal) as bar:
        task = bar.add_task("re-executing", total=None)
        done = run(skip_request(place, named, reason, name, lambda seq: bar.update(task, completed=seq)))
    if as_json:
        print(json.dumps(done.to_json()))
        return
    out.print(
        f"Recorded at seq {done.seq:,}: the venue refuses this request and equal ones (409 command_skipped). Start it.",
        f"to keep     {done.seq}:{done.hash}",
        sep="\n",
        highlight=False,
        soft_wrap=True,
    )


def _place(text: str) -> str | Path:
    return text if "://" in text else Path(text)
