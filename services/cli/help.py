"""`--help` that shows no `<bool>`: typer prints a type behind every flag that has no metavar, behind its own flag too."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption


class Command(TyperCommand):
    """A command."""

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """The option `--help`, without a type."""
        return _untyped(super().get_help_option(ctx))


class Group(TyperGroup):
    """A command that has commands."""

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """The option `--help`, without a type."""
        return _untyped(super().get_help_option(ctx))


def _untyped(option: TyperOption | None) -> TyperOption | None:
    if option is not None:
        option.metavar = ""
    return option
