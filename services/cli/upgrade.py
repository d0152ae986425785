"""`rex upgrade`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from services.cli.options import AsJson, DataDir, settings_of
from services.cli.terminal import err, out, progress, run

if TYPE_CHECKING:
    from services.upgrade import Upgrade


def upgrade(
    data_dir: DataDir = Path("rex-data"),
    check: Annotated[
        bool,
        typer.Option("--check", help="Only show the result and write nothing. The venue may be running.", metavar=""),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Upgrades the journal of an older engine version to the present one. Stop the venue first.

    It re-executes every command by the present rules and compares the events with those in the journal. There are three
    results:

    - The events are equal. It adds one row that records this.
    - The events differ, but add up to the state of the present engine. It names each rule that differs and the first
      sequence number concerned, and adds one row that records this and seals the engine's state. Every later re-execution
      begins at that state.
    - The events differ and add up to another state. It refuses, names the difference and writes nothing.

    It changes no existing row: the old rows and the added row form one hash chain. The upgrade cannot be undone: copy the
    folder first.

    Example: `rex upgrade --data-dir venue --check`, then the same without `--check`.

    Exit status:

    - 0 the journal was upgraded, or needs no upgrade
    - 1 the environment refused: file, folder, read database, no journal in the folder
    - 2 an option or a setting is invalid
    - 3 another process has the journal
    - 4 the journal's device failed
    - 5 the journal is damaged, has lost commands, or the upgrade is refused
    """
    settings_of(data_dir=data_dir)
    found = run(_upgrade(data_dir, check, show=not as_json and err.is_terminal))
    if as_json:
        print(json.dumps(found.to_json()))
    else:
        for sentence in _sentences(found, check):
            out.print(escape(sentence), highlight=False, soft_wrap=True)


async def _upgrade(data_dir: Path, check: bool, show: bool) -> Upgrade:
    from services.upgrade import upgrade as upgrade_journal

    with progress(show) as bar:
        task = bar.add_task("reading", total=None)
        return await upgrade_journal(
            data_dir,
            check=check,
            on_progress=lambda what, seq, last: bar.update(task, description=what, completed=seq, total=last),
        )


def _sentences(found: Upgrade, check: bool) -> Iterator[str]:
    if not found.needed:
        yield f"The journal is of engine version {found.to_version} already: nothing to do."
        return
    older, newer = f"engine version {found.from_version}", f"version {found.to_version}"
    if not found.differences:
        yield f"All {found.last_seq:,} commands that {older} ran make the same events under {newer}: the rules are unchanged."
    for difference in found.differences:
        yield f"{difference}."
    if found.differences:
        yield (
            f"What the events add up to is what {newer} holds at seq {found.last_seq:,}: its state is verified. Re-execution"
            f" begins there; the rows before stay as {older} made them, links of the same chain (hash {found.last_hash})."
        )
    yield "Not written: --check." if check else f"Written at seq {found.marker_seq:,}. State hash {found.state_hash}."
