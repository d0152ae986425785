"""Snapshots: the engine's state at the end of a journal row, sealed, so that a start executes only the rows after it.

record.py      a snapshot and its bytes
errors.py      why a snapshot is not used, and why none can be written
store.py       a place that keeps snapshots: what a reader and a writer of them need
folder.py      files in a folder
postgres.py    rows of a PostgreSQL table
loading.py     the newest good snapshot, compared with the journal; the older ones where it is not good
following.py   an engine brought to the journal's end
taking.py      the next snapshot: load the last good one, follow the journal, write, read back, remove old ones
proof.py       the kept ones beside a walk through the whole journal: `rex journal verify`
verifying.py   every kept snapshot, loaded and followed: `rex snapshot verify`

A snapshot is derived: the journal decides, and each snapshot can be made again from it.
"""
