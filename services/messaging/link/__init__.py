"""The link: one WebSocket from a gateway to the active sequencer. Submissions go up, committed batches come down.

frames.py    the bytes of a message
abort.py     ends a connection at once
server.py    the sequencer's end: takes submissions into the inbox, sends batches
window.py    the submissions of a gateway that wait for their batch
position.py  how far the journal was compared with the window
beats.py     whether a sequencer leads, by the writer row
client.py    the gateway's end: an inbox and a feed; follows the writer row from sequencer to sequencer
confirmed.py the journal as an order gateway reads it: as far as the sequencer has published it
"""
