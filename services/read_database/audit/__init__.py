"""Is the read database true? Compared with an engine that has executed the journal, and with the rows themselves."""
