"""`python -m load_tests.replay`: see `replay.py`."""

from __future__ import annotations

import sys

from load_tests.replay.replay import main

sys.exit(main())
