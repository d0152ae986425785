"""PostgreSQL and Valkey as processes of a test or of `make run-scaled`: the installed ones, or those of Python wheels."""
