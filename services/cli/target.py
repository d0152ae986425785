"""`rex target`: targets of a running venue, set and listed through its API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.options import AsJson, DataDir
from services.cli.report import year_of
from services.cli.running_venue import Url, act, ask
from services.cli.terminal import out

if TYPE_CHECKING:
    from rex_client import RexClient

Year = Annotated[int, typer.Argument(help="The target's year, 2000 to 2099.", parser=year_of, metavar="YEAR")]


def set_target(
    year: Year,
    amount: Annotated[str, typer.Argument(help="In yuan, to the fen; of tonnes in tonnes.", metavar="AMOUNT")],
    name: Annotated[str, typer.Option(help="What the target is called.", metavar="TEXT")],
    why: Annotated[str, typer.Option(help="Why it is set. The journal keeps it.", metavar="TEXT")],
    scope: Annotated[
        str, typer.Option(help="venue, category:NAME or product:SYMBOL.", metavar="SCOPE", show_default=True)
    ] = "venue",
    metric: Annotated[
        str, typer.Option(help="net_traded, changed_hands, delivered or tonnes.", metavar="METRIC", show_default=True)
    ] = "net_traded",
    month: Annotated[int, typer.Option(help="1 to 12; 0: the whole year.", metavar="MONTH", min=0, max=12)] = 0,
    pro_rata: Annotated[
        bool,
        typer.Option("--pro-rata", help="The venue's first year owes the share of its trading days.", metavar=""),
    ] = False,
    replaces: Annotated[
        int | None, typer.Option(help="The seq of the target in force, if there is one.", metavar="SEQ", min=1)
    ] = None,
    url: Url = "",
    data_dir: DataDir = Path("rex-data"),
    as_json: AsJson = False,
) -> None:
    """Sets a target of a running venue: a command in its journal, which nothing deletes.

    One target is in force for each scope, metric, year and month. A second one must say which it replaces; the refusal names
    the one in force, and so does `rex target list`.

    The command calls `POST /v1/admin/targets` with the key `operator` of the data folder's `keys.json`.

    Examples: `rex target set 2027 25000000000.00 --name "the plan of 2027" --why "board decision of 11 January"`,
    `rex target set 2027 1200 --metric tonnes --scope product:PRND-OX --month 3 --name "oxide, March" --why "sales plan"`.

    Exit status:

    - 0 the target is set; or, where the venue asks for a second person, it waits for one, and the answer says so
    - 1 the venue refused it, and the sentence says why; or it does not answer, or the folder holds no key
    - 2 an option is invalid
    """
    target = {"scope": scope, "metric": metric, "year": year, "month": month, "amount": amount, "pro_rata": pro_rata}
    target |= {"name": name, "why": why}
    if replaces is not None:
        target["replaces"] = replaces
    act(url, data_dir, as_json, "set", lambda client: client.set_target(target))


def list_targets(year: Year, url: Url = "", data_dir: DataDir = Path("rex-data"), as_json: AsJson = False) -> None:
    """Lists every target of a year and its months, oldest first, and says which are in force, and who set each: a person who
    was logged in, or a key.

    The command calls `GET /v1/reports/targets/YEAR` of a running venue with the key `operator` of the data folder's
    `keys.json`.

    Example: `rex target list 2027 --url http://127.0.0.1:8000`.

    Exit status:

    - 0 the list was printed
    - 1 the venue refused, or does not answer, or the folder holds no key
    - 2 an option is invalid
    """

    async def targets_of_year(client: RexClient) -> list[dict[str, Any]]:
        from rex_client import pages

        return [target async for page in pages(client.targets, year, limit=500) for target in page["targets"]]

    targets = ask(url, data_dir, targets_of_year)
    if as_json:
        print(json.dumps(targets))
    else:
        for target in targets:
            out.print(_line(target), markup=False, highlight=False, soft_wrap=True)


def _line(target: dict[str, Any]) -> str:
    from services.commands.texts import visible

    period = f"{target['year']}-{target['month']:02}" if target["month"] else str(target["year"])
    in_force = "in force" if target["in_force"] else "replaced"
    about = f"{target['scope']:24} {target['metric']:13} {target['amount']:>20}"
    about = f"{about}  {in_force}  {': '.join(filter(None, (target['name'], target['why'])))}"
    if target["set_by"]:
        about = f"{about} ({target['set_by']})"
    # A forged journal may hold texts that would command the terminal.
    return visible(f"seq {target['seq']:<10} {period:8} {about}")
