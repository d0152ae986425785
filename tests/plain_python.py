"""A plugin of pytest for runs on the uncompiled engine (`make coverage`).

Uncompiled, the room that an engine makes for its first commands is half a million objects: an example takes longer than
Hypothesis grants by itself, and Python's collector would go through all of them again and again, for nothing.
"""

from __future__ import annotations

import gc

from hypothesis import settings

gc.set_threshold(1_000_000)
settings.register_profile("uncompiled", deadline=None)
settings.load_profile("uncompiled")
