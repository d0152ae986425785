"""Garbage collection, heap and priority of a process, each in a process of its own: they are for good."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest


def _printed(program: str, *arguments: str) -> list[int]:
    found = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return [int(word) for word in found.stdout.split()]


def test_what_the_start_has_loaded_is_collected_no_more_and_later_garbage_is() -> None:
    frozen, in_cycles, left = _printed("""
import gc, weakref
from services.processes.own_process import orders_first

class Node: pass

loaded = [Node() for _ in range(1000)]
orders_first()
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


def test_the_objects_of_requests_under_way_are_not_walked() -> None:
    by_default, walked = _printed("""
import gc
from services.processes.own_process import orders_first

def collections():
    return sum(generation["collections"] for generation in gc.get_stats())

def walks_of_objects(count):
    before = collections()
    under_way = [[] for _ in range(count)]
    return collections() - before

print(walks_of_objects(4_000))
orders_first()
print(walks_of_objects(4_000))
""")
    assert by_default > walked == 0


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heaps of glibc, which this machine has not")
def test_the_threads_of_a_process_share_one_heap() -> None:
    program = """
import sys, threading
from pathlib import Path
from services.processes.own_process import share_heap

def heaps():
    maps = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    return sum(len(fields) == 5 and int(fields[0].split("-")[0], 16) % 2**26 == 0 for fields in maps)

def allocate():
    kept = [bytes(1_000) for _ in range(1_000)]
    together.wait()

together = threading.Barrier(4)
if "share" in sys.argv:
    share_heap()
threads = [threading.Thread(target=allocate) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(heaps())
"""
    (own,), (shared,) = _printed(program), _printed(program, "share")
    assert own > shared == 0


def test_no_thread_of_a_process_that_takes_orders_keeps_the_interpreter_for_long() -> None:
    before_us, after_us = _printed("""
import sys
from services.processes.own_process import orders_first
print(round(sys.getswitchinterval() * 1e6))
orders_first()
print(round(sys.getswitchinterval() * 1e6))
""")
    assert (before_us, after_us) == (5000, 500)


def test_a_process_that_stands_back_has_a_lower_priority_and_one_of_niceness_0_keeps_its_own() -> None:
    before, kept, after = _printed("""
import os
from services.processes.own_process import stand_back
print(os.nice(0))
stand_back(0)
print(os.nice(0))
stand_back(1)
print(os.nice(0))
""")
    assert (kept, after) == (before, min(before + 1, 19))


def test_a_command_imports_without_collection_and_runs_with_it() -> None:
    importing, running, frozen = _printed("""
import gc, sys
from services.cli.terminal import run
from services.processes.own_process import import_without_collection

import_without_collection()
print(int(gc.isenabled()))

async def work():
    print(int(gc.isenabled()))

run(work())
print(gc.get_freeze_count())
""")
    assert (importing, running) == (0, 1)
    assert frozen > 1000


def test_a_command_knows_how_its_children_end_whoever_started_it() -> None:
    ignored, known = _printed("""
import os, signal, sys
from services import cli

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print(int(signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN))
sys.argv = ["rex", "--help"]
out = os.dup(1)
os.dup2(2, 1)
try:
    cli.main()
except SystemExit:
    pass
os.dup2(out, 1)
print(int(signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL))
""")
    assert (ignored, known) == (1, 1)
