"""`rex user`: the people who may log in, over the API of a running venue; a stopped one is started for the moment, but for
links, which end with the process."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from services.cli.options import AsJson, DataDir, require_address, settings_of
from services.cli.running_venue import Url as RunningUrl
from services.cli.running_venue import address_of, at_venue
from services.cli.terminal import err, out, run, say
from services.cli.venue import AcceptClock, Schedule
from services.values.decimals import counted

if TYPE_CHECKING:
    from rex_client import RexClient

    from services.venue.settings import Settings

Json = dict[str, Any]
Work = Callable[["RexClient"], Awaitable[Json]]

Name = Annotated[str, typer.Argument(help="The user's name; case and width do not matter.", metavar="NAME")]
RoleName = Annotated[
    Literal["visitor", "trader", "operator", "auditor", "admin"],
    typer.Option("--role", help="What the user may do (docs/security.md, People).", metavar="ROLE"),
]
Account = Annotated[int, typer.Option(help="The account of a trader; no other role has one.", min=0, metavar="NUMBER")]
Url = Annotated[
    str,
    typer.Option(
        help="The address of the running venue or gateway. Without it: the venue in --data-dir, which is started for the "
        "moment if it is stopped, and otherwise expected on this machine, at the port of REX_PORT, or 8000 if that is not set.",
        metavar="URL",
        show_default=False,
    ),
]


class _Refused(Exception):
    """The venue refuses, or nobody has the name: one sentence."""


def list_users(
    data_dir: DataDir = Path("rex-data"),
    url: Url = "",
    schedule: Schedule = "exchange",
    accept_clock: AcceptClock = False,
    as_json: AsJson = False,
) -> None:
    """Lists the users with role, account and number of sessions.

    Example: `rex user list --data-dir venue`.

    Exit status: as `rex user add`.
    """

    async def work(venue: RexClient) -> Json:
        return {"users": [user async for user in _users(venue)]}

    found = _with_venue(work, data_dir, url, schedule, accept_clock)
    if as_json:
        print(json.dumps(found))
        return
    from services.commands.texts import visible

    for user in found["users"]:
        account = f" of account {user['account']}" if user["account"] else ""
        waits = "" if user["has_password"] else ", without a password"
        line = f"{user['name']}: {user['role']}{account}, {counted(user['sessions'], 'session')}{waits}"
        out.print(visible(line), highlight=False, markup=False)


def add(
    name: Name,
    role: RoleName,
    account: Account = 0,
    data_dir: DataDir = Path("rex-data"),
    url: Url = "",
    schedule: Schedule = "exchange",
    accept_clock: AcceptClock = False,
) -> None:
    """Adds a user, and asks for the password: twice in a terminal, otherwise one line of standard input.

    It acts with the operator's key in `keys.json` of the data folder. A stopped venue is started on a free port without
    simulated traders, as `rex serve` with the same `--schedule` would be, and stopped again.

    Where acts need two persons (`REX_FOUR_EYES`), the user may propose at once, and confirms nothing for 24 hours: whoever adds
    a user knows the password.

    Example: `rex user add wang.fang --role trader --account 2 --data-dir venue`.

    Exit status:

    - 0 it is done, and journaled
    - 1 the venue refused, or the environment: keys, address
    - 2 an option or a setting is invalid
    - 3 to 8 as for `rex serve`
    """
    password = _new_password()
    _with_venue(
        lambda venue: venue.add_user(name, role, account=account, password=password),
        data_dir,
        url,
        schedule,
        accept_clock,
    )
    out.print(f"{name} may log in, as {role}.", highlight=False)
    if role in ("operator", "admin"):
        _say_wait(name)


def passwd(
    name: Name,
    data_dir: DataDir = Path("rex-data"),
    url: Url = "",
    schedule: Schedule = "exchange",
    accept_clock: AcceptClock = False,
) -> None:
    """Sets a user's password, for which it asks as `rex user add` does. The user's sessions end.

    Where acts need two persons (`REX_FOUR_EYES`), the user confirms nothing for 24 hours: whoever set the password knows it.

    Example: `rex user passwd wang.fang --data-dir venue`.

    Exit status: as `rex user add`.
    """
    password = _new_password()
    _of_user(
        name, lambda venue, user_id: venue.set_user_password(user_id, password), data_dir, url, schedule, accept_clock
    )
    out.print(f"{name} has another password.", highlight=False)
    _say_wait(name)


def role(
    name: Name,
    role: RoleName,
    account: Account = 0,
    data_dir: DataDir = Path("rex-data"),
    url: Url = "",
    schedule: Schedule = "exchange",
    accept_clock: AcceptClock = False,
) -> None:
    """Changes a user's role. The user's sessions end.

    Example: `rex user role wang.fang --role auditor --data-dir venue`.

    Exit status: as `rex user add`.
    """

    def change(venue: RexClient, user_id: str) -> Awaitable[Json]:
        return venue.set_user_role(user_id, role, account=account)

    _of_user(name, change, data_dir, url, schedule, accept_clock)
    out.print(f"{name} is {role} now.", highlight=False)


def link(name: Name, data_dir: DataDir = Path("rex-data"), url: RunningUrl = "") -> None:
    """Prints a one-time link with which the user sets a password, valid for 24 hours.

    It needs the running venue, because a link ends with the process of the venue. In a stopped one use `rex user passwd`.
    Where acts need two persons (`REX_FOUR_EYES`), the user confirms nothing for 24 hours after the link was used: whoever made
    it could have used it.

    Example: `rex user link wang.fang --data-dir venue`.

    Exit status: as `rex user add`.
    """
    url = address_of(settings_of(data_dir=data_dir), url)
    made = _of_user(name, lambda venue, user_id: venue.user_link(user_id), data_dir, url, "exchange", False)
    out.print(f"{url}{made['path']}", highlight=False, soft_wrap=True)
    err.print("For 24 hours after its use, the user confirms no act of two persons.", highlight=False, soft_wrap=True)


def remove(
    name: Name,
    data_dir: DataDir = Path("rex-data"),
    url: Url = "",
    schedule: Schedule = "exchange",
    accept_clock: AcceptClock = False,
) -> None:
    """Removes a user. The user's sessions end.

    Example: `rex user remove wang.fang --data-dir venue`.

    Exit status: as `rex user add`.
    """
    _of_user(name, lambda venue, user_id: venue.remove_user(user_id), data_dir, url, schedule, accept_clock)
    out.print(f"{name} may not log in any more.", highlight=False)


async def _users(venue: RexClient) -> AsyncIterator[Json]:
    from rex_client import pages

    async for page in pages(venue.users, limit=500):
        for user in page["users"]:
            yield user


def _say_wait(name: str) -> None:
    err.print(f"{name} confirms no act of two persons for 24 hours.", highlight=False, soft_wrap=True)


def _new_password() -> str:
    if sys.stdin.isatty():
        password: str = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
        return password
    return sys.stdin.readline().rstrip("\r\n")


def _of_user(
    name: str,
    work: Callable[[RexClient, str], Awaitable[Json]],
    data_dir: Path,
    url: str,
    schedule: Literal["always", "exchange"],
    accept_clock: bool,
) -> Json:
    from services.venue_state.users import login_name

    async def work_on_user(venue: RexClient) -> Json:
        async for user in _users(venue):
            if login_name(user["name"]) == login_name(name):
                return await work(venue, user["user_id"])
        raise _Refused(f"no user is named {name}")

    return _with_venue(work_on_user, data_dir, url, schedule, accept_clock)


def _with_venue(
    work: Work, data_dir: Path, url: str, schedule: Literal["always", "exchange"], accept_clock: bool
) -> Json:
    """Runs the work with a client of the venue; a refusal ends the command with one sentence and status 1."""
    chosen = settings_of(data_dir=data_dir, schedule=schedule, accept_clock=accept_clock)
    if url:
        require_address(url)
    try:
        return run(_at(chosen, url, work) if url else _running_or_started(chosen, work))
    except _Refused as refused:
        say(str(refused))
        raise typer.Exit(1) from None


async def _at(settings: Settings, url: str, work: Work) -> Json:
    """The work at a running venue."""
    from rex_client import RexError

    try:
        return await at_venue(settings, url, work)
    except RexError as error:
        raise _Refused(error.detail) from None


async def _running_or_started(settings: Settings, work: Work) -> Json:
    from services.cli.which_venue import require_venue
    from services.journal import JournalBusy
    from services.venue.bootstrap import open_venue

    require_venue(settings.data_dir)
    moment = {"host": "127.0.0.1", "port": 0, "demo": False, "alerts_every_s": 0.0, "proof_every_s": 0.0}
    try:
        async with open_venue(settings.model_copy(update=moment)) as venue:
            done = await asyncio.gather(_at(settings, venue.url, work), return_exceptions=True)
    except JournalBusy:
        return await _at(settings, address_of(settings, ""), work)
    if isinstance(done[0], BaseException):
        raise done[0]  # here, where the venue has been closed in order
    return done[0]
