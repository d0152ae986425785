"""The SQL of the journal. Each statement is a transaction of its own, so that none is open between two messages."""

from __future__ import annotations

_COLUMNS = "journal_id, epoch, epoch_after, last_seq, last_hash, beat, url, backend"
_RECORD = "first_seq, last_seq, epoch, data"

ROW = f"SELECT {_COLUMNS} FROM journal_writer WHERE id = 1"
LOOK = f"SELECT {_COLUMNS}, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM journal_writer WHERE id = 1"
"""The writer row, and the server's clock, microseconds since 1970."""
FORMAT = "SELECT format FROM journal_writer WHERE id = 1"

NEW_ROW = """
INSERT INTO journal_writer (id, format, journal_id, epoch, epoch_after, last_seq, last_hash, beat, url, backend)
SELECT 1, $1::smallint, $2::bytea, $3::bigint, $4::bigint, $4, $5::bytea, 0, '', 0
WHERE NOT EXISTS (SELECT FROM journal WHERE first_seq > $4) ON CONFLICT DO NOTHING
"""
"""format, journal id, epoch, last_seq, last_hash. Nothing is inserted where a journal is."""

APPEND = f"""
WITH mine AS (
    UPDATE journal_writer SET last_seq = $2, last_hash = $5, beat = beat + 1
    WHERE id = 1 AND epoch = $3 AND last_hash = $6 RETURNING 1)
INSERT INTO journal ({_RECORD}) SELECT $1, $2, $3, $4 FROM mine RETURNING 1
"""
"""first_seq, last_seq, epoch, data, hash, the hash before. No row: another epoch, or another end of the chain."""

BEAT = """
UPDATE journal_writer SET beat = beat + 1, backend = pg_backend_pid()
WHERE id = 1 AND epoch = $1 RETURNING last_seq, last_hash
"""
"""epoch. No row: another epoch. An idle writer sends it, after its last append was confirmed: so it tells readers that this is
so (seen.py)."""

BARRIER = """
UPDATE journal_writer SET backend = pg_backend_pid()
WHERE id = 1 AND epoch = $1 RETURNING last_seq, last_hash
"""
"""epoch. No row: another epoch. Because it writes, its commit makes everything before it durable and replicated too. The beat
stays: while this commit waits for the synchronous standby, it may be visible, and nothing before it is confirmed."""

CLAIM = f"""
UPDATE journal_writer
SET epoch = epoch + 1, epoch_after = last_seq, url = $4, backend = pg_backend_pid()
FROM (SELECT set_config('lock_timeout', '1000', true)) AS wait
WHERE id = 1 AND epoch = $1 AND last_seq = $2 AND beat = $3 RETURNING {_COLUMNS}
"""
"""epoch, last_seq, beat, url. No row: something has happened since the look that these values are from. The time-out is in
milliseconds, and in force for this statement only. The beat stays, as in BARRIER."""

HAND_OVER = "UPDATE journal_writer SET url = '', beat = beat + 1 WHERE id = 1 AND epoch = $1 RETURNING 1"

MIGRATION_LOCK = int.from_bytes(b"REX migr")
"""The number of the advisory lock that `rex migrate` holds until it commits."""

TERMINATE_HOLDERS = f"""
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'relation' AND relation = 'journal_writer'::regclass AND mode IN ('RowShareLock', 'RowExclusiveLock')
  AND granted AND pid <> pg_backend_pid() AND pid NOT IN (SELECT pid FROM pg_locks WHERE NOT granted)
  AND pid NOT IN (SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep')
  AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
                  AND classid::bigint = {MIGRATION_LOCK >> 32} AND objid::bigint = {MIGRATION_LOCK & 0xFFFF_FFFF})
"""
"""Ends the sessions that lock the writer row; not those that wait for it, as another standby's claim does. Nor those that wait
for the synchronous standby: a claim would have to wait for it too, and their commits would become visible unconfirmed. Nor a
migration, which may take long: the claim is tried again after it. pg_locks has the number of an advisory lock as two halves."""

HOLDERS = (
    "SELECT pid, usename FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE relation = 'journal_writer'::regclass"
)
"""For an operator: whose sessions have locked the writer row, or wait for it."""

DURABILITY = """
SELECT name, setting FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
   OR name = 'synchronous_commit' AND setting IN ('local', 'remote_write')
   AND current_setting('synchronous_standby_names') <> ''
"""
"""The settings with which a commit is acknowledged that a power cut of the server, or a failover to a standby that is named as
synchronous, would lose. `remote_write` does not wait until the standby has flushed. Without a standby both are as good as `on`:
https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT."""

WATCHED = """
SELECT w.last_seq,
   current_setting('synchronous_standby_names') <> '' AND current_setting('synchronous_commit') IN ('on', 'remote_apply')
   AND EXISTS (SELECT FROM pg_stat_replication WHERE coalesce(sync_state, 'sync') IN ('sync', 'quorum')) AS is_replicated
FROM journal_writer AS w WHERE w.id = 1
"""
"""The end of the journal, and whether a synchronous standby confirms commits. A role without pg_monitor sees that there are
standbys, not their sync_state."""

# The batch that holds after_seq + 1 is the last one that begins at or before it. The writer row is of the same snapshot, so
# rows that are missing at the end show. octet_length does not read the bytes; a compressed row counts as 512
# bytes for each command, about what its batch has.
AFTER = f"""
WITH following AS (
    SELECT {_RECORD}, sum(bytes) OVER (ORDER BY first_seq) - bytes AS bytes_before
    FROM (
        SELECT {_RECORD}, greatest(octet_length(data), 512 * (last_seq - first_seq + 1)) AS bytes FROM journal
        WHERE first_seq >= coalesce((SELECT max(first_seq) FROM journal WHERE first_seq <= $1::bigint + 1), 0) AND last_seq > $1
        ORDER BY first_seq LIMIT 2048
    ) AS candidates)
SELECT w.last_seq AS end_seq, w.last_hash AS end_hash, w.beat, f.first_seq, f.last_seq, f.epoch, f.data
FROM journal_writer AS w LEFT JOIN following AS f ON f.bytes_before < $2::bigint
WHERE w.id = 1 ORDER BY f.first_seq
"""
"""after_seq, bytes. At least one row; without following batches its last four columns are NULL."""

LAST = f"""
SELECT w.last_seq AS end_seq, w.last_hash AS end_hash, w.beat, j.first_seq, j.last_seq, j.epoch, j.data
FROM journal_writer AS w LEFT JOIN LATERAL (
    SELECT {_RECORD} FROM journal ORDER BY first_seq DESC LIMIT 1) AS j ON true
WHERE w.id = 1
"""

BEFORE = f"SELECT {_RECORD} FROM journal WHERE first_seq < $1 ORDER BY first_seq DESC LIMIT 1"
