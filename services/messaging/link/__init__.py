"""The link: one WebSocket from a gateway to the active sequencer. Submissions go up, committed batches come down.

frames.py    the bytes of a message
"""
