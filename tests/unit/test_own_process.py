"""Garbage collection and priority of a process, each in a process of its own: both are for good."""

from __future__ import annotations

import subprocess
import sys


def _printed(program: str) -> list[int]:
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return [int(word) for word in found.stdout.split()]


def test_what_the_start_has_loaded_is_collected_no_more_and_later_garbage_is() -> None:
    frozen, in_cycles, left = _printed("""
import gc, weakref
from services.own_process import exempt_loaded_objects

class Node: pass

loaded = [Node() for _ in range(1000)]
exempt_loaded_objects()
print(gc.get_freeze_count())
node = Node()
node.itself = node
gone = weakref.ref(node)
del node
print(int(gone() is not None))
gc.collect()
print(int(gone() is not None))
""")
    assert frozen > 1000
    assert (in_cycles, left) == (1, 0)


def test_full_collections_are_rarer_than_by_default() -> None:
    before, after = _printed("""
import gc
from services.own_process import exempt_loaded_objects
print(gc.get_threshold()[2])
exempt_loaded_objects()
print(gc.get_threshold()[2])
""")
    assert after > before > 0


def test_a_process_that_stands_back_has_a_lower_priority_and_one_of_niceness_0_keeps_its_own() -> None:
    before, kept, after = _printed("""
import os
from services.own_process import stand_back
print(os.nice(0))
stand_back(0)
print(os.nice(0))
stand_back(1)
print(os.nice(0))
""")
    assert (kept, after) == (before, min(before + 1, 19))
