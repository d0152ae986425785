"""REX's kind of command: its `--help` shows no `<bool>`, and its sentences name settings as they were given.

typer prints a type behind every flag that has no metavar, behind its own flag `--help` too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption

from services.cli.terminal import options_given


class Command(TyperCommand):
    """A command."""

    def invoke(self, ctx: Any) -> Any:
        """Runs it."""
        with options_given(dict(_variables_given_as_options(self, ctx))):
            return super().invoke(ctx)

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """The option `--help`, without a type."""
        return _untyped(super().get_help_option(ctx))


class Group(TyperGroup):
    """A command that has commands."""

    def invoke(self, ctx: Any) -> Any:
        """Runs it, and what it has."""
        with options_given(dict(_variables_given_as_options(self, ctx))):
            return super().invoke(ctx)

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """The option `--help`, without a type."""
        return _untyped(super().get_help_option(ctx))


def _variables_given_as_options(command: TyperCommand | TyperGroup, ctx: Any) -> Iterator[tuple[str, str]]:
    """Variable and option of each setting that is on the command line."""
    for parameter in command.params:
        source = ctx.get_parameter_source(parameter.name)
        if isinstance(parameter.envvar, str) and source is not None and source.name == "COMMANDLINE":
            yield parameter.envvar, parameter.opts[0]


def _untyped(option: TyperOption | None) -> TyperOption | None:
    if option is not None:
        option.metavar = ""
    return option
