"""How Python and the operating system run this process: garbage collection, heap and priority."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from contextlib import suppress

COLLECTION = (5_000, 4, 25)
"""When garbage is collected: the new objects when there are 5,000 more than were freed; at every 4th time also those that have
survived once; at every 25th time of these all. Requests under way hold some thousand objects: with Python's default, 700, most
of them are walked before their request ends. A collection stops every order, so it must not have much more to walk than now.
Orders are not among it (`VenueOrder`); closed connections wait for a full one."""

SWITCH_S = 0.0005
"""How long a thread may keep the interpreter while another one waits for it. With Python's default, 5 ms, a thread that makes a
report holds up every order that comes meanwhile so much longer."""

NICENESS = 5
"""Of a process that no order waits for, at most: it gets a third of the processor time of one that takes orders."""

LOWEST_PRIORITY = 19
"""The niceness of a process whose work can wait. Not Linux's SCHED_IDLE: beside a busy venue on one core, the judgement of the
days then took 16 s instead of 1.4 s, and the projector stood still meanwhile."""

_PR_SET_PDEATHSIG = 1
"""Linux's `prctl` for the signal that a process gets when the one that started it has ended."""

_M_ARENA_MAX = -8
"""The parameter of glibc's `mallopt` for the number of heaps."""


def know_children() -> None:
    """Whoever started this process may ignore SIGCHLD, and so would we: then the system keeps no child's exit status, and each
    failure of one looks like success."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def continue_with_starter_s_end() -> None:
    """Lets this process go on, if it is stopped then, when the one that started it ends: a stopped process sees no pipe close,
    and would stay for ever. Only Linux can do this."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGCONT)


def import_without_collection() -> None:
    """Stops garbage collection for the imports of a process, until `collect_garbage`. What an import makes stays; to walk it
    anew with each is a sixth of a start, and to walk all of it at the end as much again."""
    gc.disable()


def collect_garbage() -> None:
    """Starts garbage collection, for what is made from now on."""
    gc.freeze()
    gc.enable()


def share_heap() -> None:
    """Lets all threads allocate from one heap. glibc gives each thread its own, up to eight for a processor, and each keeps
    what its threads once needed: an embedded venue had 23 MB in fourteen of them after an hour, and more every hour. Only one
    thread runs Python at a time, so they seldom wait for each other. Other C libraries have heaps of other kinds."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def orders_first() -> None:
    """Prepares a process that takes orders, after its start. No thread keeps the interpreter long. What the start has loaded
    is exempt from garbage collection, which would walk it at 0.1 s each time; later objects are walked less often than by
    Python's default."""
    share_interpreter()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTION)


def share_interpreter() -> None:
    """Lets no thread keep the interpreter long: a thread that reads rows waits for it at each of them."""
    sys.setswitchinterval(SWITCH_S)


def put_back(pid: int, niceness: int) -> None:
    """Lowers the priority of a process that we have started."""
    with suppress(OSError):  # It has ended already, or the system does not let us: it does its work all the same.
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid) + niceness)


def stand_back(niceness: int = NICENESS) -> None:
    """Lowers the priority of this process, for good: where processors are scarce, the processes that take orders go first."""
    os.nice(niceness)
