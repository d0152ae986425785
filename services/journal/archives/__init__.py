"""Archives: closed trading days whose rows have left the journal's file. `services/backups/` writes them.

day.py          what an archived day holds: its manifest
blocks.py       rows as blocks, each a frame of zstd
reading.py      finds and reads archived rows, by sequence number
checking.py     compares all days of a folder with their manifests and the journal

A day is a folder named by its date, yyyy-mm-dd:

manifest.json   first and last row, their hashes, the blocks, size and SHA-256 of each file
rows.zst        the bytes of the day's batches, one after the other; `zstd -d` unpacks it
trades.parquet  the day's trades

A row belongs to the day that begins with it, if it holds a DAY_ROLL, and otherwise to the day of the row before it. The rows
before the first DAY_ROLL belong to the first day. A reader of the journal (batch_reader.py) reads archives and file as one
chain: the file holds the end at which the archived rows end.
"""
