"""A plugin of pytest for runs on the uncompiled engine (`make coverage`): traced line by line, an example takes longer than
Hypothesis grants by itself."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("uncompiled", deadline=None)
settings.load_profile("uncompiled")
