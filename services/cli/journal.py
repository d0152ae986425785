"""`rex journal verify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import AsJson, DataDir, settings_of
from services.cli.terminal import err, out, run


def verify(
    data_dir: DataDir = Path("rex-data"),
    prove: Annotated[
        bool,
        typer.Option("--prove", help="Also re-execute every command and compare the events.", metavar=""),
    ] = False,
    expect: Annotated[
        list[str],
        typer.Option(metavar="SEQ:HASH", help="A row must end at SEQ and have this hash. Repeatable."),
    ] = [],  # noqa: B006  (typer copies it)
    as_json: AsJson = False,
) -> None:
    """Walk the chain: every row's hash, CRC and link to the row before it. A running venue need not stop.

    Says how many rows and commands are good and the last hash: keep `SEQ:HASH` elsewhere and give it to `--expect` later, and
    neither a later edit nor a lost end goes unseen. The read database is a witness, too: a journal that ends before it has lost
    commands, and one of another journal is a difference. Exit status 1 at the first row that does not read back as it was
    written, with its sequence number. With `--prove` what the read database holds is compared, too: exit status 1 where it
    says other than the journal. Rows of an older engine version are walked, too; to re-execute them the journal must be
    upgraded (`rex upgrade`).
    """
    from services.cli.verifying import document, lines, verify_folder, witness_of  # here and not above: see there

    witnesses = [witness_of(text) for text in expect]
    settings_of(data_dir=data_dir)
    found = run(verify_folder(data_dir, prove, witnesses, show=not as_json and err.is_terminal), is_check=True)
    if as_json:
        print(json.dumps(document(found, witnesses)))
    else:
        for line in lines(found):
            out.print(line, highlight=False, soft_wrap=True)
    raise typer.Exit(0 if found.good else 1)
