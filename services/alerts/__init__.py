"""Alerts: conditions of the venue become commands that raise and clear alerts; a webhook carries them out.

conditions                          what holds now, compared with the open alerts: what to raise and what to clear
operation, pace, trading            from what was seen to conditions: pure functions, without clock and database
reading, closing                    what is seen of a year, from the read database; which days are to be closed
judging                             both of them in a process of its own
monitor                             looks, compares, submits; one in a venue, beside the sequencer that leads
following                           the open alerts of a process without a gateway, from the journal
webhook/                            signed messages to one receiver, in order, at least once
"""
