"""The exchange as one deterministic state machine: no clock, no I/O, no log, no randomness, no float."""

from __future__ import annotations

ENGINE_VERSION = 1
"""Number of the rules: commands of a journal row are re-executed only by the version that made its events."""
