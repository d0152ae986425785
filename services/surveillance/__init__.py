"""Surveillance: which trades look like wash trading, what changed hands in truth, and alerts. It judges nothing by itself.

The statistics are pure functions of arrays and know neither database nor clock; `reading` reads their input from the read
database. A finding is a question to a person: only a journaled decision changes the net turnover.
"""
