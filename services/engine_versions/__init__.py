"""Journals of more than one engine version: where re-execution begins, and how the events of two versions differ."""
