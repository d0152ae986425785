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
        bool, typer.Option("--check", help="Only say what it would do; a running venue need not stop.", metavar="")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take over the journal of an older engine version; the venue is stopped.

    Re-executes every command under the present rules. Where they make the same events, one row more says so. Where they
    don't, it says which rule differs and from which sequence number on; what the older events add up to must then be what the
    present engine holds, and that row seals its state, from which every later re-execution begins. No row is changed: the
    older ones stay, links of the same chain. Otherwise it refuses, says why, and nothing is written. There is no way back but
    a copy of the folder made before.
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
