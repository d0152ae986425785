"""The options that several commands have, and the settings of a command: its options and the environment's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.terminal import as_given, say
from services.processes.exit_codes import ExitCode

if TYPE_CHECKING:
    from services.venue.settings import Settings


def warn_of_password(context: typer.Context, option: typer.CallbackParam, url: str) -> str:
    """Warns of a password in a URL on the command line, which nothing can hide: the process begins with it."""
    source = context.get_parameter_source(option.name or "")
    if source is not None and source.name == "COMMANDLINE" and _has_password(url):
        instead = f"set {option.envvar} instead" if option.envvar else "leave it to PGPASSWORD or ~/.pgpass"
        name = option.opts[0]
        say(f"warning: whoever may list the processes of this machine sees the password in {name}: {instead}")
    return url


def _has_password(url: str) -> bool:
    from urllib.parse import parse_qs, urlsplit

    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.password or parse_qs(parts.query).get("password"))


DataDir = Annotated[
    Path,
    typer.Option(help="The data folder: journal, read database and keys.", metavar="FOLDER", envvar="REX_DATA_DIR"),
]
MaybeDataDir = Annotated[
    Path | None,
    typer.Option(help="The data folder: journal, read database and keys.", metavar="FOLDER", envvar="REX_DATA_DIR"),
]
Port = Annotated[
    int,
    typer.Option(
        help="The TCP port to listen on; 0 selects a free port.", min=0, max=65535, metavar="PORT", envvar="REX_PORT"
    ),
]
DatabaseUrl = Annotated[
    str,
    typer.Option(
        help="The PostgreSQL database, as postgresql://user:password@host:port/name. The variable keeps the password out of "
        "the list of processes (ps), which shows it for as long as the command runs.",
        metavar="URL",
        envvar="REX_DATABASE_URL",
        callback=warn_of_password,
    ),
]
RedisUrl = Annotated[
    str,
    typer.Option(
        help="Redis or Valkey, which carries committed rows to readers. Without it they follow the journal. The variable keeps "
        "the password out of the list of processes (ps).",
        metavar="URL",
        envvar="REX_REDIS_URL",
        callback=warn_of_password,
    ),
]
ArchivesDir = Annotated[
    Path | None,
    typer.Option(
        "--archives",
        help="The folder of the archived days, if it is not `archives` in the data folder.",
        metavar="FOLDER",
        show_default=False,
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, for programs.", metavar="")
]


def settings_of(*, embedded: bool = False, **options: Any) -> Settings:
    """The settings of these options and of the environment; one that cannot be is bad usage, exit status 2. For an `embedded`
    venue, so is one of the scaled mode."""
    from services.venue.settings import SettingsRefused, UnknownVariables, read_settings, require_embedded

    try:
        chosen = read_settings(**options)
        if embedded:
            require_embedded(chosen)
        return chosen
    except SettingsRefused as refused:
        for sentence in refused.sentences:
            say(sentence if isinstance(refused, UnknownVariables) else as_given(sentence))
        raise typer.Exit(ExitCode.USAGE) from None


def chosen_of(context: typer.Context, database_url: str, data_dir: Path | None) -> str | Path | None:
    """The URL or the folder that a command works on: the one given as an option; otherwise the URL, if a variable sets it.

    Both given as options are bad usage, exit status 2.
    """
    sources = {name: context.get_parameter_source(name) for name in ("database_url", "data_dir")}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if len(given) == 2:
        say("--database-url and --data-dir name two places: give one of them")
        raise typer.Exit(ExitCode.USAGE)
    if data_dir is None:
        settings_of(database_url=database_url)
    else:
        settings_of(database_url=database_url, data_dir=data_dir)
    return database_url if database_url and given != ["data_dir"] else data_dir


def require_address(url: str) -> None:
    """What `--url` names must be a host over HTTP; another text is bad usage, exit status 2."""
    import httpx

    try:
        address = httpx.URL(url)
        if address.scheme in ("http", "https") and address.host:
            return
    except httpx.InvalidURL:
        pass
    say(f"--url {url} is not an address: write http://HOST:PORT")
    raise typer.Exit(ExitCode.USAGE)
