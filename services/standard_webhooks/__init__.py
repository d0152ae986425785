"""Signed messages to a receiver outside: addresses that are allowed, and the headers of the Standard Webhooks specification."""
