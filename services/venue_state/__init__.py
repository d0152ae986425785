"""Reader 1 of the journal: the keys, instruments, accounts and open orders that the gateway answers from. Knows no HTTP."""
