"""Why a venue is not made or not started. Imported by each command that says so: this file imports nothing."""

from __future__ import annotations


class KeysFileRefused(Exception):
    """`keys.json` cannot be parsed. The sentence says what to do."""


class InitRefused(Exception):
    """The database holds a venue, or another process writes it. Nothing was changed."""
