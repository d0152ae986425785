"""The venue's reports as files: bulletins, the year's report, trades and the audit trail, as CSV, XLSX, PDF, JSON and Parquet.

reading.py    reads rows from the read database, all of one position
…bulletin….py, year_sheets.py, breakdown_sheets.py, certificate_tables.py
              turn rows and documents into documents and sheets; no I/O
csv_file.py, xlsx_file.py, pdf_file.py   turn sheets and documents into bytes
audit_trail.py, streams.py, parquet_file.py   stream the journal and the trades into Parquet files
folder.py     `rex export`: writes everything into a folder, whole or not at all

The same position of the read database makes the same bytes: no file holds the time at which it was made.
"""
