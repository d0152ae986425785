"""Money, goods and the tables that orders are checked against: accounts, fees, instruments, phases, client order ids."""
