"""A running venue: where a command finds it, and the work of a client with the operator's key."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from services.cli.options import require_address, settings_of
from services.cli.terminal import out, run, say
from services.processes.exit_codes import ExitCode

if TYPE_CHECKING:
    from rex_client import RexClient

    from services.venue.settings import Settings

T = TypeVar("T")

Url = Annotated[
    str,
    typer.Option(
        help="The address of the running venue or of one of its gateways. Without it: this machine, at the port of REX_PORT, "
        "or 8000 if that is not set.",
        metavar="URL",
        show_default=False,
    ),
]


def address_of(settings: Settings, url: str) -> str:
    """The given address, otherwise that of a venue with these settings on this machine."""
    return url or f"http://127.0.0.1:{settings.port}"


async def at_venue(settings: Settings, url: str, work: Callable[[RexClient], Awaitable[T]]) -> T:
    """What the work finds at the running venue.

    Raises RexError for its refusals, and Unreachable with the option that names another address.
    """
    from rex_client import RexClient, Unreachable

    from services.venue.first_start import KEYS_FILE, OPERATOR, read_keys

    key = read_keys(settings.data_dir / KEYS_FILE, OPERATOR)[OPERATOR].key
    async with RexClient(url, key) as client:
        try:
            return await work(client)
        except Unreachable as error:
            raise Unreachable(f"{error}; --url gives the address of the running venue") from None


def ask(url: str, data_dir: Path, call: Callable[[RexClient], Coroutine[Any, Any, T]]) -> T:
    """The venue's answer. A refusal ends the command with the venue's sentence; `run` says that no answer came."""
    from rex_client import RexError

    chosen = settings_of(data_dir=data_dir)
    url = address_of(chosen, url)
    require_address(url)

    try:
        return run(at_venue(chosen, url, call))
    except RexError as refused:
        say("; ".join(f"{error['field']}: {error['message']}" for error in refused.errors) or refused.detail)
    raise typer.Exit(ExitCode.TROUBLE)


def act(
    url: str, data_dir: Path, as_json: bool, done: str, call: Callable[[RexClient], Coroutine[Any, Any, dict[str, Any]]]
) -> None:
    """Does something at the venue, and prints that it is `done`, or that it waits for a second person."""
    from rex_client import Proposed

    try:
        answer = ask(url, data_dir, call)
    except Proposed as waiting:
        answer = {"proposal": waiting.proposal, "act": waiting.act}
    if as_json:
        print(json.dumps(answer))
    elif "proposal" in answer:
        out.print(f"not {done} yet: another person confirms proposal {answer['proposal']}", highlight=False)
    else:
        out.print(f"{done} by the journal's command {answer['seq']}", highlight=False)
