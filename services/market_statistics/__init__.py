"""Statistics of the market: the PrNd index of settlement prices, and the quality of each product's market on a trading day.

The statistics are pure functions and know neither journal nor database: integers and exact fractions, rounded when they are
shown. `day_reading` reads a trading day from the journal, `index_reading` the days of the index from the read database.
docs/figure.md has the formulas.
"""
