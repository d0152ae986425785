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
        typer.Option(
            "--prove", help="Also re-execute every command, and compare the events and the read database.", metavar=""
        ),
    ] = False,
    expect: Annotated[
        list[str],
        typer.Option(metavar="SEQ:HASH", help="Require a row that ends at SEQ and has this hash. May be repeated."),
    ] = [],  # noqa: B006  (typer copies it)
    as_json: AsJson = False,
) -> None:
    """Checks the journal's hash chain: the hash, the CRC and the previous hash of every row. The venue may be running.

    It prints the number of good rows and commands, and the last sequence number with its hash as `SEQ:HASH`. Keep that line
    elsewhere. A later `rex journal verify --expect SEQ:HASH` fails if a row up to SEQ was changed, even with all later hashes
    recomputed, or if the journal ends before SEQ.

    The read database is a second witness: the check fails if the journal ends before the read database does (commands are
    lost), or if the read database belongs to another journal. With `--prove` it also fails if the content of the read database
    differs from the journal.

    Rows of an older engine version are checked, too. `--prove` requires that the journal was upgraded (`rex upgrade`).

    Exit status:

    - 0 no check failed
    - 1 a check failed (the output names the sequence number of the first bad row), or the environment refused: file, folder, no
      journal in the folder
    - 2 an option or a setting is invalid
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
