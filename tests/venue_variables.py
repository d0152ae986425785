"""The variables of every venue that a test or a fault rig starts. A test about one of them gives its venue another value."""

from __future__ import annotations

import os

VARIABLES = {
    "REX_ALERTS_EVERY_S": "0",  # which alerts are raised, and with which seqs, follows the date and the machine's speed
    "REX_NICENESS": "0",  # beside busy tests, a process of low priority waits for ever
}


def set_variables() -> None:
    """Sets them for this process and all that it starts."""
    os.environ.update(VARIABLES)
