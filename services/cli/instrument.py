"""`rex instrument`: the instruments of a running venue, through its API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from services.cli.options import AsJson, DataDir
from services.cli.running_venue import Url, act, ask
from services.cli.terminal import out

Symbol = Annotated[str, typer.Argument(help="The instrument's symbol, such as PRND-OX.", metavar="SYMBOL")]
Reason = Annotated[str, typer.Option(help="Why. The journal keeps it.", metavar="TEXT")]
Person = Annotated[str, typer.Option(help="Who decides it. The journal keeps it beside the key.", metavar="NAME")]


def list_instruments(url: Url = "", data_dir: DataDir = Path("rex-data"), as_json: AsJson = False) -> None:
    """Prints the instruments of a running venue: symbol, phase, today's price limits, largest order, lot, name.

    The command calls `GET /v1/instruments` with the key `operator` of the data folder's `keys.json`.

    Example: `rex instrument list --url http://127.0.0.1:8000`.

    Exit status:

    - 0 the list was printed
    - 1 the venue refused, or does not answer, or the folder holds no key
    - 2 an option is invalid
    """
    instruments = ask(url, data_dir, lambda client: client.instruments())
    if as_json:
        print(json.dumps(instruments))
        return
    for instrument in instruments:
        out.print(_line(instrument), markup=False, highlight=False, soft_wrap=True)


def add_instrument(
    symbol: Symbol,
    name_en: Annotated[str, typer.Option(help="Its English name.", metavar="TEXT")],
    name_zh: Annotated[str, typer.Option(help="Its Chinese name.", metavar="TEXT")],
    category: Annotated[
        Literal["magnetic_material", "deep_processed"], typer.Option(help="Its category.", metavar="CATEGORY")
    ],
    family: Annotated[str, typer.Option(help="Its family of products, such as separated_oxide.", metavar="TEXT")],
    unit: Annotated[Literal["kg", "t"], typer.Option(help="The unit of its price: kg or t.", metavar="UNIT")],
    lot_size: Annotated[int, typer.Option(help="Units in a lot. It never changes.", metavar="NUMBER")],
    tick_size: Annotated[
        str, typer.Option(help="Smallest price step in yuan per unit. It never changes.", metavar="PRICE")
    ],
    reference_price: Annotated[
        str, typer.Option(help="The middle of the first day's price limits, in yuan per unit.", metavar="PRICE")
    ],
    band: Annotated[str, typer.Option(help="How far from it a day's prices may be: 0.06 is 6 %.", metavar="FRACTION")],
    max_quantity: Annotated[int, typer.Option(help="The largest order in lots.", metavar="LOTS")],
    reason: Reason,
    person: Person = "",
    sourced: Annotated[
        bool, typer.Option("--sourced", help="The reference price was taken from a source.", metavar="")
    ] = False,
    spec: Annotated[str, typer.Option(help="What is delivered.", metavar="TEXT")] = "",
    note: Annotated[str, typer.Option(help="Shown beside the instrument.", metavar="TEXT")] = "",
    url: Url = "",
    data_dir: DataDir = Path("rex-data"),
    as_json: AsJson = False,
) -> None:
    """Lists an instrument in a running venue: a command in its journal. It begins in the venue's present phase, without collar
    and volatility band: list it while the market is closed or the venue is halted, and set both before it opens.

    The command calls `POST /v1/admin/instruments` with the key `operator` of the data folder's `keys.json`.

    Example: `rex instrument add SC-OX --name-en "Scandium oxide" --name-zh 氧化钪 --category deep_processed
    --family separated_oxide --unit kg --lot-size 10 --tick-size 1.00 --reference-price 6000.00 --band 0.06
    --max-quantity 1000 --reason "board decision of 3 March"`.

    Exit status:

    - 0 it is listed; or, where the venue asks for a second person, it waits for one, and the answer says so
    - 1 the venue refused it, and the sentence says why; or it does not answer, or the folder holds no key
    - 2 an option is invalid
    """
    listing = {
        "symbol": symbol, "name_en": name_en, "name_zh": name_zh, "category": category, "family": family, "unit": unit,
        "lot_size": lot_size, "tick_size": tick_size, "reference_price": reference_price, "band_rate": band,
        "reference_price_source": "sourced" if sourced else "assumed", "max_quantity": max_quantity, "spec": spec,
        "note": note,
    }  # fmt: skip
    act(url, data_dir, as_json, "listed", lambda venue: venue.list_instrument(listing, reason=reason, name=person))


def change_instrument(
    symbol: Symbol,
    reason: Reason,
    band: Annotated[
        str | None, typer.Option(help="How far from the reference price a day's prices may be.", metavar="FRACTION")
    ] = None,
    collar: Annotated[
        str | None,
        typer.Option(help="How far beyond the last price an order may reach; 0: no collar.", metavar="FRACTION"),
    ] = None,
    max_quantity: Annotated[int | None, typer.Option(help="The largest order in lots.", metavar="LOTS")] = None,
    name_en: Annotated[str | None, typer.Option(help="Its English name.", metavar="TEXT")] = None,
    name_zh: Annotated[str | None, typer.Option(help="Its Chinese name.", metavar="TEXT")] = None,
    spec: Annotated[str | None, typer.Option(help="What is delivered.", metavar="TEXT")] = None,
    note: Annotated[str | None, typer.Option(help="Shown beside the instrument.", metavar="TEXT")] = None,
    person: Person = "",
    url: Url = "",
    data_dir: DataDir = Path("rex-data"),
    as_json: AsJson = False,
) -> None:
    """Changes terms and texts of an instrument, from now on; what no option names stays. Open orders outside new price limits
    are canceled. Symbol, unit, lot size and tick size never change.

    The command calls `PATCH /v1/admin/instruments/SYMBOL` with the key `operator` of the data folder's `keys.json`.

    Example: `rex instrument change SC-OX --band 0.08 --max-quantity 500 --reason "board decision of 3 March"`.

    Exit status: as `rex instrument add`.
    """
    given = {
        "band_rate": band, "collar_rate": collar, "max_quantity": max_quantity, "name_en": name_en, "name_zh": name_zh,
        "spec": spec, "note": note,
    }  # fmt: skip
    changes = {name: value for name, value in given.items() if value is not None}
    act(
        url, data_dir, as_json, "changed",
        lambda venue: venue.change_instrument(symbol, changes, reason=reason, name=person),
    )  # fmt: skip


def delist_instrument(
    symbol: Symbol,
    reason: Reason,
    person: Person = "",
    url: Url = "",
    data_dir: DataDir = Path("rex-data"),
    as_json: AsJson = False,
) -> None:
    """Delists an instrument for good: its open orders are canceled, and it takes no more. What accounts hold of it stays
    theirs, and can be released.

    The command calls `POST /v1/admin/instruments/SYMBOL/delist` with the key `operator` of the data folder's `keys.json`.

    Example: `rex instrument delist SC-OX --reason "no trade for a year" --person "Li Na"`.

    Exit status: as `rex instrument add`.
    """
    act(
        url, data_dir, as_json, "delisted",
        lambda venue: venue.delist_instrument(symbol, reason=reason, name=person),
    )  # fmt: skip


def _line(instrument: dict[str, Any]) -> str:
    from services.commands.texts import visible

    limits = f"{instrument['lower_limit']} to {instrument['upper_limit']} yuan/{instrument['unit']}"
    size = f"to {instrument['max_quantity']} lots of {instrument['lot_size']} {instrument['unit']}"
    names = f"{instrument['name_en']} {instrument['name_zh']}"
    return visible(f"{instrument['symbol']:16} {instrument['phase']:16} {limits:36} {size:32} {names}")
