"""One hash of events and states over hostile flows, by this Python and this build of the engine:

    python -m tests.night.state_hash --seeds 20 --start 1

Prints a JSON object. Every Python, hash seed and build must print the same `hash`.
"""

from __future__ import annotations

import argparse
import json
import sys
from hashlib import blake2b

from matching_engine import Engine, is_native
from tests.property.engine_flow import array, flow

COMMANDS = 300


def hash_of(seeds: range) -> str:
    """The hash over the flows of these seeds."""
    digest = blake2b(digest_size=32)
    for seed in seeds:
        engine = Engine()
        digest.update(engine.process(array(flow(seed, COMMANDS))).tobytes())
        digest.update(engine.state_hash().encode())
    return digest.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description="One hash of events and states over hostile flows.")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--start", type=int, default=1)
    options = parser.parse_args()
    found = hash_of(range(options.start, options.start + options.seeds))
    told = {"hash": found, "native": is_native(), "python": sys.version.split()[0]}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
