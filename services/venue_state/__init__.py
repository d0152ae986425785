"""Reader 1 of the journal: keys, instruments, accounts and open orders as the gateway answers from them. Knows no HTTP."""
