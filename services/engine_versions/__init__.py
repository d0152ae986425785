"""Journals of more than one engine version: from where on the present engine re-executes one, and where versions differ."""
