"""Copies of a data folder: backups, made while the venue trades; closed days in archives; and what is restored from them.

backup.py       `rex backup`
restore.py      `rex restore` of a backup
days.py         `rex restore` of archived days
archive.py      `rex archive`. It stands on:
  sealing.py      writes a day's folder and reads it back
  trade_file.py   the day's trades as Parquet
  leaving.py      the journal's file without the rows that are archived
manifest.py     what a backup holds: the journal's end, the state's hash, the hash of each file
files.py        files that are written, hashed and on the device
proof.py        checks a copied journal: its chain, its events, the hash of the state
errors.py       the exceptions

A backup is a folder with a journal, so `rex journal verify`, `rex report` and the other readers work on it. It holds no read
database: a start makes that from the journal. How archives are read is in services/journal/archives.
"""
