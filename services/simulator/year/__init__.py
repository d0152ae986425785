"""A simulated year: what 44 invented members send to the venue on every trading day of a year, as engine commands.

plan.py           the year's story: how much of the target each day trades, and what happens on which day
fair_prices.py    a latent fair price for each instrument: January level, April crash, September rally, year end
members.py        the members: name, role, weight, opening balances
day_shape.py      the slices of a trading day, and the share of its turnover in each
orders.py         arrays of COMMAND records: quotes, orders that trade at once, orders of an auction
ring.py           the planted ring: three members who trade in a circle
planted.py        what happens once: a volatility auction, a bust, an outage
receipts.py       warehouse receipts and money in and out
pace.py           how many commands a slice has
sequencing.py     numbers and stamps commands at simulated times, runs the engine, makes journal batches
recording.py      writes the batches: journal and read database
trading.py        the open loop: every slice is decided in advance, fills come back once a slice
labels.py         what was planted, as a file for those who test a screen

No daily series of a rare-earth venue is public: every number that these modules make is an assumption of this project, except
the two published prices of praseodymium-neodymium oxide that the year begins and ends at. Randomness comes from the seed, the
year and the day only, so a day does not depend on how many commands another one had.
"""
