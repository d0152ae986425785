"""What README.md tells a newcomer to type does what it says, on any day."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.faults import start_demo, url_of
from tests.faults.rig import until
from tests.patience import PATIENCE_S, http_get

ROOT = Path(__file__).parents[2]


def test_the_first_order_is_taken(tmp_path: Path) -> None:
    after = (ROOT / "README.md").read_text(encoding="utf-8").partition("Place an order from a shell")[2]
    typed = after.split("```")[1]
    with start_demo(tmp_path) as process:
        try:
            url = url_of(process)
            # Not without a pause: who asks without a key more than 20 times a second for long is answered 429.
            until(lambda: http_get(f"{url}/v1/market/PRND-OX/ticker").json()["best_ask"], "nobody offers PRND-OX")
            for ours, here in {
                "http://127.0.0.1:8000": url,
                "rex-data": str(tmp_path),
                ".venv/bin/python": sys.executable,
            }.items():
                assert ours in typed
                typed = typed.replace(ours, here)
            said = subprocess.run(
                ["bash", "-euc", typed], capture_output=True, text=True, timeout=PATIENCE_S, check=True
            ).stdout
        finally:
            process.kill()
    order = json.loads(said)
    assert (order["client_order_id"], order["reason"]) == ("my-first", None)
    assert order["state"] in ("filled", "partially_filled", "new")
